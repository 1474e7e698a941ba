"""Writing a bundle: the directory, its manifest, its timeline and the closing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bundle.errors import BundleError
from bundle.manifest import Manifest, Source
from bundle.timeline import Entry, TimelineWriter

TABLES = ("requests", "samples", "ledger")


def unwritable(root: Path, error: OSError) -> BundleError:
    """What to raise of a bundle that cannot even be begun."""
    return BundleError(
        f"the bundle cannot be written: {error.strerror or error}", where=str(root), do="name a folder with room"
    )


class BundleWriter:
    """A bundle that is being written by one run.

    Load workers write their own streams under `requests/`, `samples/` and `ledger/`; the Chaos Toolkit control appends
    to the same timeline file. This object owns the manifest.
    """

    def __init__(self, root: Path, manifest: Manifest, failed: Callable[[OSError], None] | None = None) -> None:
        """Create the directory `root` and its first manifest. Raises BundleError where that fails.

        failed: called, from whichever thread it happens in, each time that something cannot be written from then on;
        None lets the OSError through.
        """
        try:
            root.mkdir(parents=True)
        except FileExistsError:
            raise BundleError("a bundle is already there", where=str(root), do="give the run another id") from None
        except OSError as error:
            raise BundleError(f"cannot be made: {error.strerror}", where=str(root), do="name another folder") from None
        self.root = root
        self.manifest = manifest
        self._failed = failed
        try:
            for folder in (*TABLES, "inputs"):
                (root / folder).mkdir()
            self._timeline = TimelineWriter(root / "timeline.jsonl")
            self._save()
        except OSError as error:
            raise unwritable(root, error) from None

    def update(self, **changes: object) -> Manifest:
        """Change fields of the manifest and write it atomically. Returns the new manifest."""
        self.manifest = Manifest.model_validate({**dict(self.manifest), **changes})
        self._try(self._save)
        return self.manifest

    def keep_input(self, path: Path, copy_as: str) -> Source:
        """Copy an input file into `inputs/` and return its record with the SHA-256 of its bytes."""
        data = path.read_bytes()
        copy = self.root / "inputs" / copy_as
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(data)
        return Source(path=str(path), sha256=hashlib.sha256(data).hexdigest(), copy_as=f"inputs/{copy_as}")

    def append(self, entry: Entry) -> None:
        """Append one entry to the timeline."""
        self._try(lambda: self._timeline.append(entry))

    def close(self) -> None:
        """Compact every table to Parquet and close the timeline. The manifest's outcome is the caller's to set."""
        from bundle.table import compact

        rows: dict[str, int] = {}

        def close_table(name: str) -> None:
            rows[name] = compact(self.root, name)

        self._try(self._timeline.close)
        for table in TABLES:
            self._try(partial(close_table, table))
        self._try(lambda: self._count(rows.get("ledger")))

    def _try(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            if self._failed is None:
                raise
            self._failed(error)

    def _count(self, ledger_rows: int | None) -> None:
        with (self.root / "timeline.jsonl").open("rb") as timeline:  # others append to it, too
            entries = sum(1 for line in timeline if line.endswith(b"\n"))
        self.update(timeline_entries=entries, ledger_rows=ledger_rows)

    def _save(self) -> None:
        fresh = self.root / "manifest.json.partial"
        fresh.write_text(self.manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        os.replace(fresh, self.root / "manifest.json")
