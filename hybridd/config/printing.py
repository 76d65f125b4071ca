"""The effective configuration as YAML with the origin of each value, or as JSON.

What is printed can be loaded again and gives the same configuration; secrets are left out.

Knows:     declarations, and which texts YAML would misread.
Never:     where the text goes.
Runs in:   the command line tool; pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from hybridd.config.declaration import Schema, Setting
from hybridd.config.expansion import escape
from hybridd.config.problem import Origin

# Comments stand in one column as far as values are short.
COLUMN = 40
_HIDDEN = "(hidden)"
_STRING = "tag:yaml.org,2002:str"


def yaml_text(schema: Schema[Any], config: Any, origins: Mapping[str, Origin]) -> str:
    """Return YAML with a comment behind each value that says where it came from."""
    return "".join(f"{line}\n" for line in _lines(schema, config, origins))


def json_text(schema: Schema[Any], config: Any, origins: Mapping[str, Origin]) -> str:
    """Return an object with ``config``, nested as in YAML, and ``origins`` by key."""
    values: dict[str, Any] = {}
    for setting in schema.settings.values():
        section = values.setdefault(setting.section, {}) if setting.section else values
        section[setting.name] = _json_value(setting, schema.get(config, setting.key))
    places = {key: str(origin) for key, origin in origins.items()}
    return json.dumps({"config": values, "origins": places}, indent=2, ensure_ascii=False) + "\n"


def _json_value(setting: Setting, value: Any) -> object:
    if setting.declaration.secret:
        return _HIDDEN
    if setting.kind.item:
        return [setting.kind.item.text(one) for one in value]
    text = setting.kind.text(value)
    return value if isinstance(value, int) and json.dumps(value) == text else text


def _lines(schema: Schema[Any], config: Any, origins: Mapping[str, Origin]) -> Iterator[str]:
    for section in schema.sections:
        indent = "  " if section.key else ""
        if section.key:
            yield f"{section.key}:"
        for setting in section.settings:
            origin = _one_line(str(origins.get(setting.key, Origin())))
            value = schema.get(config, setting.key)
            if setting.declaration.secret:
                yield _commented(f"{indent}# {setting.name}: {_HIDDEN}", origin)
            elif setting.kind.item:
                yield _commented(f"{indent}{setting.name}:", origin)
                yield from (f"{indent}  - {plain_or_quoted(setting.kind.item.text(one))}" for one in value)
            else:
                yield _commented(f"{indent}{setting.name}: {_scalar(setting, value)}", origin)


def _commented(text: str, origin: str) -> str:
    return f"{text:<{COLUMN}}  # {origin}"


def _one_line(text: str) -> str:
    return text if text.isprintable() else json.dumps(text)


def _scalar(setting: Setting, value: Any) -> str:
    text = setting.kind.text(value)
    if isinstance(value, (int, float)) or value is None:  # numbers, true and false, durations, auto, off
        return text
    return plain_or_quoted(text)


def plain_or_quoted(text: str) -> str:
    """Return ``text`` as a YAML scalar that is read as exactly this text, ``${`` included."""
    text = escape(text)
    try:
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError:
        node = None
    if isinstance(node, yaml.ScalarNode) and node.style is None and node.tag == _STRING and node.value == text:
        return text
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    """Return a character as it stands in double quotes: JSON's pairs of surrogates are not YAML."""
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08X}"
