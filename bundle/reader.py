"""Reading a bundle, whole or torn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bundle.errors import BundleError
from bundle.manifest import SCHEMA_VERSION, Manifest
from bundle.timeline import Entry, read_timeline

if TYPE_CHECKING:
    import pyarrow as pa

    from bundle.table import Piece


class Bundle:
    """A bundle on disk, read-only. Tables are streamed in batches; nothing is loaded before it is asked for."""

    def __init__(self, root: Path, manifest: Manifest) -> None:
        self.root = root
        self.manifest = manifest

    @classmethod
    def open(cls, root: Path) -> Bundle:
        """Open the bundle at `root`. Raises BundleError where there is none, or none that this version can read."""
        path = root / "manifest.json"
        if not root.is_dir():
            raise BundleError("no such bundle", where=str(root), do="give the folder of a run, such as runs/latest")
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise BundleError(
                "not a bundle: it has no manifest.json",
                where=str(root),
                do="give the folder of a run, such as runs/latest",
            ) from None
        except (ValueError, OSError) as error:
            raise BundleError(f"cannot be read: {error}", where=str(path), do="restore the file from a copy") from None
        version = raw.get("schema_version") if isinstance(raw, dict) else None
        if version is not None and (not isinstance(version, int) or version > SCHEMA_VERSION):
            raise BundleError(
                f"bundle schema {version!r} is newer than {SCHEMA_VERSION}, which this gameday reads",
                where=str(path),
                do="score it with a newer gameday",
            )
        try:
            return cls(root, Manifest.model_validate(raw))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise BundleError(f"{field}: {first['msg']}", where=str(path), do="restore the file from a copy") from None

    @property
    def timeline(self) -> list[Entry]:
        """All whole entries, in order of `latest_ns`."""
        return self._timeline[0]

    @property
    def torn_lines(self) -> int:
        """How many lines of the timeline are no whole entry, or are missing of those that there were at its close."""
        entries, torn = self._timeline
        return max(torn, (self.manifest.timeline_entries or 0) - len(entries))

    @cached_property
    def _timeline(self) -> tuple[list[Entry], int]:
        return read_timeline(self.root / "timeline.jsonl")

    def requests(self) -> Iterator[pa.RecordBatch]:
        """The request rows in batches, schema `bundle.table.REQUESTS`; in the order in which they are stored."""
        return self._table("requests")

    def request_pieces(self, columns: Sequence[str]) -> list[Piece]:
        """Some columns of the request rows in pieces that any thread may read; `reading` must stand around that."""
        from bundle.table import pieces

        with self.reading("requests"):
            return pieces(self.root, "requests", columns)

    def samples(self) -> Iterator[pa.RecordBatch]:
        """The sample rows in batches, schema `bundle.table.SAMPLES`."""
        return self._table("samples")

    def ledger(self) -> Iterator[pa.RecordBatch]:
        """The ledger rows in batches, schema `bundle.table.LEDGER`."""
        return self._table("ledger")

    def input(self, copy_as: str) -> bytes:
        """The bytes of an input kept in the bundle. Raises BundleError where it is missing."""
        path = self.root / copy_as
        try:
            return path.read_bytes()
        except OSError:
            raise BundleError("is missing from the bundle", where=str(path), do="name the file yourself") from None

    @property
    def journal(self) -> dict[str, object] | None:
        """The Chaos Toolkit journal as it wrote it; None where it was killed before it wrote one, and empty where what
        there is can't be read."""
        path = self.root / "journal.json"
        if not path.exists():
            return None
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            return {}
        return raw if isinstance(raw, dict) else {}

    def _table(self, name: str) -> Iterator[pa.RecordBatch]:
        from bundle.table import iter_table

        with self.reading(name):
            yield from iter_table(self.root, name)

    @contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """Whatever pyarrow raises of a damaged table as a BundleError."""
        try:
            yield
        except (OSError, ValueError, KeyError, NotImplementedError) as error:  # pyarrow's errors are these
            raise BundleError(
                f"cannot be read: {error}", where=str(self.root / name), do="restore the file from a copy"
            ) from None
