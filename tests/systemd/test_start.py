"""Start and stop: READY means serving, STATUS, timeouts that are extended, the ends that are clean, a reboot."""

from __future__ import annotations

import pytest

from tests.support.unit import HELLO, QUICK

pytestmark = [pytest.mark.systemd, pytest.mark.watchdog(300)]

STATE = "/var/lib/hybridd"  # the StateDirectory= of the unit, seen by us and by it
HOLD = f"/hold?file={STATE}/go&began={STATE}/began"
SLOW = {**QUICK, "HYBRIDD_APPLICATION": "patient:app"}


def begin_request(unit):
    """Have a request in flight, which ends when the file ``go`` is there."""
    request = unit.background(unit.curl(HOLD))
    unit.machine.wait(lambda: unit.machine.run(f"test -e {STATE}/began", check=False).returncode == 0, "it runs")
    return request


def let_go(unit):
    unit.machine.run(f"touch {STATE}/go")


def test_the_first_request_after_systemctl_start_is_answered(unit):
    unit.configure(**QUICK)
    for _ in range(3):
        assert unit.machine.output(f"systemctl restart hybridd && {unit.curl()}") == "hello"
    assert unit.show("ActiveState") == "active"
    assert unit.status() == "running: 2 of 2 workers ready, generation 1"
    unit.machine.run("systemctl stop hybridd")
    unit.ended_well()


def test_without_anything_it_serves_the_welcome_page(unit):
    unit.machine.run("systemctl start hybridd")
    assert "hybridd is running" in unit.get()
    assert unit.machine.output("curl -sS http://127.0.0.1:9815/readyz").startswith("ready")


def test_an_application_that_loads_slowly_delays_the_start(unit):
    """Longer than TimeoutStartSec= too: hybridd asks for more time while it is on its way (EXTEND_TIMEOUT_USEC)."""
    unit.configure("TimeoutStartSec=4", **SLOW)
    unit.machine.run("systemctl start --no-block hybridd")
    unit.machine.wait(lambda: unit.status().startswith("starting: 0 of 2"), "it says that it starts")
    before = float(unit.machine.output("cut -d' ' -f1 /proc/uptime"))
    unit.machine.wait(
        lambda: float(unit.machine.output("cut -d' ' -f1 /proc/uptime")) > before + 5, "TimeoutStartSec= has passed"
    )
    assert unit.show("ActiveState") == "activating"
    assert unit.machine.run(unit.curl() + " --connect-timeout 1 --max-time 1", check=False).returncode != 0
    let_go(unit)
    unit.machine.wait(lambda: unit.show("ActiveState") == "active", "it has started")
    assert unit.get() == "hello"


def test_an_application_that_cannot_be_loaded_fails_the_start_with_its_reason(unit):
    unit.configure("Restart=no", **{**QUICK, "HYBRIDD_APPLICATION": "nowhere:app"})
    assert unit.machine.run("systemctl start hybridd", check=False).returncode != 0
    assert unit.show("ExecMainStatus") == "70"
    unit.wait_said("there is no module 'nowhere'")


def test_a_wrong_configuration_is_not_tried_again(unit):
    unit.configure(HYBRIDD_TIMEOUTS__HEAD="soon")
    assert unit.machine.run("systemctl start hybridd", check=False).returncode != 0
    assert (unit.show("ExecMainStatus"), unit.show("NRestarts")) == ("78", "0")
    unit.wait_said("HYBRIDD_TIMEOUTS__HEAD")


def test_stopping_answers_what_is_running_however_long_it_takes(unit):
    """Longer than TimeoutStopSec=: hybridd asks for more time as long as it drains (EXTEND_TIMEOUT_USEC)."""
    unit.start("TimeoutStopSec=4")
    request = begin_request(unit)
    stop = unit.background("systemctl stop hybridd; cut -d' ' -f1 /proc/uptime")
    unit.machine.wait(lambda: unit.status().startswith("stopping"), "it says that it stops")
    begun = float(unit.machine.output("cut -d' ' -f1 /proc/uptime"))
    unit.machine.wait(
        lambda: float(unit.machine.output("cut -d' ' -f1 /proc/uptime")) > begun + 5, "TimeoutStopSec= has passed"
    )
    assert unit.show("ActiveState") == "deactivating"
    let_go(unit)
    assert request.communicate(timeout=30)[0] == "released\n"
    stop.communicate(timeout=30)
    unit.ended_well()


def test_hybridd_stop_is_as_good_as_systemctl_stop(unit):
    unit.start()
    assert unit.machine.run("/opt/hybridd/bin/hybridd stop").returncode == 0
    unit.ended_well()
    assert unit.show("NRestarts") == "0"


def test_an_enabled_unit_serves_after_a_reboot(unit):
    drop_in = "/etc/systemd/system/hybridd.service.d/test.conf"
    lines = "\n".join(f"Environment={key}={value}" for key, value in HELLO.items())
    unit.machine.run(f"mkdir -p $(dirname {drop_in}) && printf '[Service]\n{lines}\n' > {drop_in}")
    unit.machine.run("systemctl daemon-reload && systemctl enable -q hybridd")
    try:
        unit.machine.reboot()
        unit.machine.run("systemctl start hybridd")  # waits for the job of the boot
        assert unit.get() == "hello"
        assert unit.show("NRestarts") == "0"
    finally:
        unit.machine.run(f"rm -r $(dirname {drop_in})")
