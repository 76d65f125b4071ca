import pytest

from hybridd.compare.server import Server, environment, last_line, port_of


def test_a_child_does_not_believe_that_systemd_started_it():
    ours = {
        "PATH": "/bin", "HYBRIDD_THREADS": "4", "NOTIFY_SOCKET": "/run/x", "LISTEN_FDS": "1", "WATCHDOG_USEC": "1",
        "RUNTIME_DIRECTORY": "/run/hybridd", "WEB_CONCURRENCY": "9",
    }  # fmt: skip
    assert environment(ours) == {"PATH": "/bin", "HYBRIDD_THREADS": "4"}


def test_the_port_is_the_one_that_the_system_chose():
    assert port_of({"listeners": [{"name": "a", "address": "127.0.0.1:40123"}]}) == 40123


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ("", "it said nothing"),
        ("first\nlast\n", "last"),
        ("cannot load\nTraceback (most recent call last):\n  File x\nValueError: x\n", "ValueError: x"),
    ],
)
def test_the_reason_is_the_last_line_that_begins_a_message(log, line):
    assert last_line(log) == line


def test_a_server_that_was_not_started_has_no_session_and_ends_nobody():
    server = Server((), spawned=lambda session: None)
    with pytest.raises(AssertionError):
        assert server.session
    server.stop()
