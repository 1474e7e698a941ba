"""Data loss: which acknowledged writes reading the ledger back didn't find. What nobody read back is not safe."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from scorer.facts import Facts
from scorer.verdict import Measure

if TYPE_CHECKING:
    from bundle.reader import Bundle

_RANKS = {"unknown": 0, "found": 1, "stale": 2, "lost": 3}
"""Of several rows of one write and region the one of the highest rank counts; an unheard-of word is unknown."""


@dataclass(frozen=True)
class Ledger:
    """What became of the acknowledged writes: `lost` in some region; else `stale` in some; else `unknown` in some;
    the others were found in every region. `regions` is in how many they were read back, `rows` how many rows say so."""

    writes: int
    lost: int
    stale: int
    unknown: int
    regions: int
    rows: int


def writes_lost(facts: Facts, bundle: Bundle) -> Measure:
    """Acknowledged writes that were lost. Raises LookupError where no ledger was kept, and BundleError.

    Lost for sure is what a region, asked, didn't have. Stale and unknown ones may be lost as well, and count in the
    upper bound; there is none where rows of the ledger itself may be missing.
    """
    contexts = facts.manifest.contexts
    ledger = read_ledger(bundle, contexts)
    if not ledger.writes:
        raise LookupError("the bundle holds no acknowledged write: the load profile keeps no ledger")
    torn = _torn(facts, bundle, ledger.rows)
    open_writes = ledger.stale + ledger.unknown
    counts = (
        f"of {ledger.writes} acknowledged writes {ledger.lost} were lost, {ledger.stale} stale and {ledger.unknown} "
        f"not known of, read back in {ledger.regions} of {len(contexts)} regions"
    )
    if not ledger.regions:
        says: tuple[str, ...] = (f"none of {ledger.writes} acknowledged writes was read back",)
    elif ledger.unknown or ledger.stale:
        says = (f"{open_writes} writes may be lost: reading each back in every region settles it", counts)
    else:
        says = (counts,)
    return Measure(
        name="writes-lost",
        value=ledger.lost if ledger.regions else None,
        low=ledger.lost,
        high=None if torn else ledger.lost + open_writes,
        unit="writes",
        n=ledger.writes,
        method="count; writes that are stale somewhere, or not known of everywhere, are lost in the upper bound",
        evidence=(*torn, *says),
    )


def read_ledger(bundle: Bundle, regions: Collection[str]) -> Ledger:
    """What became of each write, known where each of these regions was asked for it. Raises BundleError."""
    keys, places, ranks, names = _columns(bundle)
    writes = int(keys.max()) + 1 if len(keys) else 0
    # The row of the acknowledgement says `unknown` of the region that gave it; "" is no region that could be asked.
    asked = [code for code, name in enumerate(names) if name and np.any(ranks[places == code] > 0)]
    worst = np.zeros(writes, dtype=np.int64)
    known = np.full(writes, bool(asked) and {names[code] for code in asked}.issuperset(regions))
    for code in asked:
        of = places == code
        found = np.zeros(writes, dtype=np.int64)
        np.maximum.at(found, keys[of], ranks[of])
        worst = np.maximum(worst, found)
        known &= found > 0
    lost, stale = int(np.count_nonzero(worst == 3)), int(np.count_nonzero(worst == 2))
    unknown = int(np.count_nonzero((worst < 2) & ~known))
    return Ledger(writes, lost, stale, unknown, len(asked), len(keys))


_Ints = npt.NDArray[np.int64]


def _columns(bundle: Bundle) -> tuple[_Ints, _Ints, _Ints, tuple[str, ...]]:
    """A number for the key of each row, one for its region, the rank of its word, and the regions' names."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from bundle.table import LEDGER

    table = pa.Table.from_batches(list(bundle.ledger()), LEDGER).unify_dictionaries().combine_chunks()
    if not table.num_rows:
        none = np.empty(0, dtype=np.int64)
        return none, none, none, ()
    keys = pc.dictionary_encode(table.column("key").combine_chunks()).indices
    region, found = table.column("region").combine_chunks(), table.column("read_back").combine_chunks()
    ranks = np.array([_RANKS.get(word, 0) for word in found.dictionary.to_pylist()], dtype=np.int64)
    return (
        np.asarray(keys, dtype=np.int64),
        np.asarray(region.indices, dtype=np.int64),
        ranks[np.asarray(found.indices)],
        tuple(region.dictionary.to_pylist()),
    )


def _torn(facts: Facts, bundle: Bundle, held: int) -> tuple[str, ...]:
    """Why rows of the ledger may be missing, if they may."""
    if facts.lost_workers:
        return (f"the last writes of {', '.join(sorted(facts.lost_workers))}, which died, may not be in the ledger",)
    if facts.manifest.outcome != "completed" or not (bundle.root / "ledger.parquet").exists():
        return ("the ledger was not closed: its last writes may be missing",)
    closed_with = facts.manifest.ledger_rows
    if closed_with is None or held < closed_with:
        of = "nobody knows how many" if closed_with is None else str(closed_with)
        return (f"the ledger has {held} rows, and {of} when it was closed: writes may be missing",)
    return ()
