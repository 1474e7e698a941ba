"""Writing and reading a whole bundle."""

from __future__ import annotations

import errno
import json
import shutil
from math import inf
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bundle.errors import BundleError
from bundle.manifest import SCHEMA_VERSION, Manifest, Phase, PhaseName
from bundle.reader import Bundle
from bundle.timeline import Entry
from bundle.writer import BundleWriter

SAMPLE = {"t_ns": pa.array([1]), "series": pa.array(["s"]), "source": pa.array(["w"]), "value": pa.array([0.5])}


def manifest(**changes: object) -> Manifest:
    """A small valid manifest."""
    fields: dict[str, object] = {"id": "r1", "drill": "pod-kill", "clock_wall_ns": 1, "clock_mono_ns": 2}
    return Manifest.model_validate({**fields, **changes})


def test_a_bundle_is_readable_from_its_first_moment(tmp_path: Path) -> None:
    BundleWriter(tmp_path / "r1", manifest())
    opened = Bundle.open(tmp_path / "r1")
    assert opened.manifest.outcome == "running"
    assert opened.timeline == []
    assert list(opened.requests()) == []
    assert opened.journal is None


def test_a_closed_bundle_holds_what_was_written(tmp_path: Path) -> None:
    writer = BundleWriter(tmp_path / "r1", manifest())
    entry = Entry(kind="fault", event="begin", earliest_ns=1, latest_ns=2)
    writer.append(entry)
    writer.update(outcome="completed", phases=(Phase(name=PhaseName.WARM_UP, start_ns=1, end_ns=2),))
    writer.close()
    opened = Bundle.open(tmp_path / "r1")
    assert opened.timeline == [entry]
    assert opened.manifest.outcome == "completed"
    phase = opened.manifest.phase(PhaseName.WARM_UP)
    assert phase is not None
    assert phase.end_ns == 2
    assert opened.manifest.phase(PhaseName.FAULT) is None


def test_an_input_is_kept_with_its_digest(tmp_path: Path) -> None:
    source = tmp_path / "targets.yaml"
    source.write_bytes(b"abc")
    writer = BundleWriter(tmp_path / "r1", manifest())
    kept = writer.keep_input(source, "targets.yaml")
    assert kept.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert Bundle.open(tmp_path / "r1").input(kept.copy_as) == b"abc"


def test_a_bundle_is_never_written_over(tmp_path: Path) -> None:
    BundleWriter(tmp_path / "r1", manifest())
    with pytest.raises(BundleError, match="already there"):
        BundleWriter(tmp_path / "r1", manifest())


def test_an_update_that_makes_no_sense_is_refused_and_the_file_stays(tmp_path: Path) -> None:
    writer = BundleWriter(tmp_path / "r1", manifest())
    with pytest.raises(ValueError, match="outcome"):
        writer.update(outcome="splendid")
    assert Bundle.open(tmp_path / "r1").manifest.outcome == "running"


def write(root: Path, text: str) -> Path:
    """A folder with this manifest.json."""
    root.mkdir()
    (root / "manifest.json").write_text(text)
    return root


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "cannot be read"),
        ("[]", "valid dictionary"),
        ("{}", "id: Field required"),
        *((json.dumps({"schema_version": version}), "newer than") for version in (SCHEMA_VERSION + 1, "2", 1.5)),
        *(
            (json.dumps({**manifest().model_dump(), "load": {"model": "open", "workers": [worker]}}), says)
            for worker, says in (
                ({"name": "w", "clock_uncertainty_ns": -1}, "clock_uncertainty_ns: Input should be greater"),
                ({"name": "w", "clock_offset_ns": 10**20}, "clock_offset_ns: Input should be less"),
            )
        ),
        (
            json.dumps({**manifest().model_dump(), "phases": [{"name": "fault", "start_ns": 2**63}]}),
            "phases.0.start_ns: Input should be less",
        ),
        (json.dumps({**manifest().model_dump(), "clock_wall_ns": 10**40}), "clock_wall_ns: Input should be less"),
        (json.dumps({**manifest().model_dump(), "load": {"model": "open", "timeout_s": inf}}), "load.timeout_s"),
        (json.dumps({**manifest().model_dump(), "colour": "blue"}), "colour: Extra inputs"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_one_line_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    root = write(tmp_path / "r1", text)
    with pytest.raises(BundleError, match=says) as caught:
        Bundle.open(root)
    assert str(root) in caught.value.line()
    assert "\n" not in caught.value.line()


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such bundle"):
        Bundle.open(tmp_path / "none")
    with pytest.raises(BundleError, match="no manifest"):
        Bundle.open(tmp_path)


def test_a_damaged_table_is_one_line_with_its_place(tmp_path: Path) -> None:
    BundleWriter(tmp_path / "r1", manifest()).close()
    (tmp_path / "r1" / "requests.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(BundleError, match=r"requests.*cannot be read"):
        list(Bundle.open(tmp_path / "r1").requests())


@pytest.mark.parametrize(
    "columns", [{"t_ns": pa.array([1])}, {**SAMPLE, "t_ns": pa.array([[1]])}], ids=["missing", "of another type"]
)
def test_a_table_with_other_columns_is_refused_whether_it_is_closed_or_not(
    tmp_path: Path, columns: dict[str, pa.Array]
) -> None:
    BundleWriter(tmp_path / "r1", manifest())
    table = pa.table(columns)
    with (
        pa.OSFile(str(tmp_path / "r1" / "samples" / "w.arrows"), "wb") as file,
        pa.ipc.new_stream(file, table.schema) as stream,
    ):
        stream.write_table(table)
    with pytest.raises(BundleError, match=r"samples.*cannot be read"):
        list(Bundle.open(tmp_path / "r1").samples())
    pq.write_table(table, tmp_path / "r1" / "samples.parquet")
    with pytest.raises(BundleError, match=r"samples.*cannot be read"):
        list(Bundle.open(tmp_path / "r1").samples())


def test_a_bundle_says_how_many_lines_of_its_timeline_are_torn(tmp_path: Path) -> None:
    writer = BundleWriter(tmp_path / "r1", manifest())
    writer.append(Entry(kind="fault", event="begin", earliest_ns=1, latest_ns=2))
    assert Bundle.open(tmp_path / "r1").torn_lines == 0
    path = tmp_path / "r1" / "timeline.jsonl"
    path.write_bytes(path.read_bytes() + b'{"kind":')
    torn = Bundle.open(tmp_path / "r1")
    assert (len(torn.timeline), torn.torn_lines) == (1, 1)


def test_an_error_line_reads_what_where_and_what_to_do() -> None:
    error = BundleError("is\nbroken", where="runs/x", do="mend it")
    assert error.line() == "runs/x: is broken; mend it"
    assert error.exit_code == 2


def test_what_cannot_be_written_is_told_to_whoever_asked_for_it(tmp_path: Path) -> None:
    """A full disk looks like this, too: the drill then ends, and undoes its fault first."""
    told: list[OSError] = []
    writer = BundleWriter(tmp_path / "r1", manifest(), told.append)
    shutil.rmtree(tmp_path / "r1")
    writer.update(outcome="completed")
    assert [error.strerror for error in told] == ["No such file or directory"]
    quiet = BundleWriter(tmp_path / "r2", manifest())
    shutil.rmtree(tmp_path / "r2")
    with pytest.raises(OSError, match="No such file"):
        quiet.update(outcome="completed")


def test_a_bundle_that_cannot_even_be_begun_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: BundleWriter) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(BundleWriter, "_save", full)
    with pytest.raises(BundleError, match="the bundle cannot be written: No space left on device; name a folder"):
        BundleWriter(tmp_path / "run", manifest())


def test_a_timeline_that_was_cut_between_two_lines_is_seen_to_be(tmp_path: Path) -> None:
    writer = BundleWriter(tmp_path / "r", manifest())
    for at_ns in range(3):
        writer.append(Entry("load", "stopped", at_ns, at_ns))
    writer.close()
    assert Bundle.open(tmp_path / "r").torn_lines == 0
    timeline = tmp_path / "r" / "timeline.jsonl"
    timeline.write_bytes(b"".join(timeline.read_bytes().splitlines(keepends=True)[:1]))
    assert Bundle.open(tmp_path / "r").torn_lines == 2


def test_a_journal_that_cannot_be_read_is_not_taken_for_none(tmp_path: Path) -> None:
    BundleWriter(tmp_path / "r", manifest()).close()
    assert Bundle.open(tmp_path / "r").journal is None
    for text in ('{"status": "comple', "[]"):
        (tmp_path / "r" / "journal.json").write_text(text)
        assert Bundle.open(tmp_path / "r").journal == {}


def test_a_closed_bundle_says_how_many_rows_its_ledger_has(tmp_path: Path) -> None:
    writer = BundleWriter(tmp_path / "r", manifest())
    writer.close()
    assert writer.manifest.ledger_rows == 0
