"""The manual pages and the completion: made from the source, complete, and committed as they are made."""

from __future__ import annotations

import re

import pytest

from hybridd.cli import completion, manual
from hybridd.cli.commands import commands
from hybridd.cli.main import COMMANDS
from hybridd.config.settings import SCHEMA
from hybridd.errors import ExitCode
from hybridd.master.signals import SIGNALS
from tests.support.pages import ROOT

PAGES = manual.pages()
SCRIPTS = completion.scripts()


def plain(troff):
    return re.sub(r"\\f[BIR]", "", troff).replace(r"\-", "-").replace(r"\e", "\\")


@pytest.mark.parametrize("name", PAGES)
def test_the_pages_in_man_are_up_to_date(name):
    assert (ROOT / "man" / name).read_text() == PAGES[name], "make docs"


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_completion_is_up_to_date(name):
    assert (ROOT / "completion" / name).read_text() == SCRIPTS[name], "make docs"


def test_every_command_option_signal_and_exit_code_is_in_the_manual():
    page = plain(PAGES["hybridd.8"])
    for name in COMMANDS:
        assert f"\n.SS {name}\n" in page
    for command in commands():
        for option in command.options:
            assert ", ".join(option.spellings) in page, (command.name, option)
    for one in SIGNALS:
        assert f"\n.TP\n{one.name}\n" in page
    for code in ExitCode:
        assert f"\n.TP\n{code:d}\n" in page


def test_every_setting_has_its_variable_and_its_default_in_the_manual():
    page = plain(PAGES["hybridd.yaml.5"])
    for setting in SCHEMA.settings.values():
        assert f"\n.TP\n{setting.key}\n" in page
        assert f"Variable: {setting.variable}." in page


@pytest.mark.parametrize(
    ("markdown", "troff"),
    [
        ("`a-b` and **c** or *d*", r"\fBa\-b\fR and \fBc\fR or \fId\fR"),
        (".hidden", r"\&.hidden"),
        ("a\\b\n  c", r"a\eb c"),
        ("a:b " + "long:" * 12 + "er", "a:b " + r"long:\:" * 12 + "er"),
    ],
)
def test_text_is_shown_as_it_is_written(markdown, troff):
    assert manual._inline(markdown) == troff
