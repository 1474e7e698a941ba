"""What a person sees while a drill runs: a live line on a terminal, a plain line every few seconds elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

from rich.console import Console
from rich.live import Live as LiveDisplay
from rich.text import Text

from bundle.manifest import PhaseName
from gameday.load.live import Live
from gameday.phases import ORDER

PLAIN_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Progress:
    """What a person sees while it runs."""

    phase: PhaseName
    in_phase_s: float
    left_s: float | None
    live: Live
    whole: str
    """Ready of desired replicas, such as `7/7`."""


class ProgressView:
    """Shows progress on `console` while it is entered; call `show` as often as there is news."""

    def __init__(self, console: Console, above: Text | None = None) -> None:
        """above: what a terminal shows over it all the time, such as the course of a game day."""
        self._console = console
        self._above = [] if above is None else [above]
        self._live = LiveDisplay(console=console, refresh_per_second=5, transient=True) if console.is_terminal else None
        self._last: tuple[PhaseName, float] | None = None

    def __enter__(self) -> ProgressView:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, progress: Progress) -> None:
        """Show `progress`: at once on a terminal; elsewhere at each change of phase and every five seconds."""
        if self._live is not None:
            self._live.update(Text("\n").join([*self._above, _phases(progress), Text(_figures(progress))]))
            return
        phase, shown_s = self._last or (None, 0.0)
        if phase is not progress.phase or progress.in_phase_s - shown_s >= PLAIN_EVERY_S:
            self._last = (progress.phase, progress.in_phase_s)
            self._console.print(
                f"{progress.phase:<9} {_time(progress)}  {_figures(progress)}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )


def _phases(progress: Progress) -> Text:
    """The phases in a row: done, under way with its time, still to come."""
    row = Text()
    for index, name in enumerate(ORDER):
        row.append("  " if index else "")
        if name is progress.phase:
            row.append(f"▶ {name} {_time(progress)}", style="bold reverse")
        elif ORDER.index(progress.phase) > index:
            row.append(f"✓ {name}", style="green")
        else:
            row.append(f"· {name}", style="dim")
    return row


def _time(progress: Progress) -> str:
    if progress.left_s is not None and progress.left_s > 0:
        return f"{progress.left_s:4.0f} s left"
    return f"{progress.in_phase_s:4.0f} s so far"


def _figures(progress: Progress) -> str:
    live = progress.live
    p95 = "–" if live.p95_ns is None else f"{live.p95_ns / 1e6:.0f} ms"
    return f"{live.rate_per_s:6.1f} requests/s  {live.errors:3d} errors  p95 {p95}  pods ready {progress.whole}"
