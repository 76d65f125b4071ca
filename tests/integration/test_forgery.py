"""What clients send cannot look like a line of the logs, and secrets are in no log, no answer and no admin page."""

from __future__ import annotations

import json
import re
import urllib.parse

import pytest

from tests.support.client import exchange
from tests.support.waiting import wait_until

CONTROLS = "".join(map(chr, (*range(32), *range(127, 160)))) + "\u2028\u2029\u202e\u2066"
FORGED = '1999-12-31T23:59:59.999Z critical [1] forged"} {"level":"critical","message":"forged'
HOSTILE = f'"\n{FORGED}\r\n{FORGED}\n<2>{FORGED}{CONTROLS}\\'
QUERY = urllib.parse.quote(HOSTILE, safe="")
SECRETS = ("c2VjcmV0OnBhc3N3b3Jk", "session=of-somebody", "body-of-somebody")

# A record begins with its time and level; what belongs to it is indented (hybridd/ops/log_format.py).
RECORD = re.compile(r"[-0-9]{10}T[:.0-9]+Z (debug|info|warning|error|critical) \[\d+\] |  \| ")


def asked(path: str, method: str = "GET") -> bytes:
    """Return a request with everything hostile that a head may hold; it is answered, or refused with 400."""
    agent = b'"\\ \x80\x85\x9b[2J\xe2\x80\xa8\xe2\x80\xae \t" 200 1 "-" forged'
    lines = [
        f"{method} {path} HTTP/1.1".encode("latin-1"), b"Host: t", b"User-Agent: " + agent, b"Referer: " + agent,
        b"X-Request-Id: " + agent, b"Connection: close", f"Authorization: Basic {SECRETS[0]}".encode(),
        f"Cookie: {SECRETS[1]}".encode(), b"Content-Length: %d" % len(SECRETS[2]), b"", SECRETS[2].encode(),
    ]  # fmt: skip
    return b"\r\n".join(lines)


def refused() -> list[bytes]:
    """Return requests that are refused, with hostile bytes where each is wrong."""
    return [
        b"GET /\x1b]0;forged\x07 HTTP/1.1\r\nHost: t\r\n\r\n",
        b'G"T\x1b[2J / HTTP/1.1\r\nHost: t\r\n\r\n',
        b"GET / HTTP/1.1\r\nHost: t\r\nX: a\x00\n1999-12-31T23:59:59.999Z critical [1] forged\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \x1b[2J\r\n\r\n",
        b"GET /%s HTTP/1.1\r\nHost: t\r\n\r\n" % (b"\xe2\x80\xa8forged" * 1000),
    ]


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_byte_of_a_client_forges_a_line_or_reaches_a_terminal(serve, form):
    logs = {"log": {"format": form}, "access_log": {"format": "json" if form == "json" else "combined"}}
    server = serve({"application": "telltale:app", "workers": 1, **logs})
    answers = [exchange(server.address, asked(f"{path}?{QUERY}")) for path in ("/", "/raise", "/exit")]
    answers += [exchange(server.address, request) for request in refused()]
    statuses = [int(answer.split()[1]) for answer in answers]
    assert statuses[:2] == [200, 500]
    assert all(status >= 400 for status in statuses[1:])
    for answer in answers[1:]:
        body = answer.partition(b"\r\n\r\n")[2]
        assert not re.search(rb"forged|Traceback|\.py|/tests/|ValueError", body), (
            "an answer says nothing of either side"
        )
    wait_until(lambda: len(server.access_log()) >= len(answers), within=5, what=server.access_log)
    for path in ("/status", "/metrics"):
        assert not any(secret in server.ask_admin(path).text for secret in (*SECRETS, "forged"))
    server.stop()
    for file in (server.log_file, server.access_file):
        written = file.read_bytes()
        text = written.decode()
        assert "forged" in text, "it is there, as text"
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", text)
        assert not any(secret in text for secret in SECRETS)
        for line in text.split("\n")[:-1]:
            if form == "json":
                assert json.loads(line).get("level") != "critical"
            elif file == server.log_file:
                assert RECORD.match(line), line
                assert not line.startswith("1999")
    assert len(server.access_log()) == len(answers)
