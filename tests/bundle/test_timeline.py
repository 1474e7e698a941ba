"""The timeline: whole lines survive, torn ones cost only themselves."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundle.timeline import Entry, TimelineWriter, read_timeline

texts = st.text(max_size=20)
entries = st.builds(
    Entry,
    kind=st.sampled_from(["pod", "fault"]),
    event=texts,
    earliest_ns=st.integers(0, 2**62),
    latest_ns=st.integers(0, 2**62),
    name=texts,
    uid=texts,
    attributes=st.dictionaries(texts, st.one_of(texts, st.booleans(), st.integers(), st.none(), st.lists(texts))),
)


@given(entries)
def test_an_entry_comes_back_from_its_line_as_it_was(entry: Entry) -> None:
    line = entry.to_json()
    assert "\n" not in line
    assert Entry.from_json(line) == entry


def test_entries_come_back_in_the_order_in_which_they_were_known(tmp_path: Path) -> None:
    writer = TimelineWriter(tmp_path / "timeline.jsonl")
    for latest_ns in (30, 10, 20):
        writer.append(Entry(kind="pod", event="added", earliest_ns=0, latest_ns=latest_ns))
    writer.close()
    found, torn = read_timeline(tmp_path / "timeline.jsonl")
    assert [entry.latest_ns for entry in found] == [10, 20, 30]
    assert torn == 0


def test_a_line_torn_by_a_kill_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "timeline.jsonl"
    writer = TimelineWriter(path)
    for latest_ns in (1, 2):
        writer.append(Entry(kind="pod", event="added", earliest_ns=0, latest_ns=latest_ns))
    writer.close()
    path.write_bytes(path.read_bytes()[:-20])
    found, torn = read_timeline(path)
    assert [entry.latest_ns for entry in found] == [1]
    assert torn == 1


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "1",
        '{"kind": "pod"}',
        "{",
        "[" * 100_000,
        '{"kind":"pod","event":"added","earliest_ns":true,"latest_ns":2}',
        '{"kind":"pod","event":"added","earliest_ns":1,"latest_ns":2,"attributes":null}',
        '{"kind":"pod","event":"added","earliest_ns":1,"latest_ns":2,"uid":["a"]}',
        '{"kind":"pod","event":"added","earliest_ns":1,"latest_ns":4611686018427387905}',
    ],
    ids=range(9),
)
def test_a_line_that_is_no_entry_is_counted_as_torn(tmp_path: Path, line: str) -> None:
    path = tmp_path / "timeline.jsonl"
    path.write_text(line + "\n")
    assert read_timeline(path) == ([], 1)


def test_a_field_of_a_newer_writer_is_passed_over() -> None:
    line = '{"kind":"pod","event":"added","earliest_ns":1,"latest_ns":2,"colour":"blue"}'
    assert Entry.from_json(line) == Entry(kind="pod", event="added", earliest_ns=1, latest_ns=2)


def test_threads_that_append_at_once_never_mix_their_lines(tmp_path: Path) -> None:
    writer = TimelineWriter(tmp_path / "timeline.jsonl")
    other = TimelineWriter(tmp_path / "timeline.jsonl")  # as the Chaos Toolkit control does, from its own process

    def append(own: TimelineWriter, name: str) -> None:
        for number in range(200):
            own.append(Entry(kind="pod", event="added", earliest_ns=0, latest_ns=number, name=name * 300))

    threads = [
        threading.Thread(target=append, args=(own, name)) for own, name in ((writer, "a"), (writer, "b"), (other, "c"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    other.close()
    found, torn = read_timeline(tmp_path / "timeline.jsonl")
    assert (len(found), torn) == (600, 0)


def test_a_closed_timeline_takes_nothing_more(tmp_path: Path) -> None:
    writer = TimelineWriter(tmp_path / "timeline.jsonl")
    writer.close()
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.append(Entry(kind="pod", event="added", earliest_ns=0, latest_ns=0))


def test_a_timeline_that_was_never_written_reads_as_empty(tmp_path: Path) -> None:
    assert read_timeline(tmp_path / "none.jsonl") == ([], 0)
