"""Loading an application for ``check --load``."""

from __future__ import annotations

import sys

import pytest

from hybridd.cli.trial import main

SOURCE = """
import asyncio


def application(environ, start_response):
    return []


def make():
    return application


class Echo(asyncio.Protocol):
    pass
"""


@pytest.fixture(autouse=True)
def module(tmp_path, monkeypatch):
    (tmp_path / "tried_out.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    sys.modules.pop("tried_out", None)


@pytest.mark.parametrize(
    "arguments",
    [
        ["application", "tried_out:application"],
        ["application", "tried_out:make", "--factory"],
        ["protocol", "tried_out:Echo"],
    ],
)
def test_what_loads(arguments, capsys):
    assert main(arguments) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("arguments", [["application", "tried_out:aplication"], ["protocol", "tried_out:application"]])
def test_what_does_not_load_says_why(arguments, capsys):
    assert main(arguments) == 70
    assert capsys.readouterr().err.startswith(f"cannot load '{arguments[1]}': ")
