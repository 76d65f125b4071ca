"""The classic demonstration: three slow requests at once take as long as one, and a fast one does not wait for them."""

from __future__ import annotations

import contextlib
import time

import pytest

from tests.support.client import timed_fetch
from tests.support.lateness import Lateness
from tests.support.tools import full

pytestmark = pytest.mark.alone


@pytest.mark.parametrize("workers", [1, 2])
def test_three_sleepers_and_a_fast_one(serve, workers):
    seconds = 10.0 if full() else 1.5
    server = serve({"application": "service:app", "workers": workers})
    with Lateness() as late, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(3)]
        started = time.monotonic()
        for client in clients:
            client.send(f"GET /sleep/{seconds} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
        server.wait_metric("hybridd_handler_slots", 3, state="busy")
        quick = []
        for _ in range(20):
            answer, took = timed_fetch(server.address)
            assert answer.body == b"hello\n"
            quick.append(took)
        slow = []
        for client in clients:
            assert client.read_answer().body == b"slept\n"
            slow.append(time.monotonic() - started)
    assert max(quick) < late.allow(0.1), late
    assert min(slow) >= seconds
    assert max(slow) < late.allow(seconds + 0.5), late
