"""The journal: priorities by what is said, one identifier, nothing of a client's that looks like a priority."""

from __future__ import annotations

import pytest

from tests.support.unit import PRIORITIES, QUICK

pytestmark = [pytest.mark.systemd, pytest.mark.watchdog(300)]


def test_errors_are_errors_and_the_access_log_is_information(unit):
    unit.start()
    unit.get("/?named")
    unit.machine.run(unit.curl("/raise"), check=False)
    failure = unit.wait_said("the application failed on purpose")
    access = unit.wait_said('"GET /raise HTTP/1.1" 500')
    ready = unit.wait_said("ready: 2 workers")
    assert failure.priority == PRIORITIES["err"]
    assert access.priority == ready.priority == PRIORITIES["info"]
    assert {line.identifier for line in (failure, access, ready)} == {"hybridd"}
    # Every line of a traceback belongs to the error, and is found by it.
    errors = unit.machine.output("journalctl --no-pager -o cat -u hybridd -p err")
    assert "Traceback (most recent call last)" in errors
    assert "GET /?named" not in errors
    unit.machine.run(f"kill -KILL {unit.get('/pid')}")
    assert unit.wait_said("killed by SIGKILL").priority <= PRIORITIES["warning"]


def test_a_client_cannot_choose_a_priority(unit):
    unit.start()
    unit.machine.run(f"{unit.curl('/')} -A '<0>panic' -H 'Host: <0>'", check=False)
    line = unit.wait_said("<0>panic")
    assert line.priority == PRIORITIES["info"]


def test_lines_of_json_have_their_priority_too(unit):
    unit.start(HYBRIDD_LOG__FORMAT="json", **QUICK)
    unit.machine.run(unit.curl("/raise"), check=False)
    line = unit.wait_said('"level":"error"')
    assert line.priority == PRIORITIES["err"]
    assert line.text.startswith("{")
