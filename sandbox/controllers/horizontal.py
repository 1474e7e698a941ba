"""The horizontal pod autoscaler's controller: looks at each autoscaler once a period and sets the scale of its target.

What to do is decided in `autoscaler`; this asks and does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from sandbox.apiserver.selectors import matches, parse_labels
from sandbox.client import (
    DEPLOYMENTS,
    HORIZONTAL_POD_AUTOSCALERS,
    POD_METRICS,
    PODS,
    REPLICA_SETS,
    ApiError,
    Conflict,
    EventType,
    Key,
    KubeObject,
    Resource,
    key_of,
)
from sandbox.controllers.autoscaler import ABLE, Decision, Observed, decide, status_after, with_conditions
from sandbox.controllers.cluster import Cluster
from sandbox.controllers.scalinghistory import History
from sandbox.periods import Periods

SOURCE = "horizontal-pod-autoscaler"
SCALED = (DEPLOYMENTS, REPLICA_SETS)
TRIES = 5

logger = logging.getLogger(__name__)


class HorizontalController:
    """Follows every autoscaler of a region in a task of its own."""

    def __init__(self, cluster: Cluster, periods: Periods) -> None:
        self._cluster = cluster
        self._periods = periods
        self._following: dict[Key, asyncio.Task[None]] = {}
        self._selectors: dict[Key, str] = {}
        self._histories: dict[Key, History] = {}
        cluster.informers[HORIZONTAL_POD_AUTOSCALERS].add_handler(self._changed)

    def _changed(self, kind: EventType, autoscaler: KubeObject, _old: KubeObject | None) -> None:
        key = key_of(autoscaler)
        if kind is EventType.DELETED:
            self._following.pop(key).cancel()
            self._selectors.pop(key, None)
            self._histories.pop(key, None)
        elif key not in self._following:
            self._following[key] = self._cluster.tasks.create_task(
                self._follow(key), name=f"autoscaler {'/'.join(key)}"
            )

    async def _follow(self, key: Key) -> None:
        await self._cluster.synced()
        while True:
            # As the real one: also a new autoscaler waits for a period before it is looked at.
            await self._cluster.clock.sleep(self._periods.sync_s)
            try:
                await self._sync(key)
            except ApiError as error:
                logger.warning("autoscaler %s: %s", "/".join(key), error)

    async def _sync(self, key: Key) -> None:
        cluster = self._cluster
        autoscaler = cluster.get(HORIZONTAL_POD_AUTOSCALERS, key)
        if autoscaler is None:
            return
        try:
            target = self._target(autoscaler)
            scale = await self._scale(target, key[0], autoscaler)
        except (LookupError, ApiError) as error:
            why = error.message if isinstance(error, ApiError) else str(error.args[0])
            self._tell(autoscaler, "FailedGetScale", why)
            says = f"the HPA controller was unable to get the target's current scale: {why}"
            status = {**autoscaler["status"]}
            status["conditions"] = with_conditions(
                status.get("conditions") or [], [(ABLE, False, "FailedGetScale", says)], cluster.clock.now_ns()
            )
            await self._write(autoscaler, status)
            return
        observed = await self._observe(key, autoscaler, scale)
        now_ns = cluster.clock.now_ns()
        history = self._histories.get(key, History())
        decision = decide(observed, history, self._periods, now_ns)
        for notice in decision.notices:
            self._tell(autoscaler, notice.reason, notice.message, warning=notice.warning)
        rescaled = False
        if decision.replicas != observed.current:
            decision = await self._rescale(autoscaler, target, scale, decision)
            rescaled = not decision.failed
        behavior = autoscaler["spec"].get("behavior")
        history = decision.history
        self._histories[key] = (
            history.scaled(observed.current, decision.replicas, behavior, now_ns) if rescaled else history
        )
        await self._write(autoscaler, status_after(autoscaler, observed.current, decision, rescaled, now_ns))

    def _target(self, autoscaler: KubeObject) -> Resource:
        """The resource whose scale is to be set; LookupError where it has none here."""
        reference = autoscaler["spec"]["scaleTargetRef"]
        group = reference["apiVersion"].partition("/")[0]
        for resource in SCALED:
            if (resource.group, resource.kind) == (group, reference["kind"]):
                return resource
        raise LookupError(f'no matches for kind "{reference["kind"]}" in group "{group}"')

    async def _scale(self, target: Resource, namespace: str, autoscaler: KubeObject) -> KubeObject:
        name = autoscaler["spec"]["scaleTargetRef"]["name"]
        return await self._cluster.client.get(target, name, namespace, subresource="scale")

    async def _observe(self, key: Key, autoscaler: KubeObject, scale: KubeObject) -> Observed:
        cluster, selector = self._cluster, scale["status"].get("selector", "")
        self._selectors[key] = selector
        pods = self._selected(key[0], selector)
        metrics, error = [], ""
        try:
            metrics = (await cluster.client.list(POD_METRICS, key[0], label_selector=selector))["items"]
        except ApiError as failure:
            error = f"unable to fetch metrics from resource metrics API: {failure.message}"
        current = scale["spec"].get("replicas", 0)
        return Observed(autoscaler, current, pods, metrics, error, self._rivals(key, pods), selector)

    def _selected(self, namespace: str, selector: str) -> list[KubeObject]:
        terms = parse_labels(selector)
        return [
            pod for pod in self._cluster.all(PODS, namespace) if matches(terms, pod["metadata"].get("labels") or {})
        ]

    def _rivals(self, key: Key, pods: Sequence[KubeObject]) -> list[str]:
        """All autoscalers that pick some of these pods."""
        names = {pod["metadata"]["name"] for pod in pods}
        return [
            "/".join(other)
            for other, selector in self._selectors.items()
            if other[0] == key[0]
            and any(pod["metadata"]["name"] in names for pod in self._selected(other[0], selector))
        ]

    async def _rescale(
        self, autoscaler: KubeObject, target: Resource, scale: KubeObject, decision: Decision
    ) -> Decision:
        """Set the target's scale; the decision with what came of it."""
        did = f"New size: {decision.replicas}; reason: {decision.reason}"
        try:
            await self._set(autoscaler, target, scale, decision.replicas)
        except ApiError as error:
            self._tell(autoscaler, "FailedRescale", f"{did}; error: {error.message}")
            says = f"the HPA controller was unable to update the target scale: {error.message}"
            found = (*decision.conditions, (ABLE, False, "FailedUpdateScale", says))
            return replace(decision, conditions=found, failed=True)
        self._tell(autoscaler, "SuccessfulRescale", did, warning=False)
        says = f"the HPA controller was able to update the target scale to {decision.replicas}"
        return replace(decision, conditions=(*decision.conditions, (ABLE, True, "SucceededRescale", says)))

    async def _set(self, autoscaler: KubeObject, target: Resource, scale: KubeObject, replicas: int) -> None:
        for attempt in range(1, TRIES + 1):
            try:
                await self._cluster.client.update(
                    target, {**scale, "spec": {"replicas": replicas}}, subresource="scale"
                )
                return
            except Conflict:
                if attempt == TRIES:
                    raise
                scale = await self._scale(target, key_of(autoscaler)[0], autoscaler)

    async def _write(self, autoscaler: KubeObject, status: KubeObject) -> None:
        if status == autoscaler.get("status"):
            return
        changed = {**autoscaler, "status": status}
        try:
            answer = await self._cluster.client.update_status(HORIZONTAL_POD_AUTOSCALERS, changed)
        except Conflict as error:
            self._tell(autoscaler, "FailedUpdateStatus", error.message)
            return
        self._cluster.learn(HORIZONTAL_POD_AUTOSCALERS, answer)

    def _tell(self, autoscaler: KubeObject, reason: str, message: str, *, warning: bool = True) -> None:
        self._cluster.events.record(SOURCE, autoscaler, reason, message, warning=warning)
