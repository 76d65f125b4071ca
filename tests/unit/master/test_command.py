from __future__ import annotations

import pytest

from hybridd.master.command import as_typed, directory_of

SCRIPT = "/opt/current/bin/hybridd"


@pytest.mark.parametrize(
    ("words", "first_line", "typed"),
    [
        ("/opt/1/bin/python SCRIPT run -c x", b"#!/opt/1/bin/python\nimport sys", "SCRIPT run -c x"),
        ("/opt/1/bin/python SCRIPT run", b"#! /opt/1/bin/python\n", "SCRIPT run"),
        ("/opt/1/bin/python -I SCRIPT run", b"#!/opt/1/bin/python -I\n", "SCRIPT run"),
        ("python3 SCRIPT run", b"#!/usr/bin/env python3\n", "SCRIPT run"),
        ("/a long/python SCRIPT run", b'#!/bin/sh\n\'\'\'exec\' "/a long/python" "$0" "$@"\n', "SCRIPT run"),
        # Somebody else's choice of an interpreter.
        ("python3.12 SCRIPT run", b"#!/opt/1/bin/python\n", "python3.12 SCRIPT run"),
        ("python SCRIPT run", b"import sys\n", "python SCRIPT run"),
    ],
)
def test_a_script_is_run_as_a_script_again(words, first_line, typed):
    def split(text):
        return ["/a long/python", *text.split()[2:]] if text.startswith("/a long") else text.split()

    found = as_typed([SCRIPT if word == "SCRIPT" else word for word in split(words)], {SCRIPT: first_line})
    assert list(found) == [SCRIPT if word == "SCRIPT" else word for word in typed.split()]


def test_a_module_is_run_as_a_module_again():
    words = ["python", "-W", "error", "-m", "hybridd", "run"]
    assert as_typed(words, {}) == words


def test_the_directory_is_text_when_it_is_the_right_one(tmp_path, monkeypatch):
    (tmp_path / "release").mkdir()
    (tmp_path / "current").symlink_to("release")
    monkeypatch.chdir(tmp_path / "release")
    assert directory_of({"PWD": f"{tmp_path}/current"}) == f"{tmp_path}/current"
    for wrong in ("/", "current", f"{tmp_path}/gone", ""):
        assert directory_of({"PWD": wrong}) == str(tmp_path / "release")
    assert directory_of({}) == str(tmp_path / "release")
