from __future__ import annotations

import pytest

from sandbox.client import ApiError, Conflict, Unreachable, persist


class Clock:
    def __init__(self) -> None:
        self.waits: list[float] = []

    def now_ns(self) -> int:
        return 0

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


async def test_a_request_is_repeated_until_the_server_is_back() -> None:
    clock = Clock()

    async def call() -> str:
        if len(clock.waits) < 8:
            raise Unreachable("refused")
        return "done"

    assert await persist(call, clock) == "done"
    assert clock.waits == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


@pytest.mark.parametrize("error", [Conflict(409, "Conflict", "changed"), ApiError(403, "Forbidden", "no")])
async def test_what_another_try_can_not_mend_is_raised(error: ApiError) -> None:
    async def call() -> None:
        raise error

    with pytest.raises(ApiError) as caught:
        await persist(call, Clock())
    assert caught.value is error
