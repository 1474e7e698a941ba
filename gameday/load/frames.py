"""What a harness and a load that runs elsewhere say to each other over their one connection, and how it is framed.

4 bytes   length of the message, big-endian
4 bytes   length of the body
message   JSON of one of the kinds below
body      a piece of a worker's Arrow stream; only with `rows`

load      challenge
harness   hello, run, then ping five times a second; begin once the clocks were compared; at last stop
load      refused, or: started, then rows, pong, clock, lost, at last ended
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from gameday.load.arrivals import Spacing

VERSION = 2
MAX_MESSAGE = 1 << 16
MAX_BODY = 1 << 20
"""Bytes. Nothing larger is read, so that memory is bounded whoever is at the other end."""

_HEAD = struct.Struct("!II")

End = Literal["harness", "load"]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Challenge(_Message):
    """The first word of the load: prove that you know the token, without saying it."""

    kind: Literal["challenge"] = "challenge"
    version: int = VERSION
    nonce: str


class Hello(_Message):
    """The harness's answer, and the same question to the load: rows are taken from nobody else."""

    kind: Literal["hello"] = "hello"
    proof: str
    nonce: str


class Welcome(_Message):
    """The load's answer: both know the token."""

    kind: Literal["welcome"] = "welcome"
    proof: str


class Run(_Message):
    """What is to be run. The profile lies there already, and must be the one that the harness means."""

    kind: Literal["run"] = "run"
    profile_sha256: str
    host: str
    rate_per_s: float | None = None
    duration_s: float | None = None
    spacing: Spacing | None = None
    users: int | None = Field(default=None, ge=1)
    lead_s: float | None = None
    seed: int = 0
    time_limit_s: float = Field(gt=0)
    stop_grace_s: int = Field(ge=0)


class Refused(_Message):
    """Why it won't be run."""

    kind: Literal["refused"] = "refused"
    reason: str


class Begin(_Message):
    """Start as soon as the workers are there. The master's clock is so far ahead of the bundle's."""

    kind: Literal["begin"] = "begin"
    ahead_ns: int


class Started(_Message):
    """The schedule begins at `began_ns`, UTC by the bundle's clock, and these workers share it."""

    kind: Literal["started"] = "started"
    workers: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")], ...]
    began_ns: int


class Rows(_Message):
    """The body is the next piece of this worker's stream of this table."""

    kind: Literal["rows"] = "rows"
    worker: str
    table: Literal["requests", "samples", "ledger"]


class Ping(_Message):
    """When the harness sent this, by its clock. It is also a sign of life."""

    kind: Literal["ping"] = "ping"
    t1: int


class Pong(_Message):
    """When a ping came and this left, by the master's clock."""

    kind: Literal["pong"] = "pong"
    t1: int
    t2: int
    t3: int


class ClockReading(_Message):
    """The times that a worker records, minus those of the master's clock, lay in this span all the time."""

    kind: Literal["clock"] = "clock"
    worker: str
    low_ns: int
    high_ns: int


class Lost(_Message):
    """A worker is gone; the others go on."""

    kind: Literal["lost"] = "lost"
    worker: str
    error: str


class Stop(_Message):
    """The harness wants no more arrivals, and the rest of the rows."""

    kind: Literal["stop"] = "stop"


class Ended(_Message):
    """The load has ended and every row was sent. `reason` is empty where the harness asked for it."""

    kind: Literal["ended"] = "ended"
    reason: str = ""


Message = (
    Challenge
    | Hello
    | Welcome
    | Run
    | Begin
    | Refused
    | Started
    | Rows
    | Ping
    | Pong
    | ClockReading
    | Lost
    | Stop
    | Ended
)  # each is told from the others by its `kind`
_MESSAGES: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


class BadFrame(ValueError):
    """Bytes that are no frame of this protocol: somebody else is at the other end, or another version."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A message and its body."""

    message: Message
    body: bytes = b""

    def to_bytes(self) -> bytes:
        """As it goes over the wire. Raises BadFrame where it is too large to be read."""
        text = self.message.model_dump_json().encode()
        _check_lengths(len(text), len(self.body))
        return _HEAD.pack(len(text), len(self.body)) + text + self.body


class FrameReader:
    """Frames from bytes, in whatever pieces these come. Holds one frame at most."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    @property
    def torn(self) -> bool:
        """Whether the bytes so far end in the middle of a frame."""
        return bool(self._bytes)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that these bytes complete. Raises BadFrame at the first that is none."""
        self._bytes += data
        while len(self._bytes) >= _HEAD.size:
            length, body_length = _HEAD.unpack_from(self._bytes)
            _check_lengths(length, body_length)
            body_at, end = _HEAD.size + length, _HEAD.size + length + body_length
            if len(self._bytes) < end:
                return
            text, body = bytes(self._bytes[_HEAD.size : body_at]), bytes(self._bytes[body_at:end])
            del self._bytes[:end]
            try:
                yield Frame(_MESSAGES.validate_json(text), body)
            except ValidationError as error:
                raise BadFrame(f"a message that is not understood ({error.error_count()} errors)") from None


def new_nonce() -> str:
    """A text that nobody can have been asked to sign before."""
    return secrets.token_hex(16)


def proof(token: str, nonce: str, by: End) -> str:
    """What shows that its sender, at this end, knows the token: HMAC-SHA256 in hex. That of one end is none of the
    other's, so that nobody can send it back."""
    return hmac.new(token.encode(), f"{by}:{nonce}".encode(), hashlib.sha256).hexdigest()


def is_proof(claimed: str, token: str, nonce: str, by: End) -> bool:
    """Whether it is; the time that this takes says nothing about the token."""
    return hmac.compare_digest(claimed.encode(), proof(token, nonce, by).encode())


def _check_lengths(message: int, body: int) -> None:
    if message > MAX_MESSAGE or body > MAX_BODY:
        raise BadFrame(f"a frame of {message} + {body} bytes; at most {MAX_MESSAGE} + {MAX_BODY} are sent")
