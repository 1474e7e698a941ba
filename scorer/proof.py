"""Proof that the fault took effect: what the harness said it must be seen to do, held against what was seen."""

from __future__ import annotations

from bundle.manifest import Effect
from bundle.timeline import Entry
from scorer.cluster import Pod, replicas_of
from scorer.delay import delay_entries, delayed
from scorer.facts import Facts
from scorer.grounds import Grounds
from scorer.span import Span
from scorer.stepped import step_grounds, stepped


def proven(facts: Facts) -> tuple[bool, str]:
    """Whether every effect was seen, and one line about each. Raises ValueError for a selector not understood."""
    if all(effect.kind == "injected" for effect in facts.manifest.effects):
        return False, "the experiment's method injects no fault whose effect could be seen"
    if facts.fault is None or facts.window is None:
        return False, "no fault was recorded to have begun"
    seen = [_seen(facts, effect) for effect in facts.manifest.effects]
    return all(ok for ok, _ in seen), "; ".join(says for _, says in seen)


def _seen(facts: Facts, effect: Effect) -> tuple[bool, str]:
    window, acted = facts.window, facts.acted(effect)
    assert window is not None  # proven saw to it
    if acted is None:
        return False, f"{effect.activity} did not begin or did not succeed"
    if effect.kind == "injected":
        return _injected(facts, effect)
    if effect.kind == "delay":
        return delayed(facts, effect)
    if effect.kind == "load-step":
        return stepped(facts, effect, acted)
    if effect.kind == "replicas":
        readings = [
            reading
            for reading in replicas_of(facts.timeline, effect.context, effect.namespace)
            if reading.name == effect.name and reading.since.high <= window.end_ns
        ]
        before = [reading for reading in readings if reading.since.high < acted.low]
        after = readings[len(before) :]
        seen = ", ".join(str(count) for count in dict.fromkeys(reading.ready for reading in after)) or "no change"
        changed = bool(before) and before[-1].desired != effect.count
        return changed and any(reading.ready == reading.desired == effect.count for reading in after), (
            f"{effect.name} in {effect.context} was to have {effect.count} ready replicas; seen: {seen}"
        )
    gone = _gone(facts, effect, window)
    names = f" ({', '.join(sorted(pod.name for pod in gone))})" if gone else ""
    which = effect.selector or "any label"
    return len(gone) >= effect.count, (
        f"{len(gone)} of at least {effect.count} pods with {which} in {effect.context} "
        f"lost their UID after the fault began{names}"
    )


def _injected(facts: Facts, effect: Effect) -> tuple[bool, str]:
    """A watch must have seen it: the action itself returns before anything is at work."""
    begin = facts.begin(effect)
    if begin is None or begin.source != "watch":
        return False, f"{effect.name} in {effect.context} was made, and nobody saw that it was injected"
    return True, f"{effect.name} in {effect.context} was seen to be injected, and what it did was not"


def proof_grounds(facts: Facts) -> Grounds:
    """The entries by which each effect was proven, or wasn't: its action, and what was seen of its object.

    Of pods those that went, or all that it might have taken where none did. Raises ValueError for a selector that is
    not understood.
    """
    window = facts.window
    entries: list[Entry] = []
    figures: tuple[str, ...] = ()
    for effect in facts.manifest.effects:
        begin = facts.begin(effect)
        if begin is None or window is None:
            continue
        if effect.kind == "delay":
            entries += delay_entries(facts, effect)
            continue
        entries.append(begin)
        if effect.kind == "injected":
            continue
        if effect.kind == "load-step":
            grounds = step_grounds(facts)
            entries += grounds.entries
            figures += grounds.figures
            continue
        uids = {pod.uid for pod in _gone(facts, effect, window) or facts.selected(effect)}
        entries += [
            entry
            for entry in facts.timeline
            if (entry.context, entry.namespace) == (effect.context, effect.namespace)
            and entry.latest_ns <= window.end_ns
            and (
                (entry.kind == "deployment" and entry.name == effect.name)
                if effect.kind == "replicas"
                else (entry.kind == "pod" and entry.uid in uids)
            )
        ]
    return Grounds(entries=tuple(entries), figures=figures)


def _gone(facts: Facts, effect: Effect, window: Span) -> list[Pod]:
    """The pods of an effect that lost their UID in the window."""
    return [pod for pod in facts.victims(effect) if pod.deleted is not None and pod.deleted.low <= window.end_ns]
