"""A damaged input, what may become of it, and what did."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from bundle.errors import ExplainedError
from bundle.reader import Bundle
from scorer.score import score
from scorer.targets import Targets
from scorer.verdict import Grade, Verdict

_CAUGHT = re.compile(r"could not be (?:measured|checked): (\w+(?:Error|Exception))\b")


class May(StrEnum):
    """What a mutation leaves possible."""

    SAME = "the same verdict to the last byte"
    PASS = "any verdict, or an error"
    NO_PASS = "an error, or a verdict that is no pass"
    ERROR = "an error"


@dataclass(frozen=True)
class Mutant:
    """The files of a bundle to be written instead of the base's, None for one that is removed, and the targets."""

    name: str
    may: May
    files: Mapping[str, bytes | None] = field(default_factory=dict)
    targets: bytes | None = None


@dataclass(frozen=True)
class Base:
    """A bundle that passes: its files by their path in the bundle, its targets and the text of its verdict."""

    files: Mapping[str, bytes]
    targets: bytes
    verdict: str = ""


@dataclass(frozen=True)
class Result:
    """What became of a mutant: `error`, the verdict's grade, or `crash`. `wrong` says what shouldn't have; `caught` are
    the exceptions that a measure or a check came to, of which the scorer made one that shows nothing."""

    name: str
    outcome: str
    wrong: str = ""
    caught: tuple[str, ...] = ()


def judge(base: Base, mutant: Mutant, folder: Path) -> Result:
    """Write the mutant over the base in `folder`, which holds the base before and after, open it and score it."""
    _write(folder, mutant.files)
    try:
        verdict = score(Bundle.open(folder), Targets.parse(mutant.targets or base.targets, "targets.yaml"))
        text = verdict.to_json()
    except ExplainedError as refused:
        wrong = "" if refused.exit_code == 2 else f"exit code {refused.exit_code}"
        if mutant.may is May.SAME:
            wrong = f"refused: {refused}"
        return Result(mutant.name, "error", wrong)
    except Exception as crash:  # whatever it is, it is what this looks for
        return Result(mutant.name, "crash", f"{type(crash).__name__}: {crash}")
    finally:
        _write(folder, {name: base.files.get(name) for name in mutant.files})
    return Result(mutant.name, verdict.verdict, _wrong(base, mutant, verdict, text), tuple(_CAUGHT.findall(text)))


def _wrong(base: Base, mutant: Mutant, verdict: Verdict, text: str) -> str:
    if mutant.may is May.SAME and text != base.verdict:
        return "another verdict"
    if mutant.may is May.NO_PASS and verdict.verdict in (Grade.PASS, Grade.WARN):
        return f"{verdict.verdict}: {verdict.summary}"
    if mutant.may is May.ERROR:
        return f"no error but {verdict.verdict}"
    return ""


def _write(folder: Path, files: Mapping[str, bytes | None]) -> None:
    for name, data in files.items():
        path = folder / name
        if data is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
