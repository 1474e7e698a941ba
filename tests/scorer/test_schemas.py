"""The JSON Schemas in the repository are those of the classes, and the files they describe keep to them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from scorer.schemas import WRITTEN, schema_text, write

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("name", "model"), WRITTEN.items())
def test_a_schema_file_is_what_its_class_says(name: str, model: type[BaseModel]) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == schema_text(model), "run `python -m scorer.schemas`"


def test_writing_the_schemas_puts_each_in_its_place(tmp_path: Path) -> None:
    for name in WRITTEN:
        (tmp_path / name).parent.mkdir(exist_ok=True)
    write(tmp_path)
    for name in WRITTEN:
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes()


def test_the_shipped_targets_keep_to_the_schema_that_editors_use() -> None:
    schema = json.loads((ROOT / "runbook/targets.schema.json").read_text(encoding="utf-8"))
    document = yaml.safe_load((ROOT / "runbook/targets.yaml").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)


def test_the_golden_verdict_keeps_to_the_schema_of_verdicts() -> None:
    schema = json.loads((ROOT / "docs/verdict.schema.json").read_text(encoding="utf-8"))
    document = json.loads((ROOT / "tests/scorer/golden/verdict.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)
