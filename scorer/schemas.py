"""The JSON Schemas that editors and consumers use, made from the classes: `python -m scorer.schemas` writes them."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from scorer.targets import Targets
from scorer.verdict import Verdict

WRITTEN: dict[str, type[BaseModel]] = {
    "runbook/targets.schema.json": Targets,
    "docs/verdict.schema.json": Verdict,
}
"""Where each schema lies in the repository, and the class it describes."""


def schema_text(model: type[BaseModel]) -> str:
    """The JSON Schema of a model, as it is written to its file."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema(by_alias=True)}
    return json.dumps(schema, indent=2) + "\n"


def write(root: Path) -> None:
    """Write every schema under the repository's root."""
    for name, model in WRITTEN.items():
        (root / name).write_text(schema_text(model), encoding="utf-8")


if __name__ == "__main__":
    write(Path(__file__).resolve().parent.parent)
