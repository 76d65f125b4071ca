"""What proxies say of their clients, in a PROXY header or in fields: who is believed, and what is refused."""

from __future__ import annotations

import json
import signal
import socket
import struct
import time

import pytest

from hybridd.net.proxy_header import SIGNATURE
from tests.support.client import Client, exchange, request_bytes
from tests.support.patterns import NAMES, settings
from tests.support.server import merged
from tests.support.waiting import wait_until

TEXT = b"PROXY TCP4 192.0.2.7 10.0.0.1 40000 443\r\n"
BLOCK = SIGNATURE + b"\x21\x11" + struct.pack("!H", 12) + bytes([192, 0, 2, 8, 10, 0, 0, 1]) + b"\x9c\x41\x01\xbb"
LOCAL = SIGNATURE + b"\x20\x00\0\0"
ASK = request_bytes("GET", "/environ", {"Connection": "close"})
BEHIND_PROXY = {
    "listen": ["127.0.0.1:0 proxy_protocol", "127.0.0.1:0"],
    "trusted_proxies": ["127.0.0.1"],
    "timeouts": {"handshake": "1s"},
}


def seen(answer: bytes) -> tuple[str, str]:
    environ = json.loads(answer.partition(b"\r\n\r\n")[2])
    return environ["REMOTE_ADDR"], environ["REMOTE_PORT"]


def cut(address: str, data: bytes) -> bytes:
    try:
        return exchange(address, data)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("pattern", NAMES)
def test_the_client_is_whom_the_header_names(serve, pattern):
    server = serve(settings(pattern, BEHIND_PROXY))
    address, plain = server.addresses
    assert seen(exchange(address, TEXT + ASK)) == ("192.0.2.7", "40000")
    assert seen(exchange(address, BLOCK + ASK)) == ("192.0.2.8", "40001")
    assert seen(exchange(address, LOCAL + ASK))[0] == "127.0.0.1"
    with Client(address) as client:
        for byte in BLOCK:
            client.send(bytes([byte]))
        client.send(ASK)
        assert seen(client.read_to_end()) == ("192.0.2.8", "40001")
    assert seen(exchange(plain, ASK))[0] == "127.0.0.1"
    assert b"501" in exchange(plain, TEXT + ASK)[:20]  # PROXY is no method
    server.wait_access(r"^192\.0\.2\.7 ")
    # What is refused, and what does not come.
    assert cut(address, ASK) == b""
    started = time.monotonic()
    with Client(address) as client:
        client.send(TEXT[:-1])
        assert client.ended()
    assert time.monotonic() - started > 0.9
    socket.create_connection(address.split(":")).close()  # a health check that only connects
    wait_until(
        lambda: (
            [
                server.metrics().value("hybridd_connections_closed_total", reason=reason)
                for reason in ("proxy_header", "handshake_timeout", "client")
            ]
            == [1, 1, 1]
        ),
        within=5,
        what=lambda: f"one of each: {server.metrics().text}",
    )
    assert server.metrics().total("hybridd_connections") == 0


def test_who_is_not_trusted_is_cut(serve):
    others = merged(BEHIND_PROXY, {"trusted_proxies": ["10.0.0.0/8"], "timeouts": {"handshake": "30s"}})
    server = serve(settings("hybrid", others))
    assert cut(server.address, TEXT + ASK) == b""
    server.wait_log(r"warning .*1 connections to a listener with proxy_protocol did not begin with a PROXY header of")
    server.wait_log(r"\(proxy_header\); the last one came from 127\.0\.0\.1: it is none of trusted_proxies")


@pytest.mark.parametrize("pattern", ["hybrid", "thread", "process"])
def test_a_drain_does_not_wait_for_a_header(serve, pattern):
    own = {"timeouts": {"handshake": "30s", "graceful": "20s"}, "shutdown": {"idle_grace": "1500ms"}}
    server = serve(settings(pattern, merged(BEHIND_PROXY, own)))
    with Client(server.address) as silent, Client(server.address) as late:
        silent.send(TEXT[:10])
        late.send(TEXT[:10])
        wait_until(
            lambda: server.metrics().total("hybridd_connections_accepted_total") == 2,
            within=5,
            what="both are accepted",
        )
        server.signal(signal.SIGTERM)
        late.send(TEXT[10:] + ASK)
        assert seen(late.read_to_end()) == ("192.0.2.7", "40000")
        assert silent.ended()
    assert server.wait_ended(10) == 0


def test_a_unix_socket_and_a_raw_protocol(serve, tmp_path):
    path = f"unix:{tmp_path}/own.sock"
    config = {
        "listen": [f"{path} proxy_protocol"],
        "trusted_proxies": ["unix"],
        "protocol": "tell_peer:TellPeer",
        "workers": 1,
    }
    serve(config)
    assert exchange(path, TEXT) == b"('192.0.2.7', 40000)"
    own = SIGNATURE + b"\x21\x31" + struct.pack("!H", 216) + b"/run/client".ljust(108, b"\0") + bytes(108)
    assert exchange(path, own) == b"'/run/client'"


def test_fields_of_proxies_are_believed_of_whom_the_header_names(serve):
    """A proxy for connections in front of one for requests: the second is the peer, and must be trusted for itself."""
    own = {"listen": ["127.0.0.1:0 proxy_protocol"], "trusted_proxies": ["127.0.0.1", "192.0.2.7"], "workers": 1}
    server = serve(settings("hybrid", own))
    fields = {"Connection": "close", "X-Forwarded-For": "6.6.6.6, 198.51.100.1", "X-Forwarded-Proto": "https"}
    ask = request_bytes("GET", "/environ", fields)
    believed, other = (
        json.loads(exchange(server.address, header + ask).partition(b"\r\n\r\n")[2]) for header in (TEXT, BLOCK)
    )
    assert (believed["REMOTE_ADDR"], believed["wsgi.url_scheme"]) == ("198.51.100.1", "https")
    assert believed["HTTPS"] == "on", "as over TLS of our own"
    assert believed["HTTP_X_FORWARDED_FOR"] == "198.51.100.1"
    assert (other["REMOTE_ADDR"], other["wsgi.url_scheme"]) == ("192.0.2.8", "http")
    assert "HTTPS" not in other
    assert not [name for name in other if "FORWARDED" in name]
    server.wait_access(r"^198\.51\.100\.1 ")
