"""A master that vanishes: its workers end what they do and leave, and the port is free."""

from __future__ import annotations

import signal

import pytest

from tests.support.client import connect
from tests.support.waiting import wait_until

SERVICE = {"application": "service:app"}


def test_workers_finish_and_leave_when_the_master_is_killed(serve, tmp_path):
    server = serve(SERVICE)
    address = server.address
    gate = tmp_path / "gate"
    with server.client() as client:
        client.send(b"GET /hold?file=%s HTTP/1.1\r\nHost: t\r\n\r\n" % str(gate).encode())
        server.wait_metric("hybridd_handler_slots", 1, state="busy")
        server.signal(signal.SIGKILL)
        assert server.process.wait(5) == -signal.SIGKILL
        # Idle workers leave at once, the one with a request answers it first.
        wait_until(
            lambda: len(server.living()) == 1, within=10, what=lambda: f"only the busy worker: {server.living()}"
        )
        gate.touch()
        assert client.read_answer().body == b"released\n"
    server.wait_empty(10)
    with pytest.raises(ConnectionRefusedError):
        connect(address).close()


def test_a_master_killed_while_workers_boot_leaves_nobody(serve, tmp_path):
    (tmp_path / "slow.py").write_text(
        f"import pathlib, time\npathlib.Path({str(tmp_path / 'seen')!r}).touch()\ntime.sleep(1)\n"
        "def app(environ, start_response):\n    start_response('200 OK', [])\n    return []\n"
    )
    server = serve({"application": "slow:app", "chdir": str(tmp_path)}, wait=False)
    wait_until((tmp_path / "seen").exists, within=10, what="a worker boots")
    server.signal(signal.SIGKILL)
    server.wait_empty(10)
