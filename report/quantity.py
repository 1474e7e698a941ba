"""Numbers as people read them: rounded, with their unit and bounds; and the symbol of each grade."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from scorer.verdict import Grade, Measure, Objective, Stage, Verdict

SYMBOLS = {Grade.PASS: "✓", Grade.WARN: "!", Grade.INCONCLUSIVE: "?", Grade.FAIL: "✗", Grade.INVALID: "⊘"}
"""Each grade's symbol: shape tells the grade where colour can't."""


def number(value: float, rounding: str = ROUND_HALF_EVEN, digits: int = 4) -> str:
    """`value` in so many significant digits, without an exponent and without trailing zeros.

    What lies left of the decimal point is never rounded away. What is not 100 is not shown as 100: an availability
    of 99.998 % is not a whole one.
    """
    exact = Decimal(repr(float(value)))
    decimals = max(0, digits - 1 - exact.adjusted()) if exact else 0
    rounded = exact.quantize(Decimal(1).scaleb(-decimals), rounding=rounding)
    if rounded == 100 != exact:
        rounded = exact.quantize(Decimal("1e-6"), rounding=rounding)
    text = f"{rounded:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def with_unit(text: str, unit: str) -> str:
    """The number's text and its unit."""
    return f"{text} {unit}" if unit else text


def value(measure: Measure) -> str:
    """The best single figure with its unit, or `no data`."""
    return "no data" if measure.value is None else with_unit(number(measure.value), measure.unit)


def bounds(measure: Measure | Stage) -> str:
    """The bounds as an interval, rounded outwards so that the text never claims more than the numbers do."""
    low = "(−∞" if measure.low is None else f"[{number(measure.low, ROUND_FLOOR)}"
    high = "∞)" if measure.high is None else f"{number(measure.high, ROUND_CEILING)}]"
    return f"{low}, {high}"


def promise(objective: Objective) -> str:
    """What was promised: the target, and the threshold where it is another."""
    sign = "≤" if objective.comparison == "at most" else "≥"
    target = f"{sign} {number(objective.target)}"
    if objective.threshold != objective.target:
        target += f" / {number(objective.threshold)}"
    return with_unit(target, objective.measure.unit)


def stages(measure: Measure) -> str:
    """The parts of a duration in two digits on one line, the dominant one marked; empty where it has none."""
    return " · ".join(
        f"{stage.name} {'no data' if stage.value is None else with_unit(number(stage.value, digits=2), measure.unit)}"
        + (" (longest)" if stage.dominant else "")
        for stage in measure.stages
    )


def title(name: str) -> str:
    """A measure's name as words: `burn-rate.api-latency` becomes `Burn rate: api latency`."""
    words = name.replace(".", ": ").replace("-", " ")
    return words[:1].upper() + words[1:]


def measures(verdict: Verdict) -> list[Measure]:
    """Every measure of the verdict once, those of the objectives first."""
    found: dict[str, Measure] = {}
    for measure in [*(objective.measure for objective in verdict.objectives), *verdict.measures]:
        found.setdefault(measure.name, measure)
    return list(found.values())
