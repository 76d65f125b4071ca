"""Requests over a limit: the right status, one access-log line, one count, the connection closed, no traceback."""

from __future__ import annotations

import pytest

from tests.support.client import request_bytes

SERVICE = {"application": "service:app", "workers": 1}
SMALL = {
    **SERVICE,
    "limits": {"request_line": "256B", "headers": 10, "header_bytes": "1KiB", "body": "1KiB", "body_memory": "256B"},
}

REFUSED = {
    "malformed": (b"GET / HTTP/1.1\r\nHost t\r\n\r\n", 400, "bad_request"),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400, "bad_request"),
    "not http": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "bad_request"),
    "long target": (b"GET /%s HTTP/1.1\r\nHost: t\r\n\r\n" % (b"a" * 300), 414, "uri_too_long"),
    "many headers": (b"GET / HTTP/1.1\r\nHost: t\r\n" + b"A: b\r\n" * 20 + b"\r\n", 431, "headers_too_large"),
    "large header": (b"GET / HTTP/1.1\r\nHost: t\r\nA: %s\r\n\r\n" % (b"b" * 2000), 431, "headers_too_large"),
    "large body": (request_bytes("POST", "/echo", {}, b"x" * 2000), 413, "body_too_large"),
    "large chunked body": (
        b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + b"x" * 2000 + b"\r\n0\r\n\r\n",
        413,
        "body_too_large",
    ),
    "announced large body": (
        b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 999999999\r\n\r\n",
        413,
        "body_too_large",
    ),
    "expectation": (b"GET / HTTP/1.1\r\nHost: t\r\nExpect: a-pony\r\n\r\n", 417, "expectation"),
    "transfer coding": (
        b"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        501,
        "not_implemented",
    ),
    "version": (b"GET / HTTP/2.0\r\nHost: t\r\n\r\n", 505, "version"),
    "both lengths": (
        b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "bad_request",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(share, name):
    data, status, reason = REFUSED[name]
    server = share(SMALL)
    refused = server.metrics().value("hybridd_http_requests_rejected_total", reason=reason)
    with server.client() as client:
        client.send(data)
        answer = client.read_answer()
        assert answer.status == status
        assert answer.header("connection") == "close"
        assert client.ended()
    server.wait_metric("hybridd_http_requests_rejected_total", refused + 1, reason=reason)
    assert f'" {status} ' in server.wait_access(rf'" {status} ')
    assert len(server.access_log()) == 1
    assert server.fetch("/").status == 200
    server.wait_access(r'"GET / HTTP/1.1" 200 ')
    assert len(server.access_log()) == 2
    assert server.metrics().value("hybridd_http_requests_rejected_total", reason=reason) == refused + 1
    assert "Traceback" not in server.log()


def test_what_is_just_within_the_limits_passes(serve):
    server = serve(SMALL)
    with server.client() as client:
        assert client.request("POST", "/echo", {}, b"x" * 1024).body == b"x" * 1024
        line = 256 - len("GET / HTTP/1.1\r\n")
        assert client.get("/" + "?" + "a" * (line - 2)).status == 200
        assert client.get("/", {f"X-{n}": "v" for n in range(9)}).status == 200


def test_a_full_queue_sheds_with_503_and_retry_after(serve, tmp_path):
    server = serve({**SERVICE, "threads": 1, "limits": {"queue": 1}})
    gate = tmp_path / "gate"
    hold = b"GET /hold?file=%s HTTP/1.1\r\nHost: t\r\n\r\n" % str(gate).encode()
    with server.client() as running, server.client() as queued, server.client() as shed:
        running.send(hold)
        server.wait_metric("hybridd_handler_slots", 1, state="busy")
        queued.send(hold)
        server.wait_metric("hybridd_connections", 2, state="active")
        answer = shed.get("/")
        assert answer.status == 503
        assert int(answer.header("retry-after") or 0) >= 1
        gate.touch()
        assert running.read_answer().status == queued.read_answer().status == 200
    server.wait_metric("hybridd_http_requests_rejected_total", 1, reason="queue_full")


def test_a_request_that_waits_too_long_for_a_thread_gets_503(serve, tmp_path):
    server = serve({**SERVICE, "threads": 1, "timeouts": {"queue": "300ms"}})
    gate = tmp_path / "gate"
    with server.client() as running, server.client() as queued:
        running.send(b"GET /hold?file=%s HTTP/1.1\r\nHost: t\r\n\r\n" % str(gate).encode())
        server.wait_metric("hybridd_handler_slots", 1, state="busy")
        answer = queued.get("/")
        assert answer.status == 503
        assert answer.header("retry-after")
        gate.touch()
        assert running.read_answer().status == 200
    server.wait_metric("hybridd_http_requests_rejected_total", 1, reason="queue_timeout")


def test_a_handler_over_its_deadline_is_answered_504(serve, tmp_path):
    server = serve({**SERVICE, "timeouts": {"handler": "300ms"}})
    gate = tmp_path / "gate"
    with server.client() as client:
        answer = client.get(f"/hold?file={gate}")
        assert answer.status == 504
    gate.touch()
    server.wait_metric("hybridd_http_requests_rejected_total", 1, reason="handler_timeout")
    assert server.fetch("/").status == 200


def test_connections_over_the_limit_wait_in_the_backlog(serve):
    server = serve({**SERVICE, "limits": {"connections": 2}})
    with server.client() as first, server.client() as second:
        assert first.get("/").status == second.get("/").status == 200
        third = server.client()
        third.send(request_bytes("GET", "/pid"))
        # The other two go on; the third is served once one of them leaves.
        assert first.get("/").status == 200
        first.close()
        assert third.read_answer().status == 200
        third.close()


def test_a_body_beyond_memory_goes_through_a_file(serve):
    server = serve({**SERVICE, "limits": {"body_memory": "64KiB"}})
    body = bytes(range(256)) * 4096 * 4  # 4 MiB
    with server.client() as client:
        answer = client.request("POST", "/echo", {}, body)
    assert answer.body == body
