"""The rights of the service: a user of its own, port 80 by one capability, the sandbox, as tight as can be.

Every other test of this folder runs in the same sandbox: that of the unit files as they are installed.
"""

from __future__ import annotations

import re

import pytest

from tests.support.pages import ROOT
from tests.support.unit import QUICK, Unit

pytestmark = [pytest.mark.systemd, pytest.mark.watchdog(300)]

PAGE = (ROOT / "docs" / "deploy" / "systemd.md").read_text()
PORT_80 = ("CapabilityBoundingSet=CAP_NET_BIND_SERVICE", "AmbientCapabilities=CAP_NET_BIND_SERVICE")
TIGHTER = ("MemoryDenyWriteExecute=yes", "ProcSubset=pid", "PrivateUsers=yes")
CAP_NET_BIND_SERVICE = 10  # linux/capability.h
MOST = 16  # systemd-analyze security, in tenths


def status(unit, pid, key):
    return unit.machine.output(f"awk '/^{key}:/ {{ $1 = \"\"; print }}' /proc/{pid}/status")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), r"rates that (\d\.\d),"),
        (PORT_80, r"and (\d\.\d) with the capability"),
        (TIGHTER, r"systemd's\s+rating is (\d\.\d)"),
    ],
    ids=["as installed", "port 80", "tighter"],
)
def test_the_units_are_right_and_as_tight_as_the_page_says(unit, lines, said):
    unit.configure(*lines)
    Unit(unit.machine, "hybridd@").configure(*lines)
    for name in ("hybridd.service", "hybridd@shop.service"):
        done = unit.machine.run(f"systemd-analyze verify --man=no {name} hybridd.socket")
        assert done.stdout + done.stderr == ""
    for name in ("hybridd.service", "hybridd@.service"):
        text = unit.machine.output(f"systemctl cat {name}")
        rated = unit.machine.output(
            f"mkdir -p /tmp/one && cat > /tmp/one/{name} <<'END'\n{text}\nEND\n"
            f"systemd-analyze security --offline=true --threshold={MOST} /tmp/one/{name}"
        )
        assert re.search(r"exposure level for \S+: (\S+) ", rated)[1] == re.search(said, PAGE)[1]


def test_it_runs_as_a_user_that_exists_while_it_runs(unit):
    assert unit.machine.run("getent passwd hybridd", check=False).returncode != 0
    unit.start()
    number = int(unit.machine.output("id -u hybridd"))
    assert 61184 <= number <= 65519  # systemd.exec(5), DynamicUser=
    for pid in unit.processes():
        assert set(status(unit, pid, "Uid").split()) == {str(number)}
        assert status(unit, pid, "NoNewPrivs").strip() == "1"
        assert {int(status(unit, pid, key), 16) for key in ("CapEff", "CapPrm", "CapInh", "CapBnd")} == {0}
    unit.machine.run("systemctl stop hybridd")
    assert unit.machine.run("getent passwd hybridd", check=False).returncode != 0


def test_port_80_takes_one_capability_and_no_more(unit):
    unit.port = 80
    unit.start(*PORT_80, HYBRIDD_LISTEN="0.0.0.0:80", **QUICK)
    assert unit.get() == "hello"
    for pid in unit.processes():
        assert int(status(unit, pid, "CapBnd"), 16) == 1 << CAP_NET_BIND_SERVICE
        assert status(unit, pid, "Uid").split()[0] != "0"
    unit.machine.run("systemctl reload hybridd && systemctl restart hybridd")
    assert unit.get() == "hello"


def test_port_80_without_the_capability_says_what_is_missing(unit):
    unit.configure("Restart=no", HYBRIDD_LISTEN="0.0.0.0:80", **QUICK)
    assert unit.machine.run("systemctl start hybridd", check=False).returncode != 0
    assert unit.show("ExecMainStatus") == "69"
    assert "CAP_NET_BIND_SERVICE" in unit.wait_said("0.0.0.0:80").text


def test_preload_works_in_the_sandbox(unit):
    unit.start(HYBRIDD_PRELOAD="true", **QUICK)
    worker = unit.get("/pid")
    unit.machine.run("systemctl reload hybridd")
    assert unit.get("/pid") != worker
    assert unit.said("fork server")
    unit.machine.run("systemctl stop hybridd")
    unit.ended_well()


def test_hybridd_works_with_all_that_is_left_out_for_the_sake_of_others(unit):
    """The lines that the unit file names and does not set: only metrics of /proc/stat go."""
    unit.start(*TIGHTER, HYBRIDD_PRELOAD="true", **QUICK)
    assert unit.get("/bytes/1000000").count("x") == 1_000_000
    unit.machine.run("systemctl reload hybridd && /opt/hybridd/bin/hybridd upgrade && /opt/hybridd/bin/hybridd scale 3")
    assert "worker" in unit.machine.output("/opt/hybridd/bin/hybridd stacks")
    metrics = unit.metrics()
    assert 'hybridd_worker_resident_memory_bytes{worker="0"}' in metrics
    assert "process_start_time_seconds" not in metrics
    unit.machine.run("systemctl stop hybridd")
    unit.ended_well()
