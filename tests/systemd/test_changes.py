"""What changes a running service: systemctl reload, good and bad, upgrades, restarts, under clients who notice."""

from __future__ import annotations

import pytest

from tests.support.load import Plan
from tests.support.unit import HELLO, QUICK

pytestmark = [pytest.mark.systemd, pytest.mark.watchdog(300)]

CLIENTS = Plan("127.0.0.1:8080", connections=8, keep_alive=False, think=0.01)
STATE = "/var/lib/hybridd"


def test_reload_replaces_the_workers_of_the_same_master(unit):
    unit.start()
    master, worker = unit.main_pid(), unit.get("/pid")
    with unit.machine.load(CLIENTS) as clients:
        unit.machine.run("systemctl reload hybridd")  # returns when the new generation serves
        clients.wait_answered(20)
    assert clients.tally.failed == 0, clients.tally.failures
    assert unit.get("/pid") != worker
    assert unit.main_pid() == master
    assert unit.status() == "running: 2 of 2 workers ready, generation 2"
    assert unit.said("reloaded: generation 2 serves with 2 workers")


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        ("printf 'thraeds: 3\\n' > /etc/hybridd/test.yaml", "did you mean threads"),
        ("printf 'application: nowhere:app\\n' > /etc/hybridd/test.yaml", "there is no module 'nowhere'"),
    ],
    ids=["configuration", "application"],
)
def test_a_reload_that_fails_fails_visibly_and_the_old_code_serves(unit, harm, reason):
    settings = {key: value for key, value in QUICK.items() if key != "HYBRIDD_APPLICATION"}
    unit.machine.run("printf 'application: service:app\n' > /etc/hybridd/test.yaml")
    unit.start(
        "ExecStart=", "ExecStart=/opt/hybridd/bin/hybridd run -c /etc/hybridd/test.yaml", **settings,
    )  # fmt: skip
    worker = unit.get("/pid")
    unit.machine.run(harm)
    done = unit.machine.run("systemctl reload hybridd", check=False)
    assert done.returncode != 0
    assert "Job for hybridd.service failed" in done.stderr
    assert unit.show("ActiveState") == "active"
    assert unit.get() == "hello"
    assert worker in unit.processes()
    assert "last reload refused" in unit.status()
    unit.wait_said(reason)
    assert "hybridd_config_last_reload_successful 0.0" in unit.metrics()
    # Put right, it is taken.
    unit.machine.run("printf 'application: service:app\n' > /etc/hybridd/test.yaml && systemctl reload hybridd")
    assert "refused" not in unit.status()


def test_an_upgrade_moves_the_main_process_and_the_unit_stays_active(unit):
    unit.start(HYBRIDD_LISTEN="systemd:http", **QUICK)
    first = unit.main_pid()
    with unit.machine.load(CLIENTS) as clients:
        unit.machine.run("/opt/hybridd/bin/hybridd upgrade")
        clients.wait_answered(20)
    assert clients.tally.failed == 0, clients.tally.failures
    second = unit.main_pid()
    assert second not in ("0", first)
    assert first not in unit.processes(), "the first one has left"
    # One that fails changes nothing, and the file that it read is the one that is there now.
    unit.machine.run(
        "cp /etc/hybridd/hybridd.yaml /etc/hybridd/right; printf 'thraeds: 3\n' > /etc/hybridd/hybridd.yaml"
    )
    done = unit.machine.run("/opt/hybridd/bin/hybridd upgrade", check=False)
    unit.machine.run("mv /etc/hybridd/right /etc/hybridd/hybridd.yaml")
    assert done.returncode == 1
    assert "did you mean threads" in done.stderr
    assert unit.main_pid() == second
    # By signal too, to the second one.
    unit.machine.run("systemctl kill --kill-whom=main -s USR2 hybridd")
    unit.machine.wait(lambda: unit.main_pid() not in ("0", second), "another one is the main process")
    assert (unit.show("ActiveState"), unit.show("NRestarts")) == ("active", "0")
    unit.machine.run("systemctl reload hybridd")
    assert "running: " in unit.status()
    # Its end is waited for: systemd kills a main process at once that was not its own child when it was announced.
    request = unit.background(unit.curl(f"/hold?file={STATE}/go&began={STATE}/began"))
    unit.machine.wait(lambda: unit.machine.run(f"test -e {STATE}/began", check=False).returncode == 0, "it runs")
    stop = unit.background("systemctl stop hybridd.socket hybridd")
    unit.machine.wait(lambda: unit.status().startswith("stopping"), "it stops")
    unit.machine.run(f"touch {STATE}/go")
    assert request.communicate(timeout=30)[0] == "released\n"
    stop.communicate(timeout=30)
    unit.ended_well()


def test_a_socket_unit_starts_the_service_with_the_first_connection(unit):
    unit.configure(HYBRIDD_LISTEN="systemd:http", **HELLO)
    unit.machine.run("systemctl start hybridd.socket")
    assert unit.show("ActiveState") == "inactive"
    assert unit.get() == "hello"
    unit.machine.wait(lambda: unit.show("ActiveState") == "active", "READY=1, a moment behind the first answer")


@pytest.mark.parametrize("keep_alive", [True, False], ids=["keep-alive", "connection each"])
def test_a_restart_behind_a_socket_unit_refuses_nobody(unit, keep_alive):
    unit.start(HYBRIDD_LISTEN="systemd:http", **QUICK)
    plan = Plan("127.0.0.1:8080", connections=16, keep_alive=keep_alive, think=0.005)
    with unit.machine.load(plan) as clients:
        for _ in range(2):
            unit.machine.run("systemctl restart hybridd")
            clients.wait_answered(50)
    assert clients.tally.failed == 0, clients.tally.failures
