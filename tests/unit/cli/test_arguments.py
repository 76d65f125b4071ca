"""Arguments become values by key, with the flag as it was spelled."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridd.cli.arguments import GROUPS, add_settings, new_parser, read
from hybridd.config.loading import Flag
from hybridd.config.settings import SCHEMA
from hybridd.errors import UsageError

SCREEN = 24


def given(*arguments, positional=True):
    parser = new_parser("run", "Run.", positional=positional)
    add_settings(parser)
    return read(parser, arguments, positional=positional)


def test_every_flag_stands_in_one_group_of_the_help():
    members = [key for group in GROUPS.values() for key in group]
    assert len(members) == len(set(members))
    assert set(members) == {key for key, one in SCHEMA.settings.items() if one.declaration.flags}


def test_nothing_is_nothing():
    nothing = given()
    assert (nothing.files, nothing.flags) == ([], {})


@pytest.mark.parametrize(
    ("arguments", "key", "flags"),
    [
        (["-w", "2"], "workers", [Flag("-w", "2")]),
        (["-w2"], "workers", [Flag("-w", "2")]),
        (["--workers=2"], "workers", [Flag("--workers", "2")]),
        (["--workers", "auto"], "workers", [Flag("--workers", "auto")]),
        (["-w", "2", "--workers", "3"], "workers", [Flag("-w", "2"), Flag("--workers", "3")]),
        (["-b", "unix:/a", "--bind", "unix:/b"], "listen", [Flag("-b", "unix:/a"), Flag("--bind", "unix:/b")]),
        (["-t", "30s"], "timeouts.worker", [Flag("-t", "30s")]),
        (["--graceful-timeout", "5s"], "timeouts.graceful", [Flag("--graceful-timeout", "5s")]),
        (["-k", "hybrid"], "pattern", [Flag("-k", "hybrid")]),
        (["--factory"], "factory", [Flag("--factory", "true")]),
        (["--access-logfile", "-"], "access_log.file", [Flag("--access-logfile", "-")]),
        (["--access-log="], "access_log.file", [Flag("--access-log", "")]),
        (["--set", "limits.body=1GiB"], "limits.body", [Flag("--set limits.body", "1GiB")]),
        (["--set", "chdir=a=b"], "chdir", [Flag("--set chdir", "a=b")]),
        (["--set=chdir="], "chdir", [Flag("--set chdir", "")]),
        (
            ["--admin", "off", "--set", "admin=unix:/a"],
            "admin",
            [Flag("--admin", "off"), Flag("--set admin", "unix:/a")],
        ),
    ],
)
def test_a_flag_is_noted_as_it_was_spelled(arguments, key, flags):
    assert given(*arguments).flags == {key: flags}


@pytest.mark.parametrize(
    "arguments",
    [
        ["shop:app", "-w", "2", "-c", "a"],
        ["-w", "2", "shop:app", "-c", "a"],
        ["-w", "2", "-c", "a", "shop:app"],
        ["-c", "a", "-w", "2", "--", "shop:app"],
    ],
)
def test_the_application_may_stand_anywhere(arguments):
    found = given(*arguments)
    assert found.flags == {"application": [Flag("MODULE:CALLABLE", "shop:app")], "workers": [Flag("-w", "2")]}
    assert found.files == [Path("a")]


def test_files_keep_their_order():
    assert given("-c", "b.yaml", "--config", "a.yaml", "-cc.yaml").files == [
        Path("b.yaml"),
        Path("a.yaml"),
        Path("c.yaml"),
    ]


@pytest.mark.parametrize("arguments", [["--work", "2"], ["-x"], ["--workers"], ["a", "b"], ["--factory=1"], ["--set"]])
def test_a_wrong_spelling_is_refused(arguments):
    with pytest.raises(UsageError):
        given(*arguments)


def test_a_command_without_an_application_takes_no_positional():
    with pytest.raises(UsageError, match="unexpected argument shop:app"):
        given("shop:app", positional=False)


def test_a_command_may_know_some_flags_only():
    parser = new_parser("health", "Ask.")
    add_settings(parser, "admin")
    assert read(parser, ["--admin", "off"]).flags == {"admin": [Flag("--admin", "off")]}
    with pytest.raises(UsageError):
        read(parser, ["-w", "2"])


@pytest.mark.parametrize("width", [70, 80, 110])
def test_each_group_of_the_help_fits_a_screen(monkeypatch, width):
    monkeypatch.setattr("hybridd.cli.arguments._columns", lambda: width)
    parser = new_parser("run", "Run.", positional=True)
    add_settings(parser)
    help_text = parser.format_help()
    assert max(map(len, help_text.splitlines())) <= width
    for group in help_text.split("\n\n")[2:]:
        assert len(group.splitlines()) <= SCREEN


def test_the_help_shows_one_short_and_one_long_spelling_and_the_default():
    parser = new_parser("run", "Run.", positional=True)
    add_settings(parser)
    lines = parser.format_help()
    assert "  -w, --workers N|auto " in lines
    assert "  -b, --bind ADDRESS " in lines
    assert "  -t, --timeout DURATION " in lines
    assert "  --factory " in lines
    assert "(default 0.0.0.0:8080)" in " ".join(lines.split())
    assert "--listen" not in lines
