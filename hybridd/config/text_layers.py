"""The settings of the environment and of the command line: names and texts.

Knows:     declarations, the names of variables, WEB_CONCURRENCY.
Never:     the environment or the arguments of the process (they are given), files.
Runs in:   wherever a configuration is loaded; pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hybridd.config.declaration import PREFIX, Schema, Setting
from hybridd.config.files import UnreadableError
from hybridd.config.kind import Raw
from hybridd.config.layer import Layer, Piece, ReadSecret
from hybridd.config.problem import Origin, Source
from hybridd.config.suggestion import suggest_setting

FROM_FILE = "_FILE"

# Heroku's name, also honoured by gunicorn, uvicorn and Puma; buildpacks set it.
WEB_CONCURRENCY = "WEB_CONCURRENCY"

# Kubernetes gives every container variables about every service of its namespace; one that is called hybridd, or
# hybridd-something, must not keep hybridd from starting.
_KUBERNETES_NAME = re.compile(
    rf"{PREFIX}(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_KUBERNETES_PORT = re.compile(rf"{PREFIX}(?:\w+_)?PORT=(?:tcp|udp|sctp)://.*")


@dataclass(frozen=True, slots=True)
class Flag:
    """A value from the command line, and how the flag was spelled."""

    spelling: str
    text: str


def environment_layer(schema: Schema[Any], environment: Mapping[str, str], read_secret: ReadSecret) -> Layer:
    """Return what the variables say; a blank one says nothing."""
    layer = Layer()
    _web_concurrency(layer, schema, environment)
    for name in sorted(name for name in environment if name.startswith(PREFIX)):
        text, origin = environment[name], Origin(Source.ENVIRONMENT, name)
        setting = schema.by_variable.get(name)
        secret = schema.by_variable.get(name.removesuffix(FROM_FILE))
        if setting and not text.strip():
            layer.warnings.append(f"{name}: is blank and says nothing")
        elif setting:
            layer.set(setting, [Piece(Raw(text), origin)], origin)
        elif secret and secret.declaration.secret:
            _secret(layer, secret, text, origin, read_secret)
        elif not _is_from_kubernetes(name, text):
            meant = suggest_setting(schema, name.removeprefix(PREFIX).replace("__", "."))
            layer.problem(origin, f"unknown variable{f'; did you mean {meant.variable}' if meant else ''}")
    return layer


def _web_concurrency(layer: Layer, schema: Schema[Any], environment: Mapping[str, str]) -> None:
    setting = schema.settings.get("workers")
    text = environment.get(WEB_CONCURRENCY, "").strip()
    if setting and text and not environment.get(setting.variable, "").strip():
        origin = Origin(Source.ENVIRONMENT, WEB_CONCURRENCY)
        layer.set(setting, [Piece(Raw(text), origin)], origin)


def _secret(layer: Layer, setting: Setting, path: str, origin: Origin, read_secret: ReadSecret) -> None:
    if setting.key in layer.origins:
        layer.problem(origin, f"expected one of {setting.variable} and {origin.name}, got both")
        return
    try:
        text = read_secret(path)
    except UnreadableError as error:
        layer.problem(origin, f"{path}: {error}")
    else:
        layer.set(setting, [Piece(Raw(text.removesuffix("\n")), origin)], origin)


def _is_from_kubernetes(name: str, text: str) -> bool:
    return bool(_KUBERNETES_NAME.fullmatch(name) or _KUBERNETES_PORT.fullmatch(f"{name}={text}"))


def flag_layer(schema: Schema[Any], flags: Mapping[str, Sequence[Flag]]) -> Layer:
    """Return what the command line says; of a setting that takes one value the last flag counts."""
    layer = Layer()
    for key, given in flags.items():
        setting = schema.settings.get(key)
        if not setting:
            meant = suggest_setting(schema, key)
            hint = f"; did you mean {meant.key}" if meant else ""
            layer.problem(Origin(Source.FLAG, given[-1].spelling), f"unknown setting {key}{hint}")
            continue
        pieces = [Piece(Raw(one.text), Origin(Source.FLAG, one.spelling)) for one in given]
        layer.set(setting, pieces, pieces[-1].origin)
    return layer
