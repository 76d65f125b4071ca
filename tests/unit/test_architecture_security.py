"""What docs/security.md names exists: every test by its name, every setting."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hybridd.config.settings import SCHEMA

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]
THREATS = [row for row in ROWS if row[0] != "threat"]


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_there_are_threats_of_every_kind():
    assert len(THREATS) > 20
    assert {len(row) for row in ROWS} == {4}
    assert PAGE.count("| threat | what is done | settings | tests |") == PAGE.count("\n## ") - 1


@pytest.mark.parametrize("row", THREATS, ids=[row[0][:40] for row in THREATS])
def test_a_threat_has_settings_and_tests_that_exist(row):
    _, done, settings, tests = row
    assert done
    assert set(words(settings)) <= set(SCHEMA.settings)
    assert words(tests), "nothing holds it"
    for named in words(tests):
        path, _, name = named.partition("::")
        source = (ROOT / path).read_text()
        assert re.search(rf"^def {name}\(" if name else "^def test_", source, re.MULTILINE), named
