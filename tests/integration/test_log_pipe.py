"""Logs into pipes that nobody reads: the service goes on, what is lost is counted, what is written is whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest

from tests.support.load import Plan
from tests.support.traffic import Load
from tests.support.waiting import wait_until

REQUESTS = 3_000
DROPPED = "hybridd_log_lines_dropped_total"


def read_all(fd):
    os.set_blocking(fd, False)
    found = b""
    try:
        while chunk := os.read(fd, 1 << 16):
            found += chunk
    except BlockingIOError:
        pass
    return found.decode().splitlines(keepends=True)


@pytest.fixture
def pipes():
    """(access, error), each (read end, write end)."""
    made = [os.pipe(), os.pipe()]
    yield made
    for ends in made:
        for fd in ends:
            os.close(fd)


@pytest.fixture
def stuck(serve, pipes):
    """Return a server whose standard output and error are pipes that nobody reads."""
    server = serve(
        {
            "application": "service:app",
            "log": {"format": "json"},
            "access_log": {"file": "-", "format": "json"},
        },
        start=False,
    )
    (_, access), (_, error) = pipes
    server._process = subprocess.Popen(
        server._command,
        cwd=server._cwd,
        env=server._environment,
        stdin=subprocess.DEVNULL,
        stdout=access,
        stderr=error,
        start_new_session=True,
    )
    return server.wait_ready()


def test_the_service_goes_on_and_what_is_lost_is_counted(stuck, pipes):
    with Load(Plan(stuck.address, connections=16)) as load:
        load.wait_answered(REQUESTS)
        tally = load.stop()
    assert tally.failed == 0, tally.failures
    lines = [json.loads(line) for line in read_all(pipes[0][0])]  # whole, every one
    assert 0 < len(lines) < tally.answered
    wait_until(  # told once per second
        lambda: stuck.metrics().value(DROPPED, log="access") + len(lines) == tally.answered,
        within=5,
        what=lambda: (
            f"{tally.answered} are {len(lines)} written and {stuck.metrics().value(DROPPED, log='access')} lost"
        ),
    )


def test_errors_are_lost_and_counted_too(stuck, pipes):
    with stuck.client() as client:
        for _ in range(400):
            assert client.get("/raise").status == 500
    wait_until(lambda: stuck.metrics().value(DROPPED, log="error") > 0, within=5, what="lost errors are counted")
    found = read_all(pipes[1][0])
    for line in found:
        json.loads(line)  # whole
    stuck.fetch("/raise?again")  # there is room again: the log goes on, and says what it has lost, if it has not yet
    wait_until(
        lambda: found.extend(read_all(pipes[1][0])) or any("the error log lost" in line for line in found),
        within=15,
        what=lambda: f"the loss is told; {found}",
    )


def test_everything_else_works_meanwhile(stuck):
    with Load(Plan(stuck.address, connections=16)) as load:
        load.wait_answered(REQUESTS)
        before = stuck.ready_pids()
        stuck.signal(signal.SIGHUP)
        stuck.wait_workers(2, without=before)
        stuck.signal(signal.SIGUSR1)
        load.wait_answered(REQUESTS)
        tally = load.stop()
    assert tally.failed == 0, tally.failures
    stuck.stop()
