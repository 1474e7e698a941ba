"""Data loss: what became of acknowledged writes, and what nobody knows of."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundle.reader import Bundle
from bundle.table import LEDGER, StreamWriter, compact
from bundle.timeline import Entry
from scorer.data_loss import Ledger, read_ledger, writes_lost
from scorer.facts import read_facts

REGIONS = ("east", "west", "north")
Row = tuple[str, str, str]


def write(root: Path, rows: list[Row], *, close: bool = True) -> None:
    """A ledger of (key, region, read_back)."""
    (root / "ledger.parquet").unlink(missing_ok=True)
    (root / "ledger").mkdir(exist_ok=True)
    stream = StreamWriter(root / "ledger" / "worker-1.arrows", LEDGER)
    for at in range(0, len(rows), 7):  # in several batches, each with names of its own
        part = rows[at : at + 7]
        columns = [
            pa.array([key for key, _, _ in part], pa.string()),
            pa.array(range(at, at + len(part)), pa.int64()),
            pa.array([region for _, region, _ in part], pa.string()).dictionary_encode(),
            pa.array([word for _, _, word in part], pa.string()).dictionary_encode(),
        ]
        stream.append(pa.RecordBatch.from_arrays(columns, schema=LEDGER))
    stream.close()
    if close:
        compact(root, "ledger")


def read_back(keys: int, **words: str) -> list[Row]:
    """Writes acknowledged by the east, and what each region answered to all of them."""
    acknowledged = [(f"k{n}", "east", "unknown") for n in range(keys)]
    return acknowledged + [(f"k{n}", region, word) for region, word in words.items() for n in range(keys)]


@pytest.fixture
def bundle(planted):
    def make(rows: list[Row], *, close: bool = True, **changes: object) -> Bundle:
        made = planted(contexts=REGIONS, **changes)
        write(made.root, rows, close=close)
        return made

    return make


def taken(bundle: Bundle):
    return writes_lost(read_facts(bundle), bundle)


def test_writes_that_every_region_has_are_safe(bundle) -> None:
    measure = taken(bundle(read_back(20, east="found", west="found", north="found")))
    assert (measure.value, measure.low, measure.high, measure.n) == (0, 0, 0, 20)


def test_writes_that_a_region_does_not_have_are_lost(bundle) -> None:
    rows = read_back(20, east="found", west="found", north="found")
    rows = [(key, region, "lost" if (key, region) == ("k7", "north") else word) for key, region, word in rows]
    measure = taken(bundle(rows))
    assert (measure.value, measure.low, measure.high) == (1, 1, 1)


@pytest.mark.parametrize("word", ["stale", "unknown", "mislaid"])
def test_writes_that_may_be_lost_count_in_the_upper_bound(bundle, word: str) -> None:
    measure = taken(bundle(read_back(20, east="found", west=word, north="found")))
    assert (measure.value, measure.low, measure.high) == (0, 0, 20)
    assert measure.evidence[0] == "20 writes may be lost: reading each back in every region settles it"


def test_a_region_that_was_not_asked_leaves_every_write_unknown(bundle) -> None:
    measure = taken(bundle(read_back(20, east="found", west="found")))
    assert (measure.low, measure.high) == (0, 20)
    assert "read back in 2 of 3 regions" in measure.evidence[1]


def test_a_write_that_one_region_was_not_asked_for_is_unknown(bundle) -> None:
    rows = [row for row in read_back(5, east="found", west="found", north="found") if row[:2] != ("k3", "west")]
    assert taken(bundle(rows)).high == 1


def test_a_ledger_that_nobody_read_back_shows_nothing(bundle) -> None:
    measure = taken(bundle(read_back(20)))
    assert (measure.value, measure.low, measure.high) == (None, 0, 20)
    assert measure.evidence[0] == "none of 20 acknowledged writes was read back"


def test_no_ledger_at_all_is_said(planted) -> None:
    with pytest.raises(LookupError, match="holds no acknowledged write"):
        taken(planted())


def test_a_ledger_that_was_not_closed_has_no_upper_bound(bundle) -> None:
    made = bundle(read_back(20, east="found", west="found", north="found"), close=False)
    measure = taken(made)
    assert (measure.low, measure.high) == (0, None)
    assert measure.evidence[0].startswith("the ledger was not closed")


def test_a_ledger_that_is_cut_has_no_upper_bound(bundle) -> None:
    made = bundle(read_back(20, east="found", west="found", north="found"), close=False)
    stream = made.root / "ledger" / "worker-1.arrows"
    stream.write_bytes(stream.read_bytes()[:-200])
    assert taken(made).high is None


def test_a_ledger_that_lacks_rows_it_was_closed_with_has_no_upper_bound(bundle) -> None:
    rows = read_back(20, east="found", west="found", north="found")
    whole, cut, uncounted = (
        taken(bundle(kept, ledger_rows=count)) for kept, count in ((rows, 80), (rows[:-1], 80), (rows, None))
    )
    assert whole.high == 0
    assert (cut.high, uncounted.high) == (None, None)
    assert cut.evidence[0] == "the ledger has 79 rows, and 80 when it was closed: writes may be missing"


def test_a_stranger_does_not_stand_for_a_region_that_was_not_asked(bundle) -> None:
    assert taken(bundle(read_back(20, east="found", west="found", elsewhere="found"))).high == 20


def test_a_worker_that_died_may_have_taken_writes_with_it(bundle) -> None:
    dead = Entry("load", "worker-lost", 1, 1, attributes={"worker": "worker-1"})
    measure = taken(bundle(read_back(20, east="found", west="found", north="found"), extra=(dead,)))
    assert measure.high is None
    assert measure.evidence[0] == "the last writes of worker-1, which died, may not be in the ledger"


def test_where_the_acknowledging_region_is_not_known_it_is_no_region(bundle) -> None:
    rows = [("k0", "", "unknown"), *((("k0", region, "found")) for region in REGIONS)]
    assert taken(bundle(rows)).high == 0


WORDS = ("found", "lost", "stale", "unknown")


@settings(max_examples=60)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from("abcdefg"), st.sampled_from((*REGIONS, "")), st.sampled_from(WORDS)), max_size=60
    )
)
def test_each_write_is_what_its_rows_say_one_by_one(tmp_path_factory: pytest.TempPathFactory, rows: list[Row]) -> None:
    root = tmp_path_factory.mktemp("ledger")
    write(root, rows)
    held: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for key, region, word in rows:
        held[key][region].add(word)
    asked = {region for key in held for region in held[key] if region and held[key][region] - {"unknown"}}
    counts = {"lost": 0, "stale": 0, "unknown": 0}
    for regions in held.values():
        words = set().union(*(regions[region] for region in asked)) if asked else set()
        found_everywhere = asked.issuperset(REGIONS) and all(regions[region] - {"unknown"} for region in asked)
        if "lost" in words:
            counts["lost"] += 1
        elif "stale" in words:
            counts["stale"] += 1
        elif not found_everywhere:
            counts["unknown"] += 1
    assert read_ledger(_Tables(root), REGIONS) == Ledger(len(held), **counts, regions=len(asked), rows=len(rows))  # type: ignore[arg-type]


class _Tables:
    """The tables of a bundle without a manifest."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def ledger(self):
        from bundle.table import iter_table

        return iter_table(self.root, "ledger")
