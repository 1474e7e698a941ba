"""One drill, executed: which error it ends with, and what `runs/latest` then is."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from gameday import execution
from gameday.drill import Outcome
from gameday.errors import Aborted, Interrupted, RollbackIncomplete

PLAN: Any = SimpleNamespace(
    experiment=SimpleNamespace(title="A [red]title"), clusters=[SimpleNamespace(context="moon")], host="http://x"
)


def executed(
    root: Path, monkeypatch: pytest.MonkeyPatch, outcome: str, remains: tuple[str, ...] = (), interrupted: bool = False
) -> tuple[bool, str]:
    """Execute a drill that ends like this; whether a signal came, and what was printed."""

    class Ended:
        def __init__(self, *_: object) -> None:
            self.interrupted = interrupted

        def run(self) -> Outcome:
            return Outcome(root, outcome, "SIGINT received" if interrupted else "the load raised", remains)

    monkeypatch.setattr(execution, "Drill", Ended)
    root.mkdir()
    out = io.StringIO()
    signalled = execution.execute(PLAN, root, Console(file=out, width=200))
    return signalled, out.getvalue()


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_drill_that_completed_is_the_latest_and_says_whether_a_signal_came(
    interrupted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signalled, text = executed(tmp_path / "run", monkeypatch, "completed", interrupted=interrupted)
    assert signalled is interrupted
    assert text == f"A [red]title\nmoon · http://x · {tmp_path}/run\n"
    assert (tmp_path / "latest").readlink() == Path("run")


@pytest.mark.parametrize(("interrupted", "error"), [(False, Aborted), (True, Interrupted)])
def test_an_abort_by_a_signal_is_told_from_one_by_a_failure(
    interrupted: bool, error: type[Aborted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Aborted, match="load stopped, fault undone, bundle closed") as caught:
        executed(tmp_path / "run", monkeypatch, "aborted", interrupted=interrupted)
    assert type(caught.value) is error
    assert caught.value.exit_code == 5
    assert (tmp_path / "latest").readlink() == Path("run")


def test_what_remains_comes_before_everything_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RollbackIncomplete, match=r"a; b; run `gameday recover .*run`"):
        executed(tmp_path / "run", monkeypatch, "aborted", ("a", "b"), interrupted=True)
    assert not (tmp_path / "latest").is_symlink()
