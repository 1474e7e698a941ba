"""A Chaos Toolkit experiment as the harness needs it: checked before anything starts, and its effects read off."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bundle.manifest import Effect
from gameday.chaosmesh import Arguments, ChaosResource, kind_made, resource_of
from gameday.effects import effects_of
from gameday.errors import BadInput
from gameday.observe.roles import DelayPlan, LedgerPlan, RolePlan
from gameday.serviceside import ServicePlan
from scorer.yamlsource import Location, YamlSource

Told = TypeVar("Told", bound=BaseModel)

EXTENSION = "gameday"
"""The name of the extension in which an experiment tells the harness what Chaos Toolkit has no word for."""
SEE = {
    "leaders": "see docs/drills/region-failover.md",
    "ledger": "see docs/drills/region-failover.md",
    "delays": "see docs/drills/network-delay.md",
    "service": "see docs/prometheus.md",
}


@dataclass(frozen=True)
class Experiment:
    """A valid experiment. `name` is the file's stem, which is also the drill's name unless another is given."""

    path: Path
    name: str
    title: str
    effects: tuple[Effect, ...]
    rollbacks: tuple[str, ...] = ()
    """Names of the rollbacks that are declared."""
    leaders: RolePlan | None = None
    """Whose role is to be polled; None: nobody's."""
    ledger: LedgerPlan | None = None
    """Where acknowledged writes are to be read back; None: nowhere."""
    delays: DelayPlan | None = None
    """Whose delay is to be measured; None: nobody's."""
    chaos: tuple[ChaosResource, ...] = ()
    """What its actions make of Chaos Mesh's resources, and must not outlive the drill."""
    service: ServicePlan = field(default_factory=ServicePlan)
    """Which counters of a Prometheus are the service's."""


def load_experiment(path: Path, context: str) -> Experiment:
    """Read and check the experiment at `path`, with the environment as the run will have it.

    context: where its actions take place that name no context of their own.
    Raises BadInput with file and line for whatever Chaos Toolkit would refuse later, and for what it would not: a
    method that isn't a list, or activities without names.
    """
    source = YamlSource.load(path, BadInput)
    document = source.data
    if not isinstance(document, dict):
        raise BadInput("is not a Chaos Toolkit experiment", where=f"{path}:1", do="see docs/drills for an example")
    for section in ("method", "rollbacks"):
        _check_activities(source, (section,), document.get(section, []))
    hypothesis = document.get("steady-state-hypothesis") or {}
    if not isinstance(hypothesis, dict) or not isinstance(hypothesis.get("probes", []), list):
        raise source.refuse(("steady-state-hypothesis",), "needs a title and a list of probes")
    _check_activities(source, ("steady-state-hypothesis", "probes"), hypothesis.get("probes", []))
    _check_by_chaostoolkit(source, document)
    resolve = _resolver(source, document)
    effects: list[Effect] = []
    chaos: list[ChaosResource] = []
    for index, activity in enumerate(document["method"]):
        try:
            effects += effects_of([activity], context, resolve)
            if kind_made(activity):
                arguments, own_context = resolve(activity)
                chaos.append(resource_of(activity, own_context or context, arguments))
        except (ValueError, TypeError, KeyError, AttributeError) as error:  # pydantic's errors are ValueErrors
            what = f"its arguments cannot be used: {str(error).splitlines()[0]}"
            raise source.refuse(("method", index), what, "see what its function takes") from None
    delays = _told(source, document, resolve, "delays", DelayPlan)
    if delays is None and any(effect.kind == "delay" for effect in effects):
        what = "nobody would measure the delay, so that it could not be proven"
        raise source.refuse(("method",), what, "name the deployment in the extension `gameday`, under `delays`")
    return Experiment(
        path=path,
        name=path.stem,
        title=str(document["title"]).strip(),
        effects=tuple(effects),
        rollbacks=tuple(str(r.get("name") or r.get("ref")) for r in document.get("rollbacks") or []),
        leaders=_told(source, document, resolve, "leaders", RolePlan),
        ledger=_told(source, document, resolve, "ledger", LedgerPlan),
        delays=delays,
        chaos=tuple(chaos),
        service=_told(source, document, resolve, "service", ServicePlan) or ServicePlan(),
    )


def _told(source: YamlSource, document: dict[str, Any], resolve: Any, what: str, kind: type[Told]) -> Told | None:
    """What the extension `gameday` says under `what`, with the configuration filled in; None where it says nothing."""
    for index, extension in enumerate(document.get("extensions") or []):
        if not isinstance(extension, dict) or extension.get("name") != EXTENSION or what not in extension:
            continue
        if not isinstance(extension[what], dict):
            raise source.refuse(("extensions", index, what), f"{what}: must be a mapping", SEE[what])
        arguments, _ = resolve({"provider": {"arguments": extension[what]}})
        try:
            return kind.model_validate(arguments)
        except ValidationError as error:
            first = error.errors()[0]
            says = f"{what}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
            raise source.refuse(("extensions", index, what), says, SEE[what]) from None
    return None


def _check_activities(source: YamlSource, at: Location, activities: object) -> None:
    if not isinstance(activities, list):
        raise source.refuse(at, "must be a list of activities")
    for index, activity in enumerate(activities):
        if not isinstance(activity, dict) or not (activity.get("ref") or activity.get("name")):
            raise source.refuse((*at, index), "an activity needs a name, a type and a provider")


def _check_by_chaostoolkit(source: YamlSource, document: dict[str, Any]) -> None:
    """Let Chaos Toolkit itself check, activity by activity so that the line can be told, then as a whole."""
    from chaoslib.activity import ensure_activity_is_valid
    from chaoslib.exceptions import ChaosException
    from chaoslib.experiment import ensure_experiment_is_valid

    _quiet()
    _stand_in_for_logzero()
    hypothesis = document.get("steady-state-hypothesis") or {}
    groups: list[tuple[Location, list[dict[str, Any]]]] = [
        (("steady-state-hypothesis", "probes"), hypothesis.get("probes", [])),
        (("method",), document.get("method", [])),
        (("rollbacks",), document.get("rollbacks", [])),
    ]
    for at, activities in groups:
        for index, activity in enumerate(activities):
            try:
                if "ref" not in activity:
                    ensure_activity_is_valid(activity)
            except ChaosException as error:
                raise source.refuse((*at, index), str(error)) from None
            except (AttributeError, TypeError, KeyError) as error:  # chaoslib trips over shapes it doesn't expect
                raise source.refuse((*at, index), f"is not an activity: {error!r}") from None
    try:
        ensure_experiment_is_valid(document)
    except ChaosException as error:
        raise source.refuse((), str(error)) from None
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        raise source.refuse((), f"is not a Chaos Toolkit experiment: {error!r}") from None


def _resolver(source: YamlSource, document: dict[str, Any]) -> Any:
    """How an activity's arguments read once configuration and environment are filled in, and its secrets' context."""
    from chaoslib import substitute
    from chaoslib.configuration import load_configuration
    from chaoslib.exceptions import ChaosException
    from chaoslib.secret import load_secrets

    try:
        configuration = load_configuration(document.get("configuration", {}))
        secrets = load_secrets(document.get("secrets", {}), configuration)
    except (ChaosException, ValueError) as error:
        raise source.refuse(("configuration",), str(error)) from None

    def resolve(activity: Mapping[str, Any]) -> tuple[Arguments, str | None]:
        names = activity["provider"].get("secrets") or []
        own = {key: value for name in names for key, value in (secrets.get(name) or {}).items()}
        # without the secrets: what comes out goes into the manifest
        arguments = substitute(dict(activity["provider"].get("arguments") or {}), configuration, None)
        return arguments, own.get("KUBERNETES_CONTEXT")

    return resolve


def _stand_in_for_logzero() -> None:
    """As `chaos` does: chaosprometheus imports a module of that name, which nobody has any more."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of chaoslib's own imports
        from chaoslib.log import override_logzero_module

    override_logzero_module()


def _quiet() -> None:
    """Chaos Toolkit logs while it validates; what matters of it comes out as an exception."""
    logger = logging.getLogger("chaostoolkit")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
