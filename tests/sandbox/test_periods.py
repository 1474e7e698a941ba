from __future__ import annotations

from argparse import ArgumentParser

import pytest

from sandbox.periods import Periods, duration_s, period_s, share


@pytest.mark.parametrize(
    ("text", "seconds"), [("15s", 15), ("1m30s", 90), ("5m", 300), ("500ms", 0.5), ("1.5h", 5400), ("0s", 0)]
)
def test_a_duration_is_read_as_go_writes_it(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "15", "s", "5 s", "1d", "-1s", "1m x"])
def test_a_text_that_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        duration_s(text)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shorter than 0\.1s"):
        period_s("0s")
    with pytest.raises(ValueError, match="no number from 0 to 1"):
        share("1.5")


def test_the_flags_of_a_cluster_say_the_same_in_every_process() -> None:
    periods = Periods(sync_s=0.5, downscale_stabilization_s=20, tolerance=0.05, metric_resolution_s=2)
    parser = ArgumentParser()
    Periods.add_to(parser)
    assert Periods.of(vars(parser.parse_args(list(periods.arguments())))) == periods
    assert Periods.of(vars(parser.parse_args([]))) == Periods()
    assert "--horizontal-pod-autoscaler-sync-period=0.500000s" in list(periods.arguments())
