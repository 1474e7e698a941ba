"""The JSON Schemas of plans and game days are those of the classes."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from gameday.schemas import WRITTEN, write
from scorer.schemas import schema_text

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("name", "model"), WRITTEN.items())
def test_a_schema_file_is_what_its_class_says(name: str, model: type[BaseModel]) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == schema_text(model), "run `python -m gameday.schemas`"


def test_writing_the_schemas_puts_each_in_its_place(tmp_path: Path) -> None:
    for name in WRITTEN:
        (tmp_path / name).parent.mkdir(exist_ok=True)
    write(tmp_path)
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.json")} == set(WRITTEN)
