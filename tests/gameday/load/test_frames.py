from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.load.frames import (
    MAX_BODY,
    MAX_MESSAGE,
    BadFrame,
    ClockReading,
    Ended,
    Frame,
    FrameReader,
    Message,
    Pong,
    Refused,
    Rows,
    Run,
    Started,
    is_proof,
    proof,
)

MESSAGES: list[Message] = [
    Run(profile_sha256="0" * 64, host="http://127.0.0.1:1", rate_per_s=12.5, time_limit_s=60, stop_grace_s=3),
    Started(workers=("load-0", "load-1"), began_ns=2**60),
    Pong(t1=-(2**62), t2=0, t3=2**62),
    ClockReading(worker="load-0", low_ns=-7, high_ns=9),
    Refused(reason="nein\n→ \x00"),
    Ended(),
]
frames = st.one_of(
    st.sampled_from(MESSAGES).map(Frame),
    st.builds(Frame, st.just(Rows(worker="load-1", table="requests")), st.binary(max_size=300)),
)


@given(st.lists(frames, max_size=6), st.integers(1, 50))
def test_frames_come_out_as_they_went_in_whatever_the_pieces(sent: list[Frame], size: int) -> None:
    reader, wire = FrameReader(), b"".join(frame.to_bytes() for frame in sent)
    came = [frame for at in range(0, len(wire), size) for frame in reader.feed(wire[at : at + size])]
    assert came == sent
    assert not reader.torn


def test_a_frame_that_breaks_off_is_seen_to_be_torn() -> None:
    reader = FrameReader()
    assert list(reader.feed(Frame(Ended()).to_bytes()[:-1])) == []
    assert reader.torn


@pytest.mark.parametrize("lengths", [(MAX_MESSAGE + 1, 0), (10, MAX_BODY + 1), (2**32 - 1, 2**32 - 1)])
def test_a_frame_that_would_not_fit_into_memory_is_refused_by_its_head(lengths: tuple[int, int]) -> None:
    with pytest.raises(BadFrame, match="at most"):
        list(FrameReader().feed(struct.pack("!II", *lengths)))


def test_a_frame_that_the_other_end_would_refuse_is_not_made() -> None:
    with pytest.raises(BadFrame, match="at most"):
        Frame(Rows(worker="w", table="requests"), bytes(MAX_BODY + 1)).to_bytes()


@pytest.mark.parametrize(
    "text",
    [
        b"GET / HTTP/1.1",
        b"{}",
        b'{"kind": "unheard-of"}',
        b'{"kind": "ping"}',
        b'{"kind": "ping", "t1": 1, "more": 2}',
        b'{"kind": "rows", "worker": "w", "table": "../../etc"}',
        b'{"kind": "started", "workers": ["../escape"], "began_ns": 0}',
        b'{"kind": "run", "profile_sha256": "", "host": "", "time_limit_s": -1, "stop_grace_s": 0}',
    ],
)
def test_a_message_that_is_none_is_refused(text: bytes) -> None:
    with pytest.raises(BadFrame, match="not understood"):
        list(FrameReader().feed(struct.pack("!II", len(text), 0) + text))


def test_only_who_knows_the_token_can_answer_and_each_time_anew() -> None:
    assert is_proof(proof("secret", "n1", "load"), "secret", "n1", "load")
    assert not is_proof(proof("guess", "n1", "load"), "secret", "n1", "load")
    assert not is_proof(proof("secret", "n1", "load"), "secret", "n2", "load")
    assert not is_proof(proof("secret", "n1", "harness"), "secret", "n1", "load")
    assert not is_proof("ü", "secret", "n1", "load")
    assert "secret" not in proof("secret", "n1", "load")
