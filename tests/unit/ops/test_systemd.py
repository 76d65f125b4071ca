"""Pure parts and silence without systemd; a real NOTIFY_SOCKET is in every integration test."""

from __future__ import annotations

import logging

import pytest

from hybridd.errors import BindError
from hybridd.ops.systemd import Notifier, message, parse_listen_fds, socket_name, take_listen_fds, watchdog_period


class Recording(Notifier):
    """Keeps what it would send."""

    def __init__(self) -> None:
        super().__init__("/nowhere")
        self.sent: list[dict[str, str]] = []

    def send(self, _patience: float = 0.0, /, **assignments: str) -> None:
        self.sent.append(assignments)


@pytest.mark.parametrize(
    ("say", "sent"),
    [
        (lambda n: n.ready("2 workers"), {"READY": "1", "STATUS": "2 workers"}),
        (lambda n: n.reloading(12.0000015, "x"), {"RELOADING": "1", "MONOTONIC_USEC": "12000001", "STATUS": "x"}),
        (lambda n: n.stopping("draining"), {"STOPPING": "1", "STATUS": "draining"}),
        (lambda n: n.status("fine"), {"STATUS": "fine"}),
        (lambda n: n.watchdog(), {"WATCHDOG": "1"}),
        (lambda n: n.extend_timeout(2.5), {"EXTEND_TIMEOUT_USEC": "2500000"}),
        (lambda n: n.main_pid(77), {"MAINPID": "77"}),
    ],
)
def test_what_is_said(say, sent):
    notifier = Recording()
    say(notifier)
    assert notifier.sent == [sent]


def test_a_message_is_one_assignment_a_line():
    assert message({"READY": "1", "STATUS": "a\nSTOPPING=1\r\nb"}) == b"READY=1\nSTATUS=a STOPPING=1 b\n"


def test_nobody_is_told_without_a_socket(caplog):
    Notifier.from_environment({}).ready("x")
    assert not caplog.records


@pytest.mark.parametrize("address", ["/no/such/socket", "vsock:2:1234", "relative"])
def test_who_cannot_be_told_is_one_warning(address, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("hybridd"), "propagate", True)
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": address})
    notifier.status("x")
    notifier.status("y")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert address in caplog.text


def test_names_of_sockets():
    assert socket_name("/run/notify") == b"/run/notify"
    assert socket_name("@/org/x") == b"\0/org/x"
    with pytest.raises(ValueError, match="absolute"):
        socket_name("x")


@pytest.mark.parametrize(
    ("environment", "period"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "10"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "11"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_PID": "10"}, None),
    ],
)
def test_the_watchdog_is_fed_at_half_its_time(environment, period):
    assert watchdog_period(environment, pid=10) == period


def passed(fds: str = "3", names: str | None = "web:admin:web") -> dict[str, str]:
    environment = {"LISTEN_PID": "10", "LISTEN_FDS": fds}
    return environment if names is None else {**environment, "LISTEN_FDNAMES": names}


def test_descriptors_come_by_name():
    assert parse_listen_fds(passed(), pid=10) == {"web": [3, 5], "admin": [4]}


def test_descriptors_without_names():
    assert parse_listen_fds(passed("2", None), pid=10) == {"unknown": [3, 4]}


@pytest.mark.parametrize("environment", [{}, {"LISTEN_FDS": "2"}, passed()])
def test_descriptors_of_another_process_are_not_ours(environment):
    assert parse_listen_fds(environment, pid=11) == {}


@pytest.mark.parametrize("fds", ["", "x", "-1"])
def test_a_number_that_is_none(fds):
    with pytest.raises(BindError, match="LISTEN_FDS"):
        parse_listen_fds(passed(fds), pid=10)


def test_names_that_do_not_match_the_number():
    with pytest.raises(BindError, match="3 names for 2"):
        parse_listen_fds(passed("2"), pid=10)


def test_no_descriptors_need_no_names():
    assert parse_listen_fds(passed("0", ""), pid=10) == {}


def test_the_variables_are_gone_afterwards_whoever_they_were_for():
    environment = {**passed(), "HOME": "/"}
    assert take_listen_fds(environment, pid=11) == {}
    assert environment == {"HOME": "/"}


def test_a_descriptor_that_is_not_open_is_refused():
    environment = {"LISTEN_PID": "10", "LISTEN_FDS": "1000000", "LISTEN_FDNAMES": ":".join(["a"] * 1_000_000)}
    with pytest.raises(BindError, match="not open"):
        take_listen_fds(environment, pid=10)
