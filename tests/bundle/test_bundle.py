"""Writing and reading a whole bundle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bundle.errors import BundleError
from bundle.manifest import SCHEMA_VERSION, Manifest, Phase, PhaseName
from bundle.reader import Bundle
from bundle.timeline import Entry
from bundle.writer import BundleWriter


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
        (json.dumps({"schema_version": SCHEMA_VERSION + 1}), "newer than"),
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


def test_an_error_line_reads_what_where_and_what_to_do() -> None:
    error = BundleError("is\nbroken", where="runs/x", do="mend it")
    assert error.line() == "runs/x: is broken; mend it"
    assert error.exit_code == 2
