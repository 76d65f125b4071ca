"""The handwritten pages, held by reading them: what is made from the source is true, and they keep their shape."""

from __future__ import annotations

import re

import pytest

from hybridd.cli.main import COMMANDS, HELP
from hybridd.errors import ExitCode
from hybridd.http.outcome import Outcome
from hybridd.master.verbs import make_verbs
from tests.support import pages

OPERATIONS = pages.ROOT / "docs" / "operations.md"
HEADINGS = ["How", "What clients see", "What can go wrong", "Limits"]


@pytest.mark.parametrize("page", pages.PARTS, ids=lambda page: page.name)
def test_what_is_made_from_the_source_is_true(page):
    assert page.read_text() == pages.with_parts(page), f"{page.name} is out of date: make docs"


def test_every_exit_code_is_explained():
    assert [f"| {code:d} |" in pages.with_parts(OPERATIONS) for code in ExitCode] == [True] * len(ExitCode)
    assert all(f"{code:d} " in HELP.partition("exit status:")[2] for code in ExitCode)


def test_every_verb_command_and_outcome_is_in_the_manual():
    page = OPERATIONS.read_text()
    for method, path in make_verbs(None, dict, None):
        assert re.search(rf"^\| .*`{method} {path}[`?]", page, re.MULTILINE), f"{method} {path}"
    for command in COMMANDS:
        assert re.search(rf"(hybridd |`){command}\b", page), command
    for outcome in Outcome:
        assert re.search(rf"^\| `{outcome}` \|", page, re.MULTILINE), outcome


def test_every_operation_is_told_under_the_same_headings():
    page = OPERATIONS.read_text()
    sections = page.partition("\n## Operations\n")[2].partition("\n## ")[0].split("\n### ")[1:]
    assert len(sections) >= 17
    for section in sections:
        name = section.partition("\n")[0]
        assert re.findall(r"^\*\*([A-Z][^.*]*)\.\*\*", section, re.MULTILINE) == HEADINGS, name


def test_links_inside_the_manual_lead_somewhere():
    for page in (pages.ROOT / "docs").glob("*.md"):
        for target, anchor in re.findall(r"\]\(([\w.]*)#([\w-]+)\)", page.read_text()):
            text = (page.parent / target).read_text() if target else page.read_text()
            titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in anchors, f"{page.name}: {target}#{anchor}"
