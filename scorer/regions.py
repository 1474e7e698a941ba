"""Regions by the names that the service gives them: of each context, and of whoever answered each request of a bundle,
which is one more column, read only where it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scorer.facts import Facts
from scorer.requests import Flags, Ints, Requests, clock_offsets_ns, columns, joined
from scorer.span import Span

if TYPE_CHECKING:
    from bundle.reader import Bundle


@dataclass(frozen=True, eq=False)
class Answers:
    """Requests, and the number in `names` of the region that answered each. The name "" says that nobody knows."""

    requests: Requests
    codes: Ints
    names: tuple[str, ...]

    def of(self, name: str) -> Requests:
        """The requests that a region answered."""
        return self.requests.where(self.rows(name))

    def rows(self, name: str) -> Flags:
        """Which requests a region answered."""
        code = self.names.index(name) if name in self.names else -1
        rows: Flags = self.codes == code
        return rows

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions that answered at all, by name."""
        return tuple(sorted(self.names[code] for code in np.unique(self.codes) if self.names[code]))


def region_names(facts: Facts) -> dict[str, str]:
    """What each context of the drill is called as a region, by its replicas; its own name where none of them said."""
    names: dict[str, str] = {}
    for entry in facts.timeline:
        if entry.kind in ("region", "leader"):  # a leader's entry says so, too, in bundles that have no other
            said = entry.name if entry.kind == "region" else entry.attributes.get("region")
            names.setdefault(entry.context, str(said or entry.context))
    return {context: names.get(context, context) for context in facts.manifest.contexts}


def read_answers(bundle: Bundle, span: Span) -> Answers:
    """The arrivals that were due before the end of a span and not yet done at its start. Raises BundleError."""
    offsets, names = clock_offsets_ns(bundle.manifest), {"": 0}
    parts: list[Requests] = []
    codes: list[Ints] = [np.empty(0, dtype=np.int64)]
    for batch in bundle.requests():
        requests, sane = columns(batch, offsets)
        rows = sane & (requests.done_ns >= span.start_ns) & (requests.scheduled_ns < span.end_ns)
        column = batch.column("region")
        numbers = [names.setdefault(name, len(names)) for name in column.dictionary.to_pylist()] or [0]
        parts.append(requests.where(rows))
        codes.append(np.array(numbers, dtype=np.int64)[column.indices.to_numpy()][rows])
    return Answers(joined(parts), np.concatenate(codes), tuple(names))
