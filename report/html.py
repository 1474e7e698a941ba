"""The HTML report: one file that opens offline, with no request to any network.

The page's policy forbids every load and every script but the three inlined here, each named by its digest: what a
pod or a server managed to write into a name cannot run. Plotly's script comes from its wheel.
"""

from __future__ import annotations

import base64
import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

from bundle.errors import ExplainedError
from bundle.reader import Bundle
from report import quantity
from report.interval import WIDTH, interval_chart
from report.moments import moments
from report.recovery import recoveries
from report.series import read_series
from scorer.verdict import Grade, Verdict

_HERE = Path(__file__).parent


class ReportError(ExplainedError):
    """A report that cannot be written."""


def write_html(verdict: Verdict, bundle: Bundle, path: Path) -> None:
    """Write the report to `path`, whole or not at all. Raises ReportError where that place can't be written to."""
    text = render_html(verdict, bundle)
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        raise ReportError(f"cannot be written: {error.strerror}", where=str(path), do="give another place") from None


def render_html(verdict: Verdict, bundle: Bundle) -> str:
    """The report as text. The same verdict and bundle give the same bytes. Raises BundleError as the bundle does."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from plotly.offline import get_plotlyjs

    from report.figure import timeline_figure

    series = read_series(bundle)
    recovered = recoveries(verdict)
    scripts = [get_plotlyjs(), (_HERE / "figure.js").read_text(encoding="utf-8")]
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("template.html.j2").render(
        verdict=verdict,
        manifest=bundle.manifest,
        started=_utc(min((phase.start_ns for phase in bundle.manifest.phases), default=bundle.manifest.clock_wall_ns)),
        series=series,
        moments=moments(bundle, series, recovered),
        figure=timeline_figure(series, verdict, recovered),
        reasons=[o for o in verdict.objectives if o.verdict is not Grade.PASS and verdict.verdict is not Grade.INVALID],
        broken=[check for check in verdict.validity if not check.ok],
        charts=[interval_chart(objective) for objective in verdict.objectives],
        chart_width=WIDTH,
        quantity=quantity,
        style=(_HERE / "style.css").read_text(encoding="utf-8"),
        scripts=scripts,
        script_digests=" ".join(f"'sha256-{_digest(script)}'" for script in scripts),
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def _utc(ns: int) -> str:
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
