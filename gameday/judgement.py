"""The verdict on a bundle: made by the targets that were in force at the run, and kept beside its data."""

from __future__ import annotations

from pathlib import Path

from bundle.errors import BundleError
from bundle.reader import Bundle
from scorer.score import score
from scorer.targets import Targets
from scorer.verdict import Verdict

REPORT = "report.html"


def judge(root: Path, targets: Path | None = None) -> tuple[Bundle, Targets, Verdict]:
    """Score the bundle at `root` by these targets, or by the copy that it keeps. Raises ExplainedError."""
    bundle = Bundle.open(root)
    if targets is not None:
        promised = Targets.load(targets)
    else:
        kept = bundle.manifest.targets
        copy = kept.copy_as if kept is not None else "inputs/targets.yaml"
        promised = Targets.parse(bundle.input(copy), str(root / copy))
    return bundle, promised, score(bundle, promised)


def keep(bundle: Bundle, verdict: Verdict) -> None:
    """Write verdict.json and report.html into the bundle. Raises BundleError where that cannot be done."""
    from report.html import write_html

    try:
        (bundle.root / "verdict.json").write_text(verdict.to_json(), encoding="utf-8")
        write_html(verdict, bundle, bundle.root / REPORT)
    except OSError as error:
        what = f"the verdict above could not be kept: {error.strerror}"
        raise BundleError(what, where=str(bundle.root), do="make the folder writable") from None
