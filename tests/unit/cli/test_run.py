"""The command that becomes the master, as far as it goes before."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from hybridd.cli.run import main
from hybridd.errors import ConfigurationError


@pytest.fixture
def master(monkeypatch):
    """A module that stands where the master's is imported from; it notes what it is given."""
    started = []
    module = ModuleType("hybridd.master.main")
    module.run = lambda loaded: started.append(loaded) or 7
    monkeypatch.setitem(sys.modules, "hybridd.master.main", module)
    return started


def test_the_master_gets_what_was_loaded_and_its_status_is_ours(master):
    assert main(["shop:app", "-w", "3"]) == 7
    (loaded,) = master
    assert (loaded.config.application, loaded.config.workers) == ("shop:app", 3)
    assert str(loaded.origins["application"]) == "MODULE:CALLABLE"


def test_with_a_wrong_configuration_no_master_starts(master):
    with pytest.raises(ConfigurationError):
        main(["-w", "0"])
    assert master == []


def test_what_is_odd_is_said_before_the_start(master, monkeypatch, capsys):
    monkeypatch.setenv("HYBRIDD_WORKERS", "")
    assert main([]) == 7
    assert capsys.readouterr().err == "hybridd: HYBRIDD_WORKERS: is blank and says nothing\n"


def test_logs_that_a_daemon_would_lose_are_named(master, capsys):
    assert main(["--daemon"]) == 7
    text = "- is standard error, which a daemon does not have: what hybridd has to say is lost; name a file"
    assert capsys.readouterr().err == f"hybridd: log.file: {text}\n"
    assert main(["--daemon", "--log-file", "/var/log/hybridd.log"]) == 7
    assert capsys.readouterr().err == ""
