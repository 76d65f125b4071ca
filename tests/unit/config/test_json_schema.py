"""The schema for editors is the declarations."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from hybridd.config.json_schema import default_in_yaml, json_schema, text
from hybridd.config.settings import SCHEMA

ROOT = Path(__file__).resolve().parents[3]
DELIVERED = ("hybridd.yaml", "development.yaml", "container.yaml")


def test_the_delivered_schema_is_up_to_date():
    assert (ROOT / "config" / "schema.json").read_text() == text(), (
        "run: python -m hybridd.config.json_schema > config/schema.json"
    )


def property_of(schema, key):
    for name in key.split("."):
        schema = schema["properties"][name]
    return schema


def allows(schema, value):
    """Tell whether ``value`` is valid; knows only the words that our schema uses, and refuses others."""
    checks = {
        "anyOf": lambda options: any(allows(option, value) for option in options),
        "const": lambda constant: value == constant and type(value) is type(constant),
        "enum": lambda words: value in words,
        "type": lambda name: (
            isinstance(value, {"string": str, "integer": int, "boolean": bool, "array": list}[name])
            and (name != "integer" or not isinstance(value, bool))
        ),
        "pattern": lambda pattern: isinstance(value, str) and bool(re.search(pattern, value)),
        "minimum": lambda minimum: value >= minimum,
        "maximum": lambda maximum: value <= maximum,
        "minLength": lambda length: len(value) >= length,
        "items": lambda item: all(allows(item, one) for one in value),
        "minItems": lambda count: len(value) >= count,
        "uniqueItems": lambda _: len({str(one) for one in value}) == len(value),
        "$ref": lambda _: isinstance(value, str) and "${" in value,
        "description": lambda _: True,
        "default": lambda _: True,
    }
    return all(checks[word](argument) for word, argument in schema.items())


@pytest.mark.parametrize("key", SCHEMA.settings)
def test_every_setting_has_a_property_that_allows_its_default(key):
    schema = property_of(json_schema(SCHEMA), key)
    default = default_in_yaml(SCHEMA.settings[key])
    assert schema["default"] == default
    assert schema["description"] == SCHEMA.settings[key].declaration.help
    assert allows(schema, default)
    assert allows(schema, "${NAME:-x}")
    assert not allows(schema, {})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("workers", 0), ("workers", "4"), ("workers", True), ("threads", "auto"), ("timeouts.head", 15),
        ("timeouts.head", "15"), ("timeouts.head", "15 s"), ("limits.body", 5), ("limits.body", "64MB"),
        ("factory", "true"),
        ("log.level", "INFO"), ("listen", []), ("listen", ["unix:/a", "unix:/a"]), ("log.file", ""), ("listen", 8080),
        ("application", "shop/wsgi.py"),
    ],
)  # fmt: skip
def test_the_schema_refuses_what_loading_refuses(key, value):
    assert not allows(property_of(json_schema(SCHEMA), key), value)


@pytest.mark.parametrize("name", DELIVERED)
def test_the_delivered_configurations_are_valid(name):
    schema = json_schema(SCHEMA)
    written = yaml.safe_load((ROOT / "config" / name).read_text())
    for key, value in written.items():
        for inner, one in value.items() if isinstance(value, dict) else [("", value)]:
            # YAML 1.1 reads off as a boolean, editors (YAML 1.2) as the word.
            one = "off" if one is False and key not in ("factory", "preload", "daemon") else one  # noqa: PLW2901
            assert allows(property_of(schema, f"{key}.{inner}".rstrip(".")), one)


def test_unknown_keys_are_refused_on_both_levels_and_it_is_json():
    schema = json.loads(text())
    assert schema["additionalProperties"] is False
    assert all(part["additionalProperties"] is False for part in schema["properties"].values() if "properties" in part)
