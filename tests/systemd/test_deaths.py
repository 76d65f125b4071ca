"""What dies: the master (crash, watchdog) and a worker without memory; and what the limits of the unit do."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.unit import PRIORITIES, QUICK

pytestmark = [pytest.mark.systemd, pytest.mark.watchdog(300)]


def test_a_dead_master_is_started_again_and_its_workers_end(unit):
    unit.start()
    before, processes = unit.main_pid(), unit.processes()
    assert len(processes) == 3
    unit.machine.run(f"kill -KILL {before}")
    unit.wait_back(before)
    assert unit.show("NRestarts") == "1"
    assert not set(processes) & set(unit.processes()), "workers of the dead master are left"


def test_a_master_that_hangs_is_ended_by_the_watchdog(unit):
    unit.start("WatchdogSec=2")
    before = unit.main_pid()
    pats = [unit.show("WatchdogTimestampMonotonic")]

    def patted():
        now = unit.show("WatchdogTimestampMonotonic")
        pats.extend([now] if now != pats[-1] else [])
        return len(pats) > 3

    unit.machine.wait(patted, "it is patted for longer than the watchdog waits")
    assert unit.main_pid() == before
    unit.machine.run(f"kill -STOP {before}")
    unit.wait_back(before)
    assert unit.said("Watchdog timeout")


def test_a_worker_that_runs_out_of_memory_is_named_and_replaced(unit):
    # The limit is for all processes: what a master and two workers have by themselves fits in twice.
    unit.start("MemoryMax=160M", "MemorySwapMax=0")
    assert unit.show("OOMPolicy") == "continue"
    master = unit.main_pid()
    assert unit.machine.run(unit.curl("/bytes/400000000") + " -o /dev/null", check=False).returncode != 0
    line = unit.wait_said("out of memory")
    assert line.priority <= PRIORITIES["err"]
    assert unit.main_pid() == master
    unit.machine.wait(lambda: unit.status().startswith("running: 2 of 2"), "it is replaced")
    assert unit.get() == "hello"
    assert re.search(r'^hybridd_worker_restarts_total\{cause="oom"\} 1\.0', unit.metrics(), re.MULTILINE)
    answer = json.loads(unit.machine.output("/opt/hybridd/bin/hybridd status --deaths --json"))
    (death,) = answer["deaths"]["kept"]
    assert death["cause"] == "oom"
    assert unit.show("NRestarts") == "0"


def test_a_quota_of_cpu_time_decides_how_many_workers_there_are(unit):
    settings = {key: value for key, value in QUICK.items() if key != "HYBRIDD_WORKERS"}
    unit.start("CPUQuota=100%", **settings)
    assert unit.status().startswith("running: 1 of 1 worker ")


def test_too_few_tasks_are_told_by_the_log(unit):
    unit.configure("TasksMax=2", "Restart=no", **QUICK)
    assert unit.machine.run("systemctl start hybridd", check=False).returncode != 0
    assert unit.show("ExecMainStatus") == "70"
    assert "TasksMax" in unit.wait_said("no thread can be started").text
