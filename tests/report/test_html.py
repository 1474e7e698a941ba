from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import report
from bundle.rates import RateCurve
from bundle.reader import Bundle
from report.html import ReportError, render_html, write_html
from scorer.planted import Outage, Plan, plant
from scorer.score import score
from scorer.targets import Targets
from scorer.verdict import Grade

EVIL = "<script>alert(1)</script>"


class Page(HTMLParser):
    """The page as a parser sees it: elements with attributes, scripts, and the text outside of them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self._inside = ""
        self.feed(text)
        self.close()
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - html.parser's signature
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def page(failed) -> Page:
    return Page(render_html(failed.verdict, failed.bundle))


def test_the_headline_comes_first_and_says_why(page: Page) -> None:
    title = "fail: pod-kill (20251124-160000-pod-kill)"
    assert page.text.startswith(f"{title} ✗ fail Kill one orchestration-agent pod 153 of 5400")
    assert "✗ fail Failed requests: 153 of 5400 requests failed or were never sent, 0 allowed" in page.text
    assert "3 of 3 validity checks held" in page.text


def test_caveats_come_before_anything_that_they_weaken(failed) -> None:
    page = Page(
        render_html(failed.verdict.model_copy(update={"caveats": ("closed-loop load: users wait",)}), failed.bundle)
    )
    assert page.text.index("! caveat closed-loop load: users wait") < page.text.index("✗ fail Failed requests")
    assert "caveat" not in Page(render_html(failed.verdict, failed.bundle)).text


def test_every_objective_shows_its_bounds_target_and_chart(failed, page: Page) -> None:
    assert "Error rate at most 3.311 %, over the target of 1 % ! warn 2.833 % [2.407, 3.311] ≤ 1 / 5 %" in page.text
    charts = [svg["aria-label"] for svg in page.all("svg")]
    assert charts[2] == "Time to recover, as users see it: measured [20, ∞), promised ≤ 600 s"
    assert len(charts) == len(failed.verdict.objectives)


def test_every_measure_shows_how_it_was_found(failed, page: Page) -> None:
    for measure in [*(one.measure for one in failed.verdict.objectives), *failed.verdict.measures]:
        assert f"{measure.method} " in page.text
        assert measure.evidence[0] in page.text
    assert "ready: 1.87 s [1.85, 1.9] (the longest)" in page.text


def test_what_is_needed_to_run_it_again_is_there(page: Page) -> None:
    for part in (
        "Seed 7",
        "chaostoolkit 1.19.0, locust 2.47.0",
        f"sha256:{'ab' * 32}",
        "Clock drift 1.2 ms",
        "open model, 100 requests/s, poisson, to http://127.0.0.1:8000, time-out 5 s, by locust",
    ):
        assert part in page.text


def test_a_check_that_failed_comes_first_and_is_not_told_by_colour_alone(build, passed) -> None:
    page = Page(render_html(build.invalid(), passed.bundle))
    assert "The run is not valid: nothing below can be claimed." in page.text
    assert "⊘ invalid" in page.text
    assert "✗ not valid The fault took effect: no pod that matches" in page.text
    assert "What it saw The fault took effect ✗ no no pod that matches" in page.text
    assert "No objective was judged." in page.text


def test_the_page_has_what_a_screen_reader_needs(page: Page) -> None:
    assert page.all("html") == [{"lang": "en"}]
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert set(levels[1:]) == {2}
    assert all(header.get("scope") in {"col", "row"} for header in page.all("th"))
    assert len(page.all("noscript")) == 1
    timeline = next(div for div in page.all("div") if div.get("id") == "timeline")
    assert timeline["role"] == "img"
    assert timeline["aria-label"]


def test_nothing_is_loaded_from_anywhere(page: Page) -> None:
    loading = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in {"src", "href", "srcset", "data", "action", "poster", "xlink:href"}
    ]
    assert loading == ["#words"]
    assert not page.all("link")
    style = Path(report.__file__).with_name("style.css").read_text(encoding="utf-8")
    assert "url(" not in style
    assert "@import" not in style


def test_the_policy_forbids_every_load_and_every_script_but_the_pages_own(page: Page) -> None:
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in page.scripts[1:]]
    assert rules["script-src"] == " ".join(f"'sha256-{digest}'" for digest in digests)
    assert len(digests) == 2
    assert rules["style-src"] == "'unsafe-inline'"


def test_a_name_from_outside_is_text_wherever_it_stands(build, tmp_path: Path) -> None:
    """A pod, deployment, context or error message may hold anything."""
    bundle = build.bundle(tmp_path / "run", context=EVIL, deployment=EVIL)
    found = build.measure(EVIL, 1, 0, 2, EVIL).model_copy(update={"method": EVIL, "evidence": (EVIL,)})
    verdict = build.invalid().model_copy(
        update={
            "title": EVIL,
            "summary": EVIL,
            "run": EVIL,
            "drill": EVIL,
            "caveats": (EVIL,),
            "contexts": (EVIL,),
            "measures": (found,),
            "objectives": (build.objective(EVIL, Grade.FAIL, 1, found, EVIL),),
            "validity": tuple(
                check.model_copy(update={"title": EVIL, "says": EVIL}) for check in build.passing().validity
            ),
        }
    )
    page = Page(render_html(verdict, bundle))
    assert len(page.scripts) == 3
    assert page.text.count(EVIL) > 10
    assert "<" not in page.scripts[0]
    figure: dict[str, Any] = json.loads(page.scripts[0])
    titles = [note["text"] for note in figure["layout"]["annotations"]]
    assert any("&lt;script&gt;alert(1)&lt;/script&gt;" in title for title in titles)
    assert EVIL not in json.dumps(titles)


@pytest.mark.parametrize(
    ("plan", "grade", "says"),
    [
        (Plan(outages=()), Grade.PASS, "users well again after 0 s"),
        (Plan(outages=(Outage(0, 3, 0.5),)), Grade.FAIL, "users well again after"),
        (Plan(outages=(Outage(0, 30),), ready_s=None), Grade.FAIL, "users well again: not seen within"),
        (Plan(pods_killed=0), Grade.INVALID, "The run is not valid: nothing below can be claimed."),
        (Plan(killed=True), Grade.INVALID, "The run is not valid: nothing below can be claimed."),
        (Plan(rate_per_s=0), Grade.INVALID, "0 requests were due"),
        (Plan(outages=()), Grade.PASS, "Latency counts from the moment at which a request was due"),
        (Plan(users=9, pace_s=0.1), Grade.FAIL, "! caveat closed-loop load"),
        (Plan(users=9, pace_s=0.1), Grade.FAIL, "Latency counts from the moment at which a request was sent"),
        (Plan(outages=(), curves=(RateCurve(((0, 90), (9, 99))),)), Grade.PASS, "open model, at a rate that changes"),
    ],
)
def test_what_the_scorer_says_of_a_planted_drill_can_be_reported(
    plan: Plan, grade: Grade, says: str, tmp_path: Path
) -> None:
    plant(tmp_path / "run", plan)
    bundle = Bundle.open(tmp_path / "run")
    verdict = score(bundle, Targets.load(Path(__file__).parents[2] / "runbook" / "targets.yaml"))
    assert verdict.verdict is grade
    assert says in Page(render_html(verdict, bundle)).text


def test_the_same_verdict_and_bundle_give_the_same_bytes(failed) -> None:
    assert render_html(failed.verdict, failed.bundle) == render_html(failed.verdict, failed.bundle)


def test_a_bundle_with_nothing_in_it_still_has_a_report(build, tmp_path: Path) -> None:
    bundle = build.bundle(tmp_path / "run", rate=0, with_fault=False, closed=False)
    bare = type(bundle)(bundle.root, bundle.manifest.model_copy(update={"phases": (), "load": None, "tools": {}}))
    assert "no requests" in Page(render_html(build.invalid(), bare)).scripts[0]


def test_the_report_is_written_whole_or_not_at_all(failed, tmp_path: Path) -> None:
    write_html(failed.verdict, failed.bundle, tmp_path / "report.html")
    assert [path.name for path in tmp_path.glob("report*")] == ["report.html"]
    with pytest.raises(ReportError, match=r"nowhere/report.html: cannot be written: No such file or directory; give"):
        write_html(failed.verdict, failed.bundle, tmp_path / "nowhere" / "report.html")
