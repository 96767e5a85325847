"""The JSON schema of a grid's configuration, generated from the typed model; editors complete and check with it."""

from __future__ import annotations

import json
from pathlib import Path

from dmf.grid.config import Grid

SCHEMA_FILE = Path("workflow/schemas/config.schema.json")


def schema_text() -> str:
    """The schema as JSON text. A test compares it with SCHEMA_FILE."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Grid.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
