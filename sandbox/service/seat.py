"""Seats of the Raft: as many members as there are seats, whichever pods sit on them.

Raft's members are fixed, pods are not. So each region has seats with addresses that all regions know, and a folder
that outlives pods, with a journal for each seat. A starting pod takes a free seat and is the member that sat there
before: with its log, its term and its vote, which Raft's safety rests on. A StatefulSet and its volumes do the same.

The lock is the kernel's, on a file of the seat: it goes with the process that holds it, however that ends.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Seat:
    """A member's place: its region, and the address (host:port) at which the other members find it."""

    region: str
    address: str


def seats_of(text: str) -> tuple[Seat, ...]:
    """Read `us-east-1=127.64.1.11:8097,127.64.1.12:8097 us-west-2=...`. ValueError where it isn't that."""
    seats = []
    for part in text.split():
        region, equals, addresses = part.partition("=")
        if not region or not equals:
            raise ValueError(f"{part!r} is not REGION=ADDRESS,ADDRESS")
        for address in addresses.split(","):
            host, colon, port = address.rpartition(":")
            if not host or not colon or not port.isdigit():
                raise ValueError(f"{address!r} is not HOST:PORT")
            seats.append(Seat(region, address))
    if len({seat.address for seat in seats}) != len(seats):
        raise ValueError("two seats have one address")
    return tuple(seats)


@dataclass(frozen=True)
class TakenSeat:
    """A seat that this process holds until it ends, or releases it. `journal`: where the member's log is kept."""

    seat: Seat
    journal: Path
    lock: int

    def release(self) -> None:
        """Leave it to others."""
        os.close(self.lock)


def take_seat(seats: Sequence[Seat], region: str, folder: Path) -> TakenSeat | None:
    """Take the first free seat of a region; None where all are taken. Raises OSError where the folder can't be used."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for seat in seats:
        if seat.region != region:
            continue
        name = seat.address.replace(":", "_")
        lock = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return TakenSeat(seat, folder / f"{name}.journal", lock)
    return None
