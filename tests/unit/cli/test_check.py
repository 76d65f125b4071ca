"""The verdict on a configuration."""

from __future__ import annotations

import pytest

from hybridd.cli.check import facts, failure, main, trial_arguments
from hybridd.config.settings import Config, Log


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text, name="hybridd.yaml"):
        (tmp_path / name).write_text(text)
        return name

    return write


def test_what_is_right_is_said_for_each_file(file, capsys):
    one, two = file("workers: 1\n"), file("threads: 2\n", "two.yaml")
    assert main(["-c", one, "-c", two]) == 0
    assert capsys.readouterr() == ("hybridd.yaml: ok\ntwo.yaml: ok\n", "")
    assert main([]) == 0
    assert capsys.readouterr() == ("configuration: ok\n", "")


def test_problems_stand_as_editors_want_them(file, capsys):
    assert main(["-c", file("workers: x\nthreads: y\n")]) == 78
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors == (
        "hybridd.yaml:1:10: workers: expected a whole number from 1 to 512, or auto, got x\n"
        "hybridd.yaml:2:10: threads: expected a whole number from 1 to 1024, got y\n"
    )


def test_strict_refuses_what_is_unwise_with_its_place(file, capsys):
    name = file("timeouts:\n  keep_alive: 5s\n")
    assert main(["-c", name]) == 0
    capsys.readouterr()
    assert main(["-c", name, "--strict", "--admin", "0.0.0.0:9815", "--set", "limits.connections=1000"]) == 78
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("hybridd.yaml:2:3: timeouts.keep_alive: 5s is shorter than the 60s")
    assert lines[1].startswith("--admin: 0.0.0.0:9815 shows metrics")
    assert len(lines) == 2


def test_what_is_odd_is_said_and_only_strict_refuses_it(file, monkeypatch, capsys):
    monkeypatch.setenv("HYBRIDD_WORKERS", "")
    name = file("limits: {connections: 1000}\n")
    assert main(["-c", name]) == 0
    assert capsys.readouterr().err == "HYBRIDD_WORKERS: is blank and says nothing\n"
    assert main(["-c", name, "--strict"]) == 78


def test_users_that_do_not_exist_are_a_warning(file, capsys):
    """hybridd may run on another machine than the one that checks."""
    name = file("user: no-such-user\nlimits: {connections: 1000}\n")
    assert main(["-c", name]) == 0
    assert capsys.readouterr().err == f"{name}:1:1: user: there is no user no-such-user on this machine\n"
    assert main(["-c", name, "--strict"]) == 78
    capsys.readouterr()
    assert main(["-c", name, "-u", "root", "-g", "no-such-group"]) == 0
    assert capsys.readouterr().err == "-g: there is no group no-such-group on this machine\n"


def test_facts_are_about_this_machine(tmp_path):
    found = facts(Config(log=Log(file="/nowhere/at/all.log"), chdir=str(tmp_path)))
    assert found.cpus >= 1
    assert found.somaxconn >= 1
    assert found.missing == {"/nowhere/at"}


@pytest.mark.parametrize(
    ("config", "arguments"),
    [
        (Config(application="a:b"), ["application", "a:b"]),
        (Config(application="a:b", factory=True), ["application", "a:b", "--factory"]),
        (Config(protocol="a:B"), ["protocol", "a:B"]),
    ],
)
def test_what_the_child_that_loads_is_told(config, arguments):
    assert trial_arguments(config) == arguments


@pytest.mark.parametrize(
    ("status", "said", "message"),
    [
        (70, "cannot load 'a:b'", "cannot load 'a:b'"),
        (3, "", "a:b ended its process with status 3 while it was loaded"),
        (3, "bye", "a:b ended its process with status 3 while it was loaded:\nbye"),
        (-11, "", "a:b was killed by SIGSEGV while it was loaded"),
        (70, "", "a:b ended its process with status 70 while it was loaded"),
    ],
)
def test_what_is_said_about_a_child_that_did_not_load(status, said, message):
    assert failure("a:b", status, said) == message
