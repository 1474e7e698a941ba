"""The plan of a game day, `runbook/*.yaml`: which drills, in which order, with file and line in every complaint.

A drill's own plan is `gameday/plan.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gameday.errors import BadInput
from scorer.yamlsource import YamlSource

RUNBOOK = Path("runbook")

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Text = Annotated[str, Field(min_length=1)]
Number = Annotated[float, Field(allow_inf_nan=False, strict=True, le=1e9)]
Share = Annotated[Number, Field(gt=0, lt=100)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Item(_Strict):
    """One drill of the day. What is None or empty is the game day's own, or else what `gameday run` takes by default.

    name: what it is called here. drill: which drill of the targets it is judged as; None: the experiment's file name.
    severity: a run counts so many times as much as one of severity 1. repeats: how often it runs, one after another.
    Rates are arrivals a second; the other names are those of the options of `gameday run`.
    """

    name: Name
    experiment: Text
    profile: Text
    drill: Name | None = None
    targets: Text | None = None
    contexts: tuple[Text, ...] = ()
    namespace: Text | None = None
    host: Text | None = None
    severity: Annotated[Number, Field(gt=0, le=1000)] = 1.0
    repeats: Annotated[int, Field(strict=True, ge=1, le=1000)] = 1
    rate_per_s: Annotated[Number, Field(ge=0, le=100_000)] | None = None
    duration_s: Annotated[Number, Field(gt=0, le=7 * 86_400)] | None = None
    spacing: Literal["uniform", "poisson"] | None = None
    users: Annotated[int, Field(strict=True, ge=1, le=100_000)] | None = None
    workers: Annotated[int, Field(strict=True, ge=1, le=64)] = 1
    seed: Annotated[int, Field(strict=True)] = 0
    warm_up_s: Annotated[Number, Field(ge=0)] = 5.0
    baseline_s: Annotated[Number, Field(ge=1)] = 15.0
    recovery_max_s: Annotated[Number, Field(ge=1)] = 180.0
    cool_down_s: Annotated[Number, Field(ge=0)] = 5.0

    @property
    def judged_as(self) -> str:
        """The drill of the targets that it is."""
        return self.drill or Path(self.experiment).stem


class PassRatePromise(_Strict):
    """The chaos pass rate that is promised, in per cent, and how old a drill's newest valid run may be."""

    target: Share
    threshold: Share | None = None
    stale_after_days: Annotated[Number, Field(gt=0)]
    confidence: Annotated[Number, Field(ge=0.5, lt=1)] = 0.95

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.threshold is not None and self.threshold > self.target:
            raise ValueError(f"threshold {self.threshold:g} is stricter than the target {self.target:g}")
        return self


class Agenda(_Strict):
    """The whole file. targets, contexts, namespace and host are for all drills that don't say otherwise."""

    schema_: Literal[1] = Field(alias="schema")
    title: Text
    targets: Text = "runbook/targets.yaml"
    contexts: tuple[Text, ...] = ()
    namespace: Text | None = None
    host: Text | None = None
    pass_rate: PassRatePromise
    drills: Annotated[tuple[Item, ...], Field(min_length=1)]
    _path: Path = Path()
    _sha256: str = ""
    _lines: tuple[int, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Agenda:
        """Read and check the plan at `path`. Raises BadInput, with the line, for anything that is wrong with it."""
        try:
            text = path.read_bytes()
        except OSError as problem:
            what = "no such game day" if isinstance(problem, FileNotFoundError) else problem.strerror or str(problem)
            raise BadInput(what, where=str(path), do=f"give the path of a plan, or {_known()}") from None
        source = YamlSource(text, str(path), BadInput)
        try:
            agenda = cls.model_validate(source.data)
        except ValidationError as problem:
            raise source.explain(problem, "see docs/gameday.md for what a plan holds") from None
        names = [item.name for item in agenda.drills]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise source.refuse(("drills", index, "name"), f"two drills are called {name!r}", "name each once")
        agenda._path, agenda._sha256 = path, hashlib.sha256(text).hexdigest()
        agenda._lines = tuple(source.line(("drills", index)) for index in range(len(names)))
        return agenda

    @property
    def path(self) -> Path:
        """The file that it was read from."""
        return self._path

    @property
    def name(self) -> str:
        """What the game day is called: the file's stem."""
        return self._path.stem

    @property
    def sha256(self) -> str:
        """The digest of the file's bytes."""
        return self._sha256

    def where(self, item: Item) -> str:
        """File and line of a drill, and its name."""
        return f"{self._path}:{self._lines[self.drills.index(item)]}: {item.name}"


def agenda_at(given: Path, *, load: bool) -> Path | None:
    """The plan that `gameday run GIVEN` means: a name of the runbook, or a path. None where it means an experiment.

    load: whether a load profile was given, which a plan is never run with; then only a plan that is there is meant.
    """
    path = agenda_path(given)
    if not path.is_file():
        return None if load else path
    try:
        document = YamlSource.load(path, BadInput).data
    except BadInput:
        return None if load else path
    held = document if isinstance(document, dict) else {}
    return path if isinstance(held.get("drills"), list) or not (load or "method" in held) else None


def agenda_path(given: Path) -> Path:
    """Where the plan `given` lies: a bare name, such as `weekly`, is that of a file in the runbook."""
    bare = given.suffix == "" and len(given.parts) == 1 and not given.is_file()
    return RUNBOOK / f"{given}.yaml" if bare else given


def _known() -> str:
    """The game days of the runbook, for a complaint."""
    names = sorted(_names())
    return f"the name of one: {', '.join(names)}" if names else f"put one into {RUNBOOK}/"


def _names() -> Iterator[str]:
    for path in RUNBOOK.glob("*.yaml"):
        try:
            document = YamlSource.load(path, BadInput).data
        except BadInput:  # it is only listed for a complaint about another
            continue
        if isinstance(document, dict) and isinstance(document.get("drills"), list):
            yield path.stem
