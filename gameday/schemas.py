"""The JSON Schemas of plans and of `gameday.json`, made from the classes: `python -m gameday.schemas` writes them."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from gameday.agenda import Agenda
from gameday.dayrecord import DayRecord
from scorer.schemas import schema_text

WRITTEN: dict[str, type[BaseModel]] = {
    "runbook/agenda.schema.json": Agenda,
    "docs/gameday.schema.json": DayRecord,
}
"""Where each schema lies in the repository, and the class it describes."""


def write(root: Path) -> None:
    """Write every schema under the repository's root."""
    for name, model in WRITTEN.items():
        (root / name).write_text(schema_text(model), encoding="utf-8")


if __name__ == "__main__":
    write(Path(__file__).resolve().parent.parent)
