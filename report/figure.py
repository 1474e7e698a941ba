"""The timeline figure, as the JSON that plotly draws: panels of one shared time axis, one below the other.

Colours are names of style.css (`var(--good)`), which figure.js resolves, so that light, dark and print differ in the
style sheet alone. Plotly reads a little HTML in its labels, so every name from outside goes through `label`.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from report import quantity
from report.recovery import Recovery
from report.series import Floats, ReplicaSeries, RequestSeries, Series
from scorer.verdict import Verdict

Json: TypeAlias = str | int | float | bool | Sequence["Json"] | Mapping[str, "Json"] | None

_LATENCY_PX, _ERRORS_PX, _REPLICAS_PX, _GAP_PX, _TOP_PX, _BOTTOM_PX = 260, 90, 80, 52, 96, 100
_LOG_TICKS = [float(f"{step}e{power}") for power in range(-3, 7) for step in (1, 2, 5)]
_EDGE = 0.15
"""A label that begins within this share of the right edge ends at its phase's end instead, or it would be cut off."""


def timeline_figure(series: Series, verdict: Verdict, recoveries: Sequence[Recovery]) -> Json:
    """The figure's `data` and `layout`: latency, errors, and the replicas of each affected deployment."""
    panels = [_LATENCY_PX, _ERRORS_PX] + [_REPLICAS_PX] * len(series.replicas)
    domains = _domains(panels)
    height = sum(panels) + _GAP_PX * (len(panels) - 1) + _TOP_PX + _BOTTOM_PX
    data = [*_latency(series.requests), *_errors(series.requests)]
    for index, replicas in enumerate(series.replicas):
        data += _replicas(replicas, series.end_s, axis=f"y{index + 3}", legend=index == 0)
    titles = [
        "Latency of good answers (ms)",
        "Failed or never sent (per second)",
        *(f"Replicas of {label(one.name)} in {label(one.context)}" for one in series.replicas),
    ]
    shapes, notes = _marks(series, recoveries, domains)
    targets, target_notes = _latency_target(verdict)
    if not series.requests.failed and not series.requests.unsent:
        text = "none" if series.requests.total else "no requests"
        notes.append(_note(text, 0.5, sum(domains[1]) / 2, xref="paper", xanchor="center", yanchor="middle"))
    unit = "seconds from the fault" if series.has_fault else "seconds from the start (no fault began)"
    notes.append(_note(unit, 0.5, 0, xref="paper", xanchor="center", yanchor="top", yshift=-22))
    layout: dict[str, Json] = {
        "height": height,
        "margin": {"l": 60, "r": 24, "t": _TOP_PX, "b": _BOTTOM_PX},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "var(--ink)"},
        "barmode": "stack",
        "bargap": 0,
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": "var(--paper)", "bordercolor": "var(--grid)", "font": {"color": "var(--ink)"}},
        "legend": {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
        "xaxis": _axis(
            anchor=f"y{len(panels)}",
            range=[series.start_s, series.end_s],
            hoverformat=".1f",
        ),
        "shapes": [*shapes, *targets],
        "annotations": [
            *(_title(text, domain[1]) for text, domain in zip(titles, domains, strict=True)),
            *notes,
            *target_notes,
        ],
    }
    for index, domain in enumerate(domains):
        layout["yaxis" if index == 0 else f"yaxis{index + 1}"] = _axis(
            anchor="x", domain=domain, **_scale(index, series)
        )
    return {"data": data, "layout": layout}


def label(name: str) -> str:
    """A name from outside, as plotly's pseudo-HTML shows it literally."""
    return html.escape(name, quote=False)


def _domains(panels: Sequence[int]) -> list[list[float]]:
    """Where each panel stands, from the top down, as shares of the height between the margins."""
    total = sum(panels) + _GAP_PX * (len(panels) - 1)
    domains: list[list[float]] = []
    top = total
    for height in panels:
        domains.append([(top - height) / total, top / total])
        top -= height + _GAP_PX
    return domains


def _axis(**more: Json) -> Json:
    return {"gridcolor": "var(--grid)", "linecolor": "var(--grid)", "zeroline": False, **more}


def _scale(index: int, series: Series) -> dict[str, Json]:
    if index == 0:
        return {"type": "log", "tickvals": _LOG_TICKS}
    if index == 1:
        most = float((series.requests.failed_per_s + series.requests.unsent_per_s).max(initial=0.0))
        return {"range": [0, most * 1.15 or 1], "showticklabels": most > 0, "nticks": 4}
    replicas = series.replicas[index - 2]
    most = int(max(replicas.ready.max(), replicas.desired.max(), 1))
    return {"range": [-0.2, most + 0.4], "dtick": max(1, most // 4)}


def _latency(requests: RequestSeries) -> list[Json]:
    band_t, band_ms = _band(requests.t_s, requests.p50_ms, requests.max_ms)
    common: dict[str, Json] = {"type": "scatter", "mode": "lines", "x": numbers(requests.t_s)}
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": band_t,
            "y": band_ms,
            "fill": "toself",
            "showlegend": False,
            "fillcolor": "var(--band)",
            "line": {"width": 0},
            "hoverinfo": "skip",
        },
        {
            **common,
            "y": numbers(requests.max_ms),
            "name": "maximum",
            "hovertemplate": "%{y:.3~g} ms",
            "line": {"color": "var(--quiet)", "width": 1, "dash": "dot"},
        },
        {
            **common,
            "y": numbers(requests.p95_ms),
            "name": "p95",
            "hovertemplate": "%{y:.3~g} ms",
            "line": {"color": "var(--p95)", "width": 2, "dash": "dash"},
        },
        {
            **common,
            "y": numbers(requests.p50_ms),
            "name": "p50",
            "hovertemplate": "%{y:.3~g} ms",
            "mode": "lines+markers",
            "marker": {"size": 3, "color": "var(--p50)"},  # a bin between two gaps has no line
            "line": {"color": "var(--p50)", "width": 2},
        },
    ]


def _band(t_s: Floats, low: Floats, high: Floats) -> tuple[list[Json], list[Json]]:
    """A polygon for each unbroken stretch of bins that hold answers, with a gap between polygons."""
    x: list[Json] = []
    y: list[Json] = []
    filled = np.flatnonzero(~np.isnan(low))
    for stretch in np.split(filled, np.flatnonzero(np.diff(filled) > 1) + 1):
        x += [*numbers(t_s[stretch]), *numbers(t_s[stretch[::-1]]), None]
        y += [*numbers(low[stretch]), *numbers(high[stretch[::-1]]), None]
    return x, y


def _errors(requests: RequestSeries) -> list[Json]:
    return [
        {
            "type": "bar",
            "x": numbers(requests.t_s),
            "y": numbers(rate),
            "width": requests.width_s,
            "yaxis": "y2",
            "name": name,
            "marker": {"color": colour, "line": {"width": 0}, "pattern": {"shape": pattern, "size": 6}},
            "hovertemplate": "%{y:.3~g}/s",
            "showlegend": bool(count),
        }
        for name, rate, count, colour, pattern in (
            ("failed", requests.failed_per_s, requests.failed, "var(--bad)", ""),
            ("never sent", requests.unsent_per_s, requests.unsent, "var(--unsent)", "/"),
        )
    ]


def _replicas(replicas: ReplicaSeries, end_s: float, *, axis: str, legend: bool) -> list[Json]:
    t_s = numbers(np.append(replicas.t_s, end_s))
    common: dict[str, Json] = {"type": "scatter", "mode": "lines", "x": t_s, "yaxis": axis, "showlegend": legend}
    ready, desired = (np.append(counts, counts[-1]).tolist() for counts in (replicas.ready, replicas.desired))
    return [
        {
            **common,
            "y": desired,
            "name": "desired",
            "legendgroup": "desired",
            "line": {"shape": "hv", "color": "var(--quiet)", "width": 2, "dash": "dash"},
        },
        {
            **common,
            "y": ready,
            "name": "ready",
            "legendgroup": "ready",
            "line": {"shape": "hv", "color": "var(--ready)", "width": 3},
        },
    ]


def _marks(
    series: Series, recoveries: Sequence[Recovery], domains: Sequence[Sequence[float]]
) -> tuple[list[Json], list[Json]]:
    """Phases, the fault's window and the recovery intervals, each a shape and a label."""
    shapes: list[Json] = []
    notes: list[Json] = []
    for index, phase in enumerate(series.phases):
        shapes.append(_upright(phase.start_s, phase.start_s, 0, 1.0, "var(--grid)", dash="dot"))
        at_edge = phase.start_s > series.end_s - _EDGE * (series.end_s - series.start_s)
        at_s, anchor = (phase.end_s, "right") if at_edge else (phase.start_s, "left")
        notes.append(
            _note(label(phase.name), at_s, 1.0, yshift=26 + 15 * (index % 2), xanchor=anchor, colour="var(--muted)")
        )
    for fault in series.faults:
        shapes.append(_upright(fault.start_s, fault.end_s, 0, 1.0, "var(--fault)", fill="var(--fault-fill)"))
        name = f"<b>▼ fault: {label(fault.name)}</b>"
        notes.append(_note(name, fault.start_s, 1.0, yshift=62, colour="var(--fault)"))
    for recovery in recoveries:
        concerned = domains[:2] if recovery.by_users else domains[2:]
        if not concerned:
            continue
        never = recovery.high_s is None
        colour, fill = ("var(--bad)", "var(--bad-fill)") if never else ("var(--good)", "var(--good-fill)")
        high_s = series.end_s if recovery.high_s is None else recovery.high_s
        for bottom, top in concerned:
            shapes.append(_upright(recovery.low_s, high_s, bottom, top, colour, fill=fill, dash="dash"))
        says = f"▒ {recovery.says}"
        notes.append(_note(says, 1.0, concerned[-1][1], xref="paper", xanchor="right", yshift=3, colour=colour))
    return shapes, notes


def _latency_target(verdict: Verdict) -> tuple[list[Json], list[Json]]:
    """The line of the p95 target, where the verdict holds such an objective in milliseconds."""
    found = next((o for o in verdict.objectives if o.measure.name == "latency-p95" and o.measure.unit == "ms"), None)
    if found is None or found.target <= 0:
        return [], []
    line: Json = {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "yref": "y",
        "y0": found.target,
        "y1": found.target,
        "line": {"color": "var(--p95)", "width": 1, "dash": "longdash"},
    }
    text = f"p95 target {quantity.number(found.target)} ms"
    return [line], [
        _note(text, 1.0, float(np.log10(found.target)), xref="paper", yref="y", xanchor="right", colour="var(--p95)")
    ]


def _upright(x0: float, x1: float, y0: float, y1: float, colour: str, *, fill: str = "", dash: str = "solid") -> Json:
    return {
        "type": "rect",
        "xref": "x",
        "yref": "paper",
        "x0": x0,
        "x1": x1,
        "y0": y0,
        "y1": y1,
        "layer": "below",
        "fillcolor": fill or "rgba(0,0,0,0)",
        "line": {"color": colour, "width": 1, "dash": dash},
    }


def _title(text: str, top: float) -> Json:
    return _note(f"<b>{text}</b>", 0.0, top, xref="paper", yshift=4 if top == 1.0 else 17)


def _note(
    text: str,
    x: float,
    y: float,
    *,
    xref: str = "x",
    yref: str = "paper",
    xanchor: str = "left",
    yanchor: str = "bottom",
    yshift: int = 0,
    colour: str = "var(--ink)",
) -> Json:
    return {
        "text": text,
        "x": x,
        "y": y,
        "xref": xref,
        "yref": yref,
        "xanchor": xanchor,
        "yanchor": yanchor,
        "yshift": yshift,
        "showarrow": False,
        "font": {"color": colour, "size": 12},
    }


def numbers(values: Floats) -> list[Json]:
    """The values in six significant digits, with null (a gap) for NaN."""
    return [None if np.isnan(one) else float(f"{one:.6g}") for one in values.tolist()]
