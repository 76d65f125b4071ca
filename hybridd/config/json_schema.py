"""The JSON Schema of a configuration file, for editors: ``python -m hybridd.config.json_schema``.

Knows:     the declarations.
Never:     where the schema is kept (config/schema.json, held by a test).
Runs in:   development and tests; pure.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from hybridd.config.declaration import Schema, Section, Setting
from hybridd.config.settings import SCHEMA

_EXPANSION = {
    "type": "string",
    "pattern": r"\$\{",
    "description": "A text with ${NAME} or ${NAME:-default} from the environment.",
}


def json_schema(schema: Schema[Any]) -> dict[str, object]:
    """Return the schema (draft 2020-12) of what YAML may hold."""
    top, *sections = schema.sections
    properties = _properties(top)
    for section in sections:
        # A section whose settings are all commented out is null to YAML, and allowed.
        inner = {"type": ["object", "null"], "description": section.help, "additionalProperties": False}
        properties[section.key] = inner | {"properties": _properties(section)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hybridd configuration",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": properties,
        "$defs": {"expansion": _EXPANSION},
    }


def _properties(section: Section) -> dict[str, object]:
    properties: dict[str, object] = {}
    for setting in section.settings:
        properties[setting.name] = _property(setting)
        if setting.declaration.secret:
            properties[f"{setting.name}_file"] = {"type": "string", "description": f"A file with {setting.name}."}
    return properties


def _property(setting: Setting) -> dict[str, object]:
    described: dict[str, object] = {"description": setting.declaration.help, "default": default_in_yaml(setting)}
    return described | {"anyOf": [setting.kind.schema, {"$ref": "#/$defs/expansion"}]}


def default_in_yaml(setting: Setting) -> object:
    """Return the default as YAML would hold it."""
    if setting.kind.item:
        return [setting.kind.item.text(value) for value in setting.default]
    text = setting.kind.text(setting.default)
    return setting.default if json.dumps(setting.default, default=str) == text else text


def text(schema: Schema[Any] = SCHEMA) -> str:
    """Return the file."""
    return json.dumps(json_schema(schema), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
