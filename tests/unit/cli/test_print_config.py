"""The effective configuration on standard output."""

from __future__ import annotations

import json

from hybridd.cli.print_config import main
from hybridd.config.loading import load
from hybridd.config.settings import Config


def test_the_output_is_a_configuration_again(capsys, tmp_path):
    arguments = ["shop:app", "-w", "3", "-b", "[::]:80", "-b", "unix:/a", "--set", "timeouts.handler=90s"]
    assert main(arguments) == 0
    (tmp_path / "again.yaml").write_text(capsys.readouterr().out)
    again = load([tmp_path / "again.yaml"], {}, {}).config
    assert (again.application, again.workers, len(again.listen), again.timeouts.handler) == ("shop:app", 3, 2, 90.0)


def test_origins_are_shown(capsys, monkeypatch):
    monkeypatch.setenv("HYBRIDD_THREADS", "7")
    assert main(["-w", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "workers: 3                                # -w" in lines
    assert "threads: 7                                # HYBRIDD_THREADS" in lines
    assert "backlog: 2048                             # default" in lines


def test_json(capsys):
    assert main(["--json", "-w", "3"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["config"]["workers"] == 3
    assert printed["origins"]["workers"] == "-w"
    assert printed["config"]["backlog"] == Config().backlog
