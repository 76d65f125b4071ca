"""``${NAME}`` and ``${NAME:-default}`` in the values of a file.

``$${`` stands for ``${`` itself; a dollar sign without a brace means nothing.  As in a shell, the default is taken when
the variable is unset or empty; without a default an unset variable is an error and an empty one is empty.

Knows:     the environment it is given.
Never:     settings, files, the process's own environment.
Runs in:   wherever a configuration is loaded; pure.
Raises:    ExpansionError with the sentence for the operator.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_PLACE = re.compile(r"\$\$\{|\$\{(?P<inside>[^}]*)(?P<closed>\}?)")
_INSIDE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>.*))?", re.DOTALL)


class ExpansionError(ValueError):
    """A ``${…}`` that cannot be replaced."""


def expand(text: str, environment: Mapping[str, str]) -> str:
    """Return ``text`` with every ``${…}`` replaced; a replacement is not looked into again."""

    def replacement(match: re.Match[str]) -> str:
        if match.group() == "$${":
            return "${"
        inside = _INSIDE.fullmatch(match["inside"])
        if not inside or not match["closed"]:
            raise ExpansionError(f"expected ${{NAME}} or ${{NAME:-default}}, got {match.group()}; $${{ stands for ${{")
        name, default = inside["name"], inside["default"]
        value = environment.get(name, "")
        if default is not None:
            return value or default
        if name not in environment:
            raise ExpansionError(f"the environment variable {name} is not set; ${{{name}:-default}} does without it")
        return value

    return _PLACE.sub(replacement, text)


def escape(text: str) -> str:
    """Return the text that :func:`expand` turns into ``text``."""
    return text.replace("${", "$${")
