"""The runs that were kept, with their verdicts, and how much each weighs in the pass rate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from bundle.errors import BundleError
from bundle.reader import Bundle
from gameday.dayrecord import FILE, DayRecord
from gameday.errors import BadInput
from scorer.passrate import DrillRun
from scorer.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Shelf:
    """Runs with a verdict, oldest first; and the folders of those without one, which can't be counted."""

    runs: tuple[DrillRun, ...]
    unjudged: tuple[Path, ...]


def read_shelf(given: Iterable[Path], runs: Path) -> Shelf:
    """Read the runs in these folders, or all under `runs` where none is given.

    The severities are those that the game days under `runs` and beside each run gave them; a run that no game day held
    weighs 1. Raises BundleError for what cannot be read, BadInput where a run is there twice or none is there.
    """
    folders = list(dict.fromkeys(folder.resolve() for folder in given))
    chosen = [_shown(folder) for folder in folders] or list(_bundles(runs))
    if not chosen:
        raise BadInput("there is no run", where=str(runs), do="run a drill first, or name the folders of runs")
    weights = _severities({runs.resolve(), *(folder.resolve().parent for folder in chosen)})
    found: dict[str, tuple[Path, DrillRun]] = {}
    unjudged = []
    for folder in chosen:
        manifest = Bundle.open(folder).manifest
        verdict = _verdict(folder)
        if verdict is None:
            unjudged.append(folder)
            continue
        if verdict.run != manifest.id:
            what = f"is the verdict on another run, {verdict.run}"
            raise BundleError(what, where=str(folder / "verdict.json"), do=f"run `gameday score {folder}`")
        if verdict.run in found:
            what = f"is the same run as {found[verdict.run][0]}: it would count twice"
            raise BadInput(what, where=str(folder), do="name one of them, or move the copy away")
        found[verdict.run] = folder, DrillRun(manifest.clock_wall_ns, verdict, weights.get(verdict.run, 1.0))
    return Shelf(tuple(sorted((run for _, run in found.values()), key=lambda run: run.at_ns)), tuple(unjudged))


def _bundles(runs: Path) -> Iterator[Path]:
    for path in sorted(runs.glob("*/manifest.json")):
        if not path.parent.is_symlink():  # `latest` is one of them once more
            yield path.parent


def _shown(folder: Path) -> Path:
    """The folder as a person would type it from here."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _verdict(folder: Path) -> Verdict | None:
    """The verdict that was kept with a run; None where it was never judged, as after an abort."""
    path = folder / "verdict.json"
    try:
        return Verdict.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        what = error.errors()[0]["msg"].removeprefix("Value error, ")
    except OSError as error:
        what = error.strerror or str(error)
    # left out, a failed drill would raise the pass rate
    raise BundleError(f"cannot be read: {what}", where=str(path), do=f"run `gameday score {folder}`")


def _severities(folders: Iterable[Path]) -> dict[str, float]:
    found: dict[str, float] = {}
    for folder in sorted(folders):
        for path in sorted(folder.glob(f"*/{FILE}")):
            if not path.parent.is_symlink():
                record = DayRecord.load(path.parent)
                found |= {drill.run: drill.severity for drill in record.drills if drill.run is not None}
    return found
