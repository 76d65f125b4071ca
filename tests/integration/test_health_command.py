"""``hybridd health`` against servers that behave and misbehave."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from tests.support.client import PATIENT
from tests.support.command import hybridd

READY = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nready\n"
DRAINING = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 9\r\n\r\ndraining\n"


@pytest.fixture
def answering(tmp_path):
    """Return a function that starts a server of one connection and returns its address."""
    threads, listeners = [], []

    def start(answer: Callable[[socket.socket, bytes], None], *, unix: bool = False) -> str:
        listener = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
        listener.bind(str(tmp_path / "admin.sock") if unix else ("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(PATIENT)
        listeners.append(listener)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(PATIENT)
                answer(connection, connection.recv(4096))

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return f"unix:{tmp_path}/admin.sock" if unix else f"127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for thread in threads:
        thread.join(PATIENT)
    for listener in listeners:
        listener.close()


def send(answer):
    return lambda connection, _: connection.sendall(answer)


@pytest.mark.parametrize("unix", [False, True])
def test_a_ready_server_is_healthy(answering, unix):
    done = hybridd("health", "--admin", answering(send(READY), unix=unix))
    assert (done.returncode, done.stdout, done.stderr) == (0, "ready\n", "")


@pytest.mark.parametrize(("flags", "path"), [([], b"GET /readyz HTTP/1.1"), (["--live"], b"GET /healthz HTTP/1.1")])
def test_what_is_asked(answering, flags, path):
    asked = []

    def answer(connection, request):
        asked.append(request)
        connection.sendall(READY)

    assert hybridd("health", "--admin", answering(answer), *flags).returncode == 0
    assert asked[0].startswith(path)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (DRAINING, "answers 503: draining"),
        (b"220 mail.example ESMTP\r\n", "does not answer in HTTP; is it the admin address?"),
        (b"", "hung up without an answer"),
    ],
)
def test_whoever_is_not_ready_is_not_healthy(answering, answer, reason):
    address = answering(send(answer))
    done = hybridd("health", "--admin", address)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"hybridd: {address} {reason}\n")


def silent(connection, _):
    connection.recv(1)


def dripping(connection, _):
    """Send a byte often enough to keep any timeout between two bytes from passing."""
    for byte in READY[:30] + b"X-Slow: " + b"x" * 4096:
        try:
            connection.sendall(bytes([byte]))
        except OSError:
            return
        if wait_for_hang_up(connection):
            return


def wait_for_hang_up(connection):
    connection.settimeout(0.05)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


@pytest.mark.parametrize("answer", [silent, dripping])
def test_the_patience_is_for_the_whole_answer(answering, answer):
    address = answering(answer)
    done = hybridd("health", "--admin", address, "--timeout", "500ms", timeout=15)
    assert (done.returncode, done.stderr) == (1, f"hybridd: {address} does not answer within 500ms\n")


def test_nobody_there(tmp_path):
    done = hybridd("health", "--admin", f"unix:{tmp_path}/none.sock")
    assert done.returncode == 1
    assert done.stderr.startswith(f"hybridd: nobody listens on unix:{tmp_path}/none.sock;")
