from __future__ import annotations

from hybridd.master.birth import environment_of_successor
from hybridd.ops.systemd import parse_listen_fds, watchdog_period


def test_a_successor_finds_what_it_inherits():
    environment = environment_of_successor({"HOME": "/", "LISTEN_PID": "1"}, ["hybridd-upgrade", "public"], 42)
    assert parse_listen_fds(environment, 42) == {"hybridd-upgrade": [3], "public": [4]}
    assert environment["HOME"] == "/"


def test_the_watchdog_means_the_successor():
    before = {"WATCHDOG_PID": "1", "WATCHDOG_USEC": "2000000"}
    assert watchdog_period(environment_of_successor(before, [], 42), 42) == 1.0
    assert "WATCHDOG_PID" not in environment_of_successor({"WATCHDOG_USEC": "2"}, [], 42)
