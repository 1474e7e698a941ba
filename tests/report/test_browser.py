"""The report in a real browser, offline: what html.parser can't see is whether the figure was drawn."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from report.html import render_html

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--virtual-time-budget=5000",
    "--dump-dom",
)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium on the PATH")


@dataclass(frozen=True)
class Loaded:
    """The page after its scripts ran, and what they wrote to the console."""

    dom: str
    console: list[str]


def load(text: str, folder: Path) -> Loaded:
    """Open the page in a browser that can resolve no name, with a profile of its own."""
    path = folder / "report.html"
    path.write_text(text, encoding="utf-8")
    command = [str(BROWSER), *FLAGS, f"--user-data-dir={folder / 'profile'}", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return Loaded(done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line])


def test_the_figure_is_drawn_offline_and_nothing_complains(failed, tmp_path: Path) -> None:
    page = load(render_html(failed.verdict, failed.bundle), tmp_path)
    assert page.console == []
    assert 'data-figure="drawn"' in page.dom
    assert page.dom.count('class="trace bars') == 2
    assert page.dom.count('class="trace scatter') == 6
    assert "▼ fault: kill-a-pod" in re.sub(r"<[^>]+>", "", page.dom)
    drawing = re.findall(r'<svg class="main-svg".*?</svg>', page.dom, re.DOTALL)
    assert len(drawing) >= 2
    assert "var(--" not in "".join(drawing)


def test_a_script_that_is_not_the_pages_own_does_not_run(failed, tmp_path: Path) -> None:
    """Even if a name escaped its escaping. Also shows that the browser's complaints reach the test above."""
    own = render_html(failed.verdict, failed.bundle)
    page = load(own.replace("<main>", "<main><script>document.body.dataset.ran = 1</script>"), tmp_path)
    assert "data-ran" not in page.dom
    assert len(page.console) == 1
    assert "Content Security Policy" in page.console[0]
