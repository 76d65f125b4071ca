"""Clients that are gone without a word, as behind a cable that is pulled: who notices, and when.

A socket filter drops whatever comes for the client: it acknowledges nothing, answers no probe and sends no reset.
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct

from tests.support.client import Client

SERVICE = {"application": "service:app", "workers": 1}
SO_ATTACH_FILTER = 26  # asm-generic/socket.h
DROP = struct.pack("HBBI", 0x06, 0, 0, 0)  # struct sock_filter: BPF_RET | BPF_K, of 0 bytes
LOOKS = b"on 1, after 60 s, every 15 s, 4 times\n"


class Vanishing(Client):
    """A client that can vanish; what is left of it is reset behind the test."""

    def vanish(self) -> None:
        program = ctypes.create_string_buffer(DROP)
        self.socket.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HxxxxxxP", 1, ctypes.addressof(program))
        )

    def close(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        super().close()


def test_http_ends_whom_it_does_not_hear_of_by_the_deadline_of_its_state(serve):
    timeouts = {"head": "1s", "body": "1s", "write": "1s", "keep_alive": "1s", "linger": "200ms"}
    server = serve({**SERVICE, "timeouts": timeouts})
    said = {
        "silent": b"",
        "head_timeout": b"GET / HTTP/1.1\r\nHost: t\r\n",
        "body_timeout": b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nabc",
        "write_timeout": b"GET /bytes/30000000 HTTP/1.1\r\nHost: t\r\n\r\n",
        "keep_alive_timeout": b"GET / HTTP/1.1\r\nHost: t\r\n\r\n",
    }
    with contextlib.ExitStack() as stack:
        for data in said.values():
            client = stack.enter_context(Vanishing(server.address))
            client.send(data)
            client.vanish()
        for reason in said:
            server.wait_metric("hybridd_connections_closed_total", 1, reason=reason)
        for state in ("idle", "reading", "active"):
            assert server.metrics().value("hybridd_connections", state=state) == 0
    assert server.fetch("/").status == 200


def test_the_kernel_looks_for_who_has_vanished_from_a_raw_protocol(serve):
    """It has no deadline of its own: two minutes, which the protocol of this test makes two seconds."""
    server = serve({"protocol": "keepalive_tcp:Patient", "workers": 1})
    with Vanishing(server.address) as gone, Vanishing(server.address) as quiet:
        for client in (gone, quiet):
            assert client.read_exactly(len(LOOKS)) == LOOKS
        gone.vanish()
        server.wait_metric("hybridd_connections_closed_total", 1, reason="reset", within=10)
        assert server.metrics().total("hybridd_connections_closed_total") == 1, "who answers the kernel stays"
