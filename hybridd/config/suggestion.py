"""Which setting was meant: by a misspelt key, another program's word, the wrong section.

Knows:     the declarations (keys, flags, the words that other programs use).
Never:     values, files.
Runs in:   wherever a configuration is loaded or a command line is read; pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from hybridd.config.declaration import Schema, Setting

T = TypeVar("T")
_SURE = 0.75  # of difflib's ratio; below, a suggestion is more often wrong than right
_SURE_OF_WORDS = 0.66  # few and short: "rnu" is run


def suggest_setting(schema: Schema[Any], written: str) -> Setting | None:
    """Return the setting that ``written``, a key with or without its section, was probably meant to be."""
    wanted = _plain(written)
    name = _plain(written.rpartition(".")[2])
    section = written.rpartition(".")[0]
    settings = tuple(schema.settings.values())
    same_section = {_plain(one.key): one for one in settings if one.section == section}
    synonyms = {_plain(word): one for one in settings for word in (*one.declaration.flags, *one.declaration.also)}
    everywhere = {_plain(one.key): one for one in settings}
    counts = Counter(one.name for one in settings)  # "file" says nothing, there are two
    names = {_plain(one.name): one for one in settings if counts[one.name] == 1}
    return (
        everywhere.get(wanted)
        or synonyms.get(wanted)
        or synonyms.get(name)
        or names.get(name)
        or _close(wanted, same_section)
        or _close(wanted, everywhere)
        or _close(name, names)
        or _close(name, synonyms)
    )


def suggest_word(written: str, words: Iterable[str]) -> str:
    """Return the one of ``words`` that ``written`` was probably meant to be, or nothing."""
    return _close(_plain(written), {_plain(word): word for word in words}, _SURE_OF_WORDS) or ""


def _plain(word: str) -> str:
    return word.lower().strip("-_ ").replace("-", "_").replace(".", "_")


def _close(word: str, choices: Mapping[str, T], cutoff: float = _SURE) -> T | None:
    matches = get_close_matches(word, choices, n=1, cutoff=cutoff)
    return choices[matches[0]] if matches else None
