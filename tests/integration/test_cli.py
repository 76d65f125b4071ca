"""The commands beside ``run``: check, print-config, health."""

from __future__ import annotations

import json
import re
import socket

import pytest
import yaml

from tests.support.command import hybridd

ROOT_FILES = ("hybridd.yaml", "development.yaml", "container.yaml")


def test_check_is_silent_about_what_is_right(tmp_path):
    file = tmp_path / "good.yaml"
    file.write_text("workers: 2\n")
    done = hybridd("check", "-c", str(file))
    assert done.returncode == 0, done.stderr


def test_check_lists_every_problem_with_its_place(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text("workers: many\ntimeouts:\n  haed: 3s\n  body: 3 parsecs\nworkers: 2\n")
    done = hybridd("check", "-c", str(file))
    assert done.returncode == 78
    places = re.findall(r"bad\.yaml:(\d+):(\d+): ", done.stdout + done.stderr)
    assert {line for line, _ in places} >= {"1", "3", "4", "5"}
    assert "did you mean" in done.stdout + done.stderr


@pytest.mark.parametrize("name", ROOT_FILES)
def test_the_configurations_that_are_delivered_are_valid(name, pytestconfig):
    done = hybridd("check", "-c", str(pytestconfig.rootpath / "config" / name))
    assert done.returncode == 0, done.stderr


def test_print_config_shows_values_and_origins(tmp_path):
    file = tmp_path / "some.yaml"
    file.write_text("workers: 3\ntimeouts:\n  head: 5s\n")
    done = hybridd("print-config", "-c", str(file), "--threads", "7", environment={"HYBRIDD_TIMEOUTS__HEAD": "4s"})
    assert done.returncode == 0, done.stderr

    def line(key):
        return next(line for line in done.stdout.splitlines() if line.strip().startswith(f"{key}:"))

    assert "3" in line("workers")
    assert "some.yaml:1" in line("workers")
    assert "4s" in line("head")
    assert "HYBRIDD_TIMEOUTS__HEAD" in line("head")
    assert "--threads" in line("threads")
    assert "default" in line("backlog")
    assert yaml.safe_load(done.stdout)["timeouts"]["head"] is not None  # what it prints is a configuration again


def test_health_agrees_with_the_server(serve):
    server = serve({"application": "service:app"})
    done = hybridd("health", "-c", str(server.config_file))
    assert done.returncode == 0, done.stdout + done.stderr
    server.stop()
    gone = hybridd("health", "-c", str(server.config_file))
    assert gone.returncode != 0
    assert gone.stdout + gone.stderr
    assert "Traceback" not in gone.stderr


def test_health_takes_the_address_from_the_flag():
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
    done = hybridd("health", "--admin", address)
    assert done.returncode != 0
    assert address in done.stdout + done.stderr


def test_flags_win_over_the_environment_and_the_file(serve):
    server = serve(
        {"application": "service:app", "workers": 1, "threads": 3},
        arguments=["-w", "2", "--set", "limits.queue=5"],
        environment={"HYBRIDD_WORKERS": "4", "HYBRIDD_THREADS": "9"},
    )
    server.wait_workers(2)
    assert server.metrics().total("hybridd_handler_slots") == 2 * 9


def test_the_version_and_the_help():
    version = hybridd("--version")
    assert version.returncode == 0
    assert re.search(r"\d+\.\d+", version.stdout)
    assert hybridd("--help").returncode == 0
    assert "--workers" in hybridd("run", "--help").stdout


def test_json_is_well_formed_where_it_is_promised(serve):
    server = serve({"application": "service:app"})
    json.loads(server.ask_admin("/status").body)
