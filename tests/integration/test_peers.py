"""What other servers were seen to fail at, and no other file here shows."""

from __future__ import annotations

import contextlib
import re
import select
import time

from tests.support.client import connect, fetch
from tests.support.waiting import pass_time, wait_until

SERVICE = {"application": "service:app", "workers": 1, "threads": 2}


def test_clients_that_stop_in_the_middle_hold_no_thread(serve):
    """A threaded peer answered nobody any more; or everybody 5 s later for each spare connection of a browser."""
    server = serve({**SERVICE, "timeouts": {"head": "3s"}})
    address = server.address
    with contextlib.ExitStack() as stack:
        slow = [(stack.enter_context(connect(address)), said) for said in (b"GET / HT", b"") for _ in range(4)]
        for connection, said in slow:
            connection.send(said)
        wait_until(lambda: server.metrics().total("hybridd_connections") == 8, within=5, what="all eight are connected")
        assert fetch(address).status == 200
        ended, _, _ = select.select([connection for connection, _ in slow], [], [], 0)
        assert not ended, "it was answered when their time was over, and not before"
        for connection, said in slow:  # and they do not stay
            assert connection.recv(100).startswith(b"HTTP/1.1 408" if said else b"")


def test_workers_that_die_right_after_they_are_ready_are_not_forked_in_a_storm(serve, tmp_path):
    """Peers forked 14 to 149 times in 8 to 12 s, without end."""
    (tmp_path / "doomed.py").write_text(
        "import os, threading\n"
        "threading.Timer(0.1, os._exit, [9]).start()\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return []\n"
    )
    settings = {"application": "doomed:app", "chdir": str(tmp_path), "workers": 2, "crash": {"restarts": 5}}
    server = serve(settings, wait=False)
    began = time.monotonic()
    server.wait_log(r"is started again in 2 s: the last starts came to nothing")
    pass_time(max(0.0, 3.5 - (time.monotonic() - began)))  # a rate: time itself is the input
    passed = time.monotonic() - began
    forks = len(re.findall(r"exited with status 9", server.log()))
    # Two at once and then after 1, 2, 4, … s, in each of two slots.
    assert 4 <= forks <= 10 + passed / 4
    assert server.process.poll() is None, "it does not give up what has served once"
    words = "5 or more workers crashed within 60 s"
    assert words in server.status()["degraded"]
    assert server.metrics().value("hybridd_degraded", reason="crashes") == 1
