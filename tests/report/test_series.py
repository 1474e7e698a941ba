from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from report.many import Columns
from report.series import MAX_BINS, _Rows, bin_width_s, binned, quantiles_by_bin, read_series


@pytest.mark.parametrize(
    ("span_s", "rows", "width_s"),
    [
        (54, 5400, 0.2),  # 400 bins bound it
        (60, 600, 1.0),  # ten rows a bin bound it
        (8 * 3600, 10**7, 100.0),
        (60, 0, 10.0),  # never fewer than some ten bins, however few rows there are
        (0, 0, 0.1),
        (10**9, 10**9, 10**9 / (MAX_BINS - 1)),
    ],
)
def test_bins_are_as_narrow_as_points_and_rows_allow(span_s: float, rows: int, width_s: float) -> None:
    assert bin_width_s(span_s, rows) == pytest.approx(width_s)
    assert span_s / bin_width_s(span_s, rows) <= MAX_BINS


def test_quantiles_are_those_of_each_bin_by_nearest_rank() -> None:
    """Against numpy's own, bin by bin."""
    rng = np.random.default_rng(1)
    bins = rng.integers(0, 7, 2000)
    bins[bins == 4] = 5
    latency_ns = rng.integers(0, 10**10, 2000)
    found = quantiles_by_bin(bins, latency_ns, 7, (0.5, 0.95, 1.0))
    for share, quantile in zip((0.5, 0.95, 1.0), found, strict=True):
        for which in (0, 1, 2, 3, 5, 6):
            expected = np.quantile(latency_ns[bins == which], share, method="inverted_cdf")
            assert quantile[which] == expected
        assert np.isnan(quantile[4])


def test_the_origin_is_the_earliest_moment_of_the_fault(passed) -> None:
    series = read_series(passed.bundle)
    assert (series.has_fault, series.start_s, series.end_s) == (True, -30.0, 24.0)
    assert [(s.name, s.start_s, s.end_s) for s in series.faults] == [("kill-a-pod", 0.0, 0.25)]
    assert [(s.name, s.start_s) for s in series.phases][2] == ("fault", -1.0)


def test_failed_and_unsent_requests_are_counted_apart_and_in_their_bins(failed) -> None:
    requests = read_series(failed.bundle).requests
    assert requests.total == 5400
    assert requests.failed > requests.unsent > 0
    good = sum(batch["ok"].to_numpy(zero_copy_only=False).sum() for batch in failed.bundle.requests())
    assert requests.failed + requests.unsent == requests.total - good
    assert requests.failed_per_s.sum() * requests.width_s == pytest.approx(requests.failed)
    assert requests.unsent_per_s.sum() * requests.width_s == pytest.approx(requests.unsent)
    hit = requests.t_s[(requests.failed_per_s + requests.unsent_per_s) > 0]
    assert -requests.width_s < hit.min() < hit.max() < 4 + requests.width_s
    assert 0 <= requests.first_bad_s < requests.last_bad_s < 4


def test_latency_is_that_of_good_answers_alone(failed) -> None:
    """The requests that failed timed out after 5 s; a service that fails fast would look quick instead."""
    requests = read_series(failed.bundle).requests
    assert np.nanmax(requests.max_ms) < 1000
    filled = ~np.isnan(requests.p50_ms)
    assert (requests.p50_ms <= requests.p95_ms)[filled].all()
    assert (requests.p95_ms <= requests.max_ms)[filled].all()


def test_replicas_are_those_of_the_fault_and_of_what_it_moved(passed) -> None:
    """dashboard-api kept its replicas and nobody aimed at it."""
    series = read_series(passed.bundle)
    assert [(one.name, one.ready.tolist(), one.desired.tolist()) for one in series.replicas] == [
        ("orchestration-agent", [2, 1, 2], [2, 2, 2])
    ]
    assert series.undrawn_deployments == 1


def test_a_target_that_nothing_happened_to_is_drawn_all_the_same(build, tmp_path: Path) -> None:
    series = read_series(build.bundle(tmp_path / "run", with_fault=False))
    assert not series.has_fault
    assert series.start_s == 0
    assert [one.name for one in series.replicas] == ["orchestration-agent"]


def test_a_killed_run_ends_where_the_last_thing_was_seen(build, tmp_path: Path) -> None:
    series = read_series(build.bundle(tmp_path / "run", closed=False))
    assert series.requests.total == 5400
    assert series.end_s == pytest.approx(24.0, abs=0.1)
    assert series.phases[-1].end_s == series.end_s


def test_a_run_without_requests_has_empty_bins(build, tmp_path: Path) -> None:
    requests = read_series(build.bundle(tmp_path / "run", rate=0)).requests
    assert (requests.total, requests.failed, requests.first_bad_s) == (0, 0, None)
    assert np.isnan(requests.p95_ms).all()


def test_more_requests_do_not_make_more_points(build, tmp_path: Path) -> None:
    """200 000 rows and as many points as a screen can show."""
    requests = read_series(build.bundle(tmp_path / "run", rate=200_000 / 54)).requests
    assert requests.total > 199_000
    assert len(requests.t_s) <= MAX_BINS


def test_a_request_that_is_due_exactly_at_the_end_has_its_bin() -> None:
    """In floating point 0.3 s / 0.1 s is less than three, and a row then had a bin that there was none of."""
    for tenths in range(1, 400):
        end_ns = tenths * 100_000_000
        due_ns = np.array([0, end_ns], np.int64)
        columns = Columns(due_ns, np.full(2, 5_000_000, np.int64), np.ones(2, np.bool_), np.ones(2, np.bool_))
        rows = _Rows(columns.extent, partial(binned, [columns]))
        series = rows.series(0, 0, end_ns)
        assert np.isfinite(series.max_ms).sum() == 2, tenths
