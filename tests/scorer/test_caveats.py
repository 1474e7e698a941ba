"""What a reader must know before believing a verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundle.manifest import LoadRecord
from scorer.caveats import _LACKS, CLOSED, HARMLESS, caveats

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("load", "begins"),
    [
        (None, ()),
        (LoadRecord(model="open", rate_per_s=5), ()),
        (LoadRecord(model="closed"), ("closed-loop load: ",)),
        (LoadRecord(model="open", lacks=("bytes", "region")), ()),
        (
            LoadRecord(model="closed", lacks=("schedule", "region", "generator-health")),
            ("closed-loop load: ", "how many requests were due is not", "the generator's own health is not"),
        ),
        (LoadRecord(model="open", lacks=("scheduled-time",) * 2), ("when requests were due is not recorded: ",)),
        (LoadRecord(model="open", lacks=("start-resolution",)), ("times are recorded coarsely: ",)),
        (LoadRecord(model="open", lacks=("sleep",)), ("the load's record lacks 'sleep': what that weakens",)),
    ],
)
def test_each_weakness_of_the_record_is_one_line(load: LoadRecord | None, begins: tuple[str, ...]) -> None:
    found = caveats(load)
    assert len(found) == len(begins)
    assert all(line.startswith(start) for line, start in zip(found, begins, strict=True))
    assert all("\n" not in line for line in (*found, CLOSED))


def test_every_word_of_the_bundles_specification_is_known() -> None:
    row = next(
        line for line in (ROOT / "docs/bundle.md").read_text(encoding="utf-8").splitlines() if "`lacks` |" in line
    )
    assert {*_LACKS, *HARMLESS} == {word for word in row.split("`")[3::2] if not word.endswith("_ns")}
