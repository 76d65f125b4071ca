from __future__ import annotations

from hybridd.master.upgrade import environment_of_successor, how_it_ended
from hybridd.ops.systemd import parse_listen_fds, watchdog_period


def test_a_successor_finds_what_it_inherits():
    environment = environment_of_successor({"HOME": "/", "LISTEN_PID": "1"}, ["hybridd-upgrade", "public"], 42)
    assert parse_listen_fds(environment, 42) == {"hybridd-upgrade": [3], "public": [4]}
    assert environment["HOME"] == "/"


def test_the_watchdog_means_the_successor():
    before = {"WATCHDOG_PID": "1", "WATCHDOG_USEC": "2000000"}
    assert watchdog_period(environment_of_successor(before, [], 42), 42) == 1.0
    assert "WATCHDOG_PID" not in environment_of_successor({"WATCHDOG_USEC": "2"}, [], 42)


def test_an_end_without_an_explanation_has_the_last_line():
    assert how_it_ended(78, ["first", "wokers: unknown"]) == "the new master exited with status 78: wokers: unknown"
    assert how_it_ended(-9, []) == "the new master was ended by SIGKILL"
