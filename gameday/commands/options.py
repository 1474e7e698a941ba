"""Options that several commands share."""

from __future__ import annotations

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print verdict.json instead of the table.")
strict_option = click.option("--strict", is_flag=True, help="Let a warning fail: exit 1.")
