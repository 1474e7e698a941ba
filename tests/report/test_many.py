"""Requests by bin without holding them: held against holding them."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import report.series
from report.series import read_series


def test_a_figure_of_many_requests_is_that_of_the_same_requests_held(
    build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = build.bundle(tmp_path / "run", rate=20_000 / 54)
    held = read_series(bundle).requests
    monkeypatch.setattr(report.series, "HELD_ROWS", 0)
    many = read_series(bundle).requests
    for field in fields(held):
        one, other = getattr(held, field.name), getattr(many, field.name)
        if field.name in ("p50_ms", "p95_ms"):
            assert np.array_equal(np.isnan(one), np.isnan(other))
            assert np.nanmax(np.abs(other / one - 1)) < 1 / 256
        else:
            assert np.array_equal(one, other, equal_nan=True) if isinstance(one, np.ndarray) else one == other
