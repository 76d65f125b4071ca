"""The unit files under a real systemd: start, stop, reload, crash, watchdog, socket activation, sandbox."""

from __future__ import annotations

import pytest

from tests.support.machine import Machine, build_wheel

pytestmark = [pytest.mark.systemd, pytest.mark.watchdog(400)]

GET = "curl -sS --max-time 5 http://127.0.0.1:8080"
DROP_IN = "/run/systemd/system/hybridd.service.d/test.conf"


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def machine(request, tmp_path_factory):
    machine = Machine(f"hybridd-{request.param}", request.param)
    machine.up()
    try:
        machine.install(build_wheel(tmp_path_factory.mktemp("wheel")))
        yield machine
    finally:
        machine.down()


@pytest.fixture
def stopped(machine):
    """The machine with nothing of hybridd running, before and after."""

    def stop():
        machine.run("systemctl stop hybridd.socket hybridd.service; systemctl reset-failed", check=False)
        machine.run(f"rm -rf {DROP_IN} && systemctl daemon-reload")

    stop()
    yield machine
    stop()


def configure(machine, **environment):
    lines = "".join(f"Environment={key}={value}\\n" for key, value in environment.items())
    machine.run(f"mkdir -p $(dirname {DROP_IN}) && printf '[Service]\\n{lines}' > {DROP_IN} && systemctl daemon-reload")


def service(machine, **environment):
    configure(
        machine, HYBRIDD_APPLICATION="service:app", HYBRIDD_CHDIR="/srv/apps", HYBRIDD_WORKERS="2",
        HYBRIDD_SHUTDOWN__IDLE_GRACE="300ms", HYBRIDD_RELOAD__SETTLE="200ms", **environment,
    )  # fmt: skip
    machine.run("systemctl start hybridd")


def main_pid(machine):
    return machine.show("hybridd", "MainPID")


def test_the_units_are_right(machine):
    done = machine.run(
        "cd /etc/systemd/system && systemd-analyze verify hybridd.service hybridd.socket hybridd@shop.service"
    )
    assert done.stderr == ""


def test_the_sandbox_is_tight(machine):
    machine.run("systemd-analyze security --offline=true --threshold=25 /etc/systemd/system/hybridd.service")


def test_start_means_serving_and_stop_ends_cleanly(stopped):
    stopped.run("systemctl start hybridd")
    assert "hybridd" in stopped.output(f"{GET}/")  # at once: systemctl waited for READY=1
    assert stopped.output("systemctl is-active hybridd") == "active"
    assert "worker" in stopped.show("hybridd", "StatusText")
    assert stopped.output("curl -sS http://127.0.0.1:9815/healthz")
    stopped.run("systemctl stop hybridd")
    assert stopped.show("hybridd", "Result") == "success"
    assert stopped.show("hybridd", "ExecMainStatus") == "0"
    assert stopped.run("pgrep -f '[h]ybridd: (master|worker)'", check=False).stdout == ""


def test_it_runs_as_nobody_in_particular(stopped):
    service(stopped)
    pid = main_pid(stopped)
    assert stopped.output(f"ps -o uid= -p {pid}").strip() != "0"
    assert stopped.output(f"awk '/NoNewPrivs/ {{ print $2 }}' /proc/{pid}/status") == "1"
    assert stopped.output(f"awk '/CapEff/ {{ print $2 }}' /proc/{pid}/status").strip("0") == ""


def test_reload_replaces_the_workers_of_the_same_master(stopped):
    service(stopped)
    master, worker = main_pid(stopped), stopped.output(f"{GET}/pid")
    stopped.run("systemctl reload hybridd")
    stopped.wait(lambda: stopped.output(f"{GET}/pid") != worker, "a new worker answers")
    stopped.wait(lambda: stopped.show("hybridd", "ActiveState") == "active", "the reload is over")
    assert main_pid(stopped) == master


def test_an_upgrade_moves_the_main_process_and_the_unit_stays_active(stopped):
    configure(stopped, HYBRIDD_LISTEN="systemd:http", HYBRIDD_APPLICATION="service:app", HYBRIDD_CHDIR="/srv/apps")
    stopped.run("systemctl start hybridd.socket hybridd")
    first = main_pid(stopped)
    script = f"""
        for i in $(seq 60); do {GET}/ || exit 1; done & loop=$!
        /opt/hybridd/bin/hybridd upgrade >/dev/null && wait $loop"""
    assert stopped.output(script).split() == ["hello"] * 60
    second = main_pid(stopped)
    assert second not in ("0", first)
    assert stopped.run(f"kill -0 {first}", check=False).returncode != 0, "the first one has left"
    # One that fails changes nothing, and the file that it read is the one that is there now.
    stopped.run("printf 'thraeds: 3\n' > /etc/hybridd/wrong && cp /etc/hybridd/hybridd.yaml /etc/hybridd/right")
    stopped.run("cp /etc/hybridd/wrong /etc/hybridd/hybridd.yaml")
    done = stopped.run("/opt/hybridd/bin/hybridd upgrade --control /run/hybridd/hybridd.ctl", check=False)
    stopped.run("mv /etc/hybridd/right /etc/hybridd/hybridd.yaml; rm /etc/hybridd/wrong")
    assert done.returncode == 1
    assert "did you mean threads" in done.stderr
    assert main_pid(stopped) == second
    # By signal too, to the second one.
    stopped.run("systemctl kill --kill-whom=main -s USR2 hybridd")
    stopped.wait(lambda: main_pid(stopped) not in ("0", second), "another one is the main process")
    assert stopped.show("hybridd", "ActiveState") == "active"
    assert stopped.show("hybridd", "NRestarts") == "0"
    assert "running: " in stopped.show("hybridd", "StatusText")
    # Its end is waited for: systemd kills a main process at once that was not its own child when it was announced.
    script = f"{GET}/sleep/2 & slow=$!; sleep 0.5; systemctl stop hybridd.socket hybridd & wait $slow"
    assert stopped.output(script) == "slept"
    stopped.wait(lambda: stopped.show("hybridd", "ActiveState") == "inactive", "it stopped")
    assert stopped.show("hybridd", "Result") == "success"
    assert stopped.run("pgrep -f '[h]ybridd: (master|worker)'", check=False).stdout == ""


def test_a_dead_master_is_started_again(stopped):
    service(stopped)
    before = main_pid(stopped)
    stopped.run(f"kill -KILL {before}")
    stopped.wait(
        lambda: main_pid(stopped) not in ("0", before) and stopped.run(f"{GET}/", check=False).returncode == 0,
        "it is back",
    )
    assert stopped.show("hybridd", "NRestarts") == "1"


def test_a_master_that_hangs_is_ended_by_the_watchdog(stopped):
    stopped.run(
        f"mkdir -p $(dirname {DROP_IN}) && printf '[Service]\\nWatchdogSec=2\\n' > {DROP_IN}; systemctl daemon-reload"
    )
    stopped.run("systemctl start hybridd")
    before = main_pid(stopped)
    stopped.run("sleep 5")  # longer than the watchdog: it is patted
    assert main_pid(stopped) == before
    stopped.run(f"kill -STOP {before}")
    stopped.wait(
        lambda: main_pid(stopped) not in ("0", before) and stopped.run(f"{GET}/", check=False).returncode == 0,
        "it is back", within=40,
    )  # fmt: skip


def test_a_wrong_configuration_is_not_tried_again(stopped):
    configure(stopped, HYBRIDD_TIMEOUTS__HEAD="soon")
    assert stopped.run("systemctl start hybridd", check=False).returncode != 0
    assert stopped.show("hybridd", "ExecMainStatus") == "78"
    assert stopped.show("hybridd", "NRestarts") == "0"
    assert "HYBRIDD_TIMEOUTS__HEAD" in stopped.journal()


def test_a_socket_unit_starts_it_and_keeps_the_port_over_a_restart(stopped):
    configure(stopped, HYBRIDD_LISTEN="systemd:http", HYBRIDD_APPLICATION="service:app", HYBRIDD_CHDIR="/srv/apps")
    stopped.run("systemctl start hybridd.socket")
    assert stopped.run("systemctl is-active hybridd", check=False).stdout.strip() == "inactive"
    assert stopped.output(f"{GET}/") == "hello"
    assert stopped.output("systemctl is-active hybridd") == "active"
    # A restart refuses nobody: who comes meanwhile waits in the backlog that systemd holds.
    script = f"""
        for i in $(seq 60); do {GET}/ || exit 1; done & loop=$!
        systemctl restart hybridd && wait $loop"""
    assert stopped.output(script).split() == ["hello"] * 60


def test_an_instance_has_a_configuration_of_its_own(stopped):
    stopped.run("printf 'listen: [\"127.0.0.1:8081\"]\\nadmin: 127.0.0.1:9816\\n' > /etc/hybridd/shop.yaml")
    stopped.run("systemctl start hybridd@shop")
    try:
        assert "hybridd" in stopped.output("curl -sS --max-time 5 http://127.0.0.1:8081/")
    finally:
        stopped.run("systemctl stop hybridd@shop; rm /etc/hybridd/shop.yaml")


def test_stopping_answers_what_is_running(stopped):
    service(stopped)
    script = f"{GET}/sleep/2 & slow=$!; sleep 0.5; systemctl stop hybridd & wait $slow"
    assert stopped.output(script) == "slept"
    stopped.wait(
        lambda: stopped.run("systemctl is-active hybridd", check=False).stdout.strip() == "inactive", "it stopped"
    )
    assert stopped.show("hybridd", "Result") == "success"
