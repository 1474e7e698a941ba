"""Which users run where, when Locust spreads a load over several processes.

Locust hands its users round the workers one by one. An open-loop class keeps a schedule of which every worker sends its
part, so each worker needs it exactly once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from locust.dispatch import UsersDispatcher

TakesPart = Callable[[str], bool]
"""Whether the worker of this id takes part in the load that runs, or is about to."""


class OneOfEach(UsersDispatcher):
    """Each class once on each worker that takes part, all at once.

    A worker that is lost is not made up for: its part stays unsent, and the record shows it. One that comes late gets
    nothing to do, for the parts are dealt.
    """

    def __init__(self, worker_nodes: list[Any], user_classes: list[type], takes_part: TakesPart) -> None:
        super().__init__(worker_nodes=list(worker_nodes), user_classes=user_classes)
        self._takes_part = takes_part
        self._to_do: list[dict[str, dict[str, int]]] = []

    def new_dispatch(
        self,
        target_user_count: int,  # noqa: ARG002  # the number of users is that of classes and workers
        spawn_rate: float,  # noqa: ARG002
        user_classes: list[type] | None = None,  # noqa: ARG002
    ) -> None:
        """Locust begins, or begins again since a worker came or went."""
        names = [user.__name__ for user in self._user_classes]
        self._to_do = [{node.id: dict.fromkeys(names, int(self._takes_part(node.id))) for node in self._worker_nodes}]

    def __next__(self) -> dict[str, dict[str, int]]:
        """The users that each worker should have: of one dispatch there is one answer."""
        if not self._to_do:
            raise StopIteration
        return self._to_do.pop()

    def add_worker(self, worker_node: Any) -> None:
        """A worker has come, or come back."""
        self._worker_nodes = [*(node for node in self._worker_nodes if node.id != worker_node.id), worker_node]

    def remove_worker(self, worker_node: Any) -> None:
        """A worker is gone."""
        self._worker_nodes = [node for node in self._worker_nodes if node.id != worker_node.id]


class WithoutLatecomers(UsersDispatcher):
    """Locust's own, among the workers that take part: one that comes late would send what nobody records."""

    def __init__(self, worker_nodes: list[Any], user_classes: list[type], takes_part: TakesPart) -> None:
        # where none is left the load is over, and what Locust still hands out is of no account
        super().__init__([node for node in worker_nodes if takes_part(node.id)] or worker_nodes, user_classes)
        self._takes_part = takes_part

    def add_worker(self, worker_node: Any) -> None:
        """A worker has come, or come back."""
        if self._takes_part(worker_node.id):
            super().add_worker(worker_node)
