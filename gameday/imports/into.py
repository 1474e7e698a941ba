"""From a generator's record to a bundle: that of a drill that ran without load of its own, or a new one."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from bundle.errors import BundleError
from bundle.manifest import LoadRecord, Manifest, Worker
from bundle.reader import Bundle
from bundle.table import REQUESTS
from bundle.writer import BundleWriter
from gameday.imports.errors import BadRecord
from gameday.imports.formats import FORMATS, Model, lacking
from gameday.imports.pacing import fit
from gameday.imports.rows import Rows
from gameday.imports.source import Source
from gameday.imports.tally import Tally
from gameday.runs import new_root
from scorer.targets import Targets

NOTHING_ELSE = "no drill was run: these requests were imported, and no phase and no fault is known"


@dataclass(frozen=True)
class Load:
    """What the user says of the load that the record doesn't. `model` None: as the record suggests."""

    model: Model | None = None
    rate_per_s: float | None = None
    host: str = ""
    timeout_s: float | None = None
    worker: str = "imported"
    clock_within_s: float | None = None
    """How far the generator's clock may have been from this machine's; None: nobody knows."""


@dataclass(frozen=True)
class Imported:
    """What came of an import: where it lies now, how the load is described, what was counted."""

    root: Path
    record: LoadRecord
    tally: Tally
    within: int | None
    """Requests within the phases of the drill; None where no phase is known."""


Watch = Callable[[Tally, float], None]
"""Called after each batch, with the share of the file that has been read."""


def import_into(source: Source, format_: str, root: Path, load: Load, watch: Watch) -> Imported:
    """Give the drill in the bundle at `root` the requests of a record. Raises BadRecord, BundleError.

    The rows appear by rename and the manifest after them: an import that is killed in between can be done again. A
    verdict that was given without these rows is removed, for it isn't that of the bundle any more.
    """
    bundle = Bundle.open(root)
    _refuse_unfit(bundle)
    drill = _span(bundle.manifest)
    tally = Tally(source.name, format_)
    partial = root / f"requests.parquet.partial-{os.getpid()}"
    try:
        within = _write(_rows(source, format_, tally, load, watch), partial, load.worker, drill)
        if not within and tally.first_ns is not None and tally.last_ns is not None:
            raise BadRecord(
                f"no request lies within the drill: the record spans {spell(tally.first_ns, tally.last_ns)}, "
                f"the phases of {bundle.manifest.id} {spell(*drill)}",
                where=source.name,
                do="give the record of this drill, made on this machine's clock",
            )
        drift = bundle.manifest.clock_drift_ns
        record = _record(format_, load, tally, abs(drift or 0))
        os.replace(partial, root / "requests.parquet")
    except OSError as error:
        raise BundleError(f"cannot be written: {error.strerror}", where=str(root), do="make room there") from None
    finally:
        partial.unlink(missing_ok=True)
    _set_load(root, bundle.manifest, record)
    for stale in ("verdict.json", "report.html"):
        (root / stale).unlink(missing_ok=True)
    return Imported(root, record, tally, within)


def import_new(
    source: Source,
    format_: str,
    runs: Path,
    drill: str,
    targets: Path,
    load: Load,
    watch: Watch,
) -> Imported:
    """Make a new bundle under `runs` that holds a record's requests and nothing else. Raises BadRecord, BundleError,
    TargetsError.

    It is named after the record's first request. While it is made it is a hidden folder; it appears whole, by rename.
    """
    Targets.load(targets).of_drill(drill)
    tally = Tally(source.name, format_)
    hidden = new_root(runs, ".importing", str(os.getpid()))
    writer = BundleWriter(hidden, Manifest(id=hidden.name, drill=drill, clock_wall_ns=0, clock_mono_ns=0))
    try:
        writer.close()
        _write(_rows(source, format_, tally, load, watch), hidden / "requests.parquet", load.worker, None)
        record = _record(format_, load, tally, 0)
        first_ns = tally.first_ns or 0
        root = new_root(runs, datetime.fromtimestamp(first_ns / 1e9, UTC).strftime("%Y%m%dT%H%M%SZ"), drill)
        writer.update(
            id=root.name,
            title="Imported requests",
            clock_wall_ns=first_ns,
            load=record,
            targets=writer.keep_input(targets, "targets.yaml"),
            outcome="failed",
            reason=NOTHING_ELSE,
        )
        os.replace(hidden, root)
    except OSError as error:
        raise BundleError(f"cannot be written: {error.strerror}", where=str(runs), do="make room there") from None
    finally:
        shutil.rmtree(hidden, ignore_errors=True)  # it is not there any more where all went well
    return Imported(root, record, tally, None)


def _refuse_unfit(bundle: Bundle) -> None:
    """Raises BundleError where a bundle is not one of a finished drill that waits for its requests."""
    manifest, where = bundle.manifest, str(bundle.root)
    if manifest.outcome == "running" or not (bundle.root / "requests.parquet").exists():
        raise BundleError(
            "the run goes on, or was killed",
            where=where,
            do="wait for its end; a run that was killed cannot be completed",
        )
    if manifest.load is not None and manifest.load.generator not in FORMATS:
        raise BundleError(
            "the run has requests of its own", where=where, do="import into one that was run with `--load none`"
        )
    if not manifest.phases:
        raise BundleError("the run has no phases", where=where, do="import into one that was run with `--load none`")


def _span(manifest: Manifest) -> tuple[int, int]:
    starts = [phase.start_ns for phase in manifest.phases]
    return min(starts), max([*starts, *(phase.end_ns for phase in manifest.phases if phase.end_ns is not None)])


def _rows(source: Source, format_: str, tally: Tally, load: Load, watch: Watch) -> Iterator[Rows]:
    """The sane rows of a record, due when that can be told. Raises BadRecord, also where too little could be read.

    With a rate, the file is read twice: when each request was due follows from all of them.
    """
    pace = None
    if load.rate_per_s is not None:
        pace = fit(_sane(source, format_, Tally(source.name, format_), watch), load.rate_per_s)
        source.stream.seek(0)
    tally.paced = pace is not None
    for rows in _sane(source, format_, tally, watch):
        if pace is None or rows.number is None:
            yield rows
        else:
            yield replace(rows, due_ns=pace.due_ns(rows.number))
    tally.check()


def _sane(source: Source, format_: str, tally: Tally, watch: Watch) -> Iterator[Rows]:
    for rows in FORMATS[format_].read(source, tally):
        if len(kept := tally.sane(rows)):
            yield kept
        watch(tally, source.share())


def _write(rows: Iterator[Rows], path: Path, worker: str, drill: tuple[int, int] | None) -> int:
    """Write rows to a Parquet file; returns how many lie within a drill's span."""
    within = 0
    with pq.ParquetWriter(path, REQUESTS, compression="zstd") as writer:
        for some in rows:
            writer.write_batch(some.batch(worker))
            if drill is not None:
                within += int(((some.start_ns >= drill[0]) & (some.start_ns < drill[1])).sum())
    return within


def _record(format_: str, load: Load, tally: Tally, drift_ns: int) -> LoadRecord:
    """What the manifest says of the load. Its clock is the wall clock, which the bundle's left by its drift by the end.

    An arrival that was dropped shows that there was a schedule, whatever the generator is by default.
    """
    kind = FORMATS[format_]
    within_ns = round((load.clock_within_s or 0.0) * 1e9)
    model = load.model or ("open" if load.rate_per_s is not None or tally.unsent else kind.model)
    return LoadRecord(
        model=model,
        rate_per_s=load.rate_per_s,
        spacing="uniform" if load.rate_per_s is not None else "",
        host=load.host,
        timeout_s=load.timeout_s,
        workers=(Worker(name=load.worker, clock_uncertainty_ns=tally.resolution_ns + drift_ns + within_ns),),
        generator=format_,
        lacks=lacking(kind, tally, model, load.rate_per_s, clock_known=load.clock_within_s is not None),
        unreadable=tally.unreadable + tally.absurd,
    )


def _set_load(root: Path, manifest: Manifest, record: LoadRecord) -> None:
    partial = root / "manifest.json.partial"
    partial.write_text(manifest.model_copy(update={"load": record}).model_dump_json(indent=2) + "\n", encoding="utf-8")
    os.replace(partial, root / "manifest.json")


def spell(first_ns: int, last_ns: int) -> str:
    """A span of time in UTC, to the second."""
    return (
        " – ".join(
            datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
            for time_ns in (first_ns, last_ns)
        )
        + " UTC"
    )


class Meter:
    """Tells how far an import is, after two seconds and every two from then on."""

    EVERY_S = 2.0

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._clock = say, clock
        self._last = clock()

    def __call__(self, tally: Tally, share: float) -> None:
        """Tell it if it is time to."""
        if self._clock() - self._last >= self.EVERY_S:
            self._last = self._clock()
            self._say(f"{tally.rows:,} requests read, {100 * share:.0f} % of {tally.where}")
