"""The version, for a bug report."""

from __future__ import annotations

import tomllib
from pathlib import Path

from hybridd import __version__
from hybridd.cli.version import LIBRARIES, version_text

PROJECT = Path(__file__).resolve().parents[3] / "pyproject.toml"


def test_all_libraries_that_hybridd_runs_with_are_named():
    wanted = tomllib.loads(PROJECT.read_text())["project"]["dependencies"]
    names = {requirement.partition(">")[0].strip() for requirement in wanted}
    assert names == set(LIBRARIES)


def test_every_line_is_a_name_and_a_version():
    lines = version_text().splitlines()
    assert lines[0] == f"hybridd {__version__}"
    assert len(lines) == 3 + len(LIBRARIES)
    assert all(" " in line for line in lines)


def test_a_library_that_is_missing_does_not_hide_the_others(monkeypatch):
    monkeypatch.setattr("hybridd.cli.version.LIBRARIES", ("no-such-library", "PyYAML"))
    *_, missing, present = version_text().splitlines()
    assert missing == "no-such-library is not installed"
    assert present.startswith("PyYAML ")
