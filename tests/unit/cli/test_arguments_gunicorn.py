"""docs/gunicorn.md: what it promises of flags and settings is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hybridd.cli.arguments import add_settings, new_parser, read
from hybridd.config.settings import SCHEMA
from hybridd.errors import UsageError

PAGE = Path(__file__).resolve().parents[3] / "docs" / "gunicorn.md"
ROWS = [row for row in re.findall(r"^\| (.*) \| (.*) \|$", PAGE.read_text(), re.MULTILINE) if row[0] != "gunicorn"]


def known_flags():
    parser = new_parser("run", "Run.")
    add_settings(parser)
    return {spelling for action in parser._actions for spelling in action.option_strings} | {"--load"}


@pytest.mark.parametrize(("theirs", "ours"), ROWS, ids=[row[0] for row in ROWS])
def test_what_the_page_names_exists(theirs, ours):
    for word in re.findall(r"`([^`]*)`", ours):
        if word.startswith("-"):
            assert word in known_flags()
        elif re.fullmatch(r"[a-z]+\.[a-z_]+", word) and not word.endswith(".md"):
            assert word in SCHEMA.settings


def test_what_is_the_same_is_spelled_the_same():
    same = PAGE.read_text().partition("## The same")[2].partition("## Nearly")[0]
    rows = re.findall(r"^\| (`-.*) \| (.*) \|$", same, re.MULTILINE)
    assert len(rows) > 12
    for theirs, _ in rows:
        for flag in re.findall(r"`(--?[a-z-]+)`", theirs):
            assert flag in known_flags()


@pytest.mark.parametrize(
    ("flag", "meant"),
    [
        ("--check-config", "hybridd check"),
        ("--print-config", "hybridd print-config"),
        ("--version", "hybridd --version"),
    ],
)
def test_flags_that_are_commands_here(flag, meant):
    parser = new_parser("run", "Run.")
    with pytest.raises(UsageError, match=f"^unknown flag {flag}; did you mean {meant}$"):
        read(parser, [flag])
