"""The reference page of all settings: ``python -m hybridd.config.reference``.

Knows:     the declarations.
Never:     where the page is kept (docs/settings.md, held by a test).
Runs in:   development and tests; pure.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from hybridd.config.declaration import Schema, Setting
from hybridd.config.settings import SCHEMA

_HEAD = """\
# Settings

*Made from the declarations in `hybridd/config/settings.py` by `python -m hybridd.config.reference > docs/settings.md`.*
"""

ABOUT = """\
A setting can be given in four places; a later one wins:

1. its default;
2. YAML files, `-c FILE`, in the order given; of a directory all `*.yaml` in the order of their names.
   No file is read unless it is given.
3. environment variables, `HYBRIDD_SECTION__KEY`; a blank one says nothing.
   `WEB_CONCURRENCY` is the number of workers when `HYBRIDD_WORKERS` is not set.
4. the command line: its flag, or `--set section.key=value` for any setting.

`hybridd print-config` shows the value that counts and where it came from, `hybridd check` everything that is wrong.

**Values.** Durations have units: `500ms`, `30s`, `1m30s`, `2h`, `1d`. Sizes have binary units: `512B`, `16KiB`,
`64MiB`, `1GiB`. Numbers may be grouped: `10_000`. A list is a YAML list, or separated by commas in a variable.
Relative paths begin at the directory in which hybridd is started.

**In YAML** the plain part is taken: keys, lists, values; no anchors, aliases, merge keys, tags or second documents.
`${NAME}` and `${NAME:-default}` in a value stand for environment variables, `$${` for `${` itself. A section whose
settings are all commented out may stay. Editors know the keys with `config/schema.json`.

**Reload.** A reload (`HUP`) loads everything again and changes all settings, except those marked *restart*.
"""


def page(schema: Schema[Any] = SCHEMA) -> str:
    """Return the page in Markdown."""
    return "\n".join(_lines(schema))


def _lines(schema: Schema[Any]) -> Iterator[str]:
    yield _HEAD
    yield ABOUT
    for section in schema.sections:
        yield f"## {f'`{section.key}`' if section.key else 'Top level'}"
        yield ""
        yield section.help
        yield ""
        for setting in section.settings:
            yield from _setting(setting)


def _setting(setting: Setting) -> Iterator[str]:
    declaration = setting.declaration
    yield f"### `{setting.key}`"
    yield ""
    yield declaration.help
    yield ""
    yield f"- Default: `{setting.shown(setting.default)}`"
    yield f"- Expected: {expected(setting)}"
    yield f"- Variable: `{setting.variable}`"
    if declaration.flags:
        yield f"- Flags: {', '.join(f'`{flag}`' for flag in declaration.flags)}"
    if declaration.restart:
        yield f"- Reload: needs a *restart*, because {declaration.restart}"
    if declaration.secret:
        yield f"- Secret: never shown; `{setting.name}_file` and `{setting.variable}_FILE` name a file that holds it"
    yield ""


def expected(setting: Setting) -> str:
    """Return what a setting takes, in words."""
    return f"{setting.kind.expected}{'; one or several' if setting.kind.item else ''}"


if __name__ == "__main__":
    sys.stdout.write(page())
