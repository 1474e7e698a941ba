"""Options that several commands share, and the kinds of values they take."""

from __future__ import annotations

import math
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print verdict.json instead of the table.")
json_result_option = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
strict_option = click.option("--strict", is_flag=True, help="Let a warning fail: exit 1.")


class FiniteRange(click.FloatRange):
    """A number in a range that is a number: `nan` lies in every range, and `inf` in most."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; fails as click's types do."""
        if not math.isfinite(number := float(click.FLOAT.convert(value, param, ctx))):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return float(super().convert(number, param, ctx))
