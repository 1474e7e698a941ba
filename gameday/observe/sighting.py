"""What polling one replica shows of its leading: a pure function of its answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bundle.timeline import Attribute, Entry
from gameday.observe.roles import Role


@dataclass(frozen=True, slots=True)
class Replica:
    """A pod that is asked for its role, and at which address."""

    context: str
    namespace: str
    name: str
    uid: str
    address: str


class Sighting:
    """Turns the answers of one replica into timeline entries, one a change.

    since_ns: when the replica was first known of, if that was after polling began; None where it was there before.
    """

    def __init__(self, replica: Replica, record: Callable[[Entry], None], since_ns: int | None) -> None:
        self._replica, self._record = replica, record
        self._otherwise_ns = since_ns
        """When the last question was asked that was answered as things stand now; None: there was none."""
        self._led: Role | None = None
        self._silent = False
        """Whether nothing has come back of it since it was last seen to lead."""

    def answered(self, asked_ns: int, answered_ns: int, role: Role | None) -> None:
        """Take an answer; `role` None where the replica refused to give one, and so can't be seen to lead."""
        now = role if role is not None and role.leads else None
        before = self._led
        if (now and now.term) != (before and before.term) or (now is None) != (before is None) or self._silent:
            earliest_ns = asked_ns if self._otherwise_ns is None else self._otherwise_ns
            if now is not None:
                self._note("present" if self._otherwise_ns is None else "seen", earliest_ns, answered_ns, now)
            elif before is not None:
                self._note("lost", earliest_ns, answered_ns, before)
            self._led, self._silent = now, False
        self._otherwise_ns = asked_ns

    def silent(self, asked_ns: int, until_ns: int) -> None:
        """Nothing came back in time. So it is seen neither to lead nor not to: it may do either, out of our reach."""
        if self._otherwise_ns is None:
            self._otherwise_ns = asked_ns
        if self._led is not None and not self._silent:
            self._silent = True
            self._note("silent", self._otherwise_ns, until_ns, self._led)

    def gone(self, at_ns: int) -> None:
        """The replica is no more."""
        if self._led is not None:
            self._note("lost", at_ns if self._otherwise_ns is None else self._otherwise_ns, at_ns, self._led)
            self._led, self._silent = None, False

    def _note(self, event: str, earliest_ns: int, latest_ns: int, role: Role) -> None:
        replica = self._replica
        attributes: dict[str, Attribute] = {"region": role.region or replica.context}
        if role.term is not None:
            attributes["term"] = role.term
        self._record(
            Entry(
                kind="leader",
                event=event,
                earliest_ns=earliest_ns,
                latest_ns=latest_ns,
                context=replica.context,
                namespace=replica.namespace,
                name=replica.name,
                uid=replica.uid,
                source="poll",
                attributes=attributes,
            )
        )
