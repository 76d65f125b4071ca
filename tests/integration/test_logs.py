"""The error log and the access log: one line each for what happened, as text and as JSON."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.client import CUT
from tests.support.waiting import wait_until

SERVICE = {"application": "service:app", "workers": 1}
COMBINED = re.compile(r'^\S+ \S+ \S+ \[[^]]+\] "(?P<request>[^"]*)" (?P<status>\d{3}) (?P<size>\d+|-) "[^"]*" "[^"]*"')


def test_the_access_log_is_in_combined_format(serve):
    server = serve(SERVICE)
    server.fetch("/bytes/1234?a=b", headers={"User-Agent": "test/1", "Referer": "http://else/"})
    line = server.wait_access("bytes")
    found = COMBINED.match(line)
    assert found, line
    assert found["request"] == "GET /bytes/1234?a=b HTTP/1.1"
    assert (found["status"], found["size"]) == ("200", "1234")
    assert '"http://else/" "test/1"' in line


def test_every_request_has_one_line_and_no_more(serve):
    server = serve(SERVICE)
    with server.client() as client:
        for number in range(25):
            client.get(f"/?{number}")
    server.wait_access(r"\?24 ")
    assert [COMBINED.match(line)["request"] for line in server.access_log()] == [
        f"GET /?{number} HTTP/1.1" for number in range(25)
    ]


def test_the_access_log_as_json(serve):
    server = serve({**SERVICE, "access_log": {"format": "json"}})
    server.fetch("/bytes/10", headers={"X-Request-Id": "abc-123"})
    record = json.loads(server.wait_access("bytes"))
    assert record["method"] == "GET"
    assert record["status"] == 200
    assert "abc-123" in record.values()


def test_the_error_log_as_json(serve):
    server = serve({**SERVICE, "log": {"format": "json"}})
    server.fetch("/raise")
    server.wait_log("failed on purpose")
    server.stop()
    records = [json.loads(line) for line in server.log().splitlines()]
    assert len(records) > 3
    failure = next(record for record in records if "failed on purpose" in json.dumps(record))
    assert failure["level"].lower() == "error"
    assert "Traceback" in json.dumps(failure)


def test_an_application_that_raises_is_logged_with_what_it_was_asked(serve):
    server = serve(SERVICE)
    with server.client() as client:
        answer = client.get("/raise", {"X-Request-Id": "trace-me-42"})
        assert answer.status == 500
        assert b"Traceback" not in answer.body
        assert client.get("/").status == 200  # on the same connection
    server.wait_log(r"RuntimeError: the application failed on purpose")
    log = server.log()
    assert "Traceback (most recent call last)" in log
    assert re.search(r"GET.*/raise.*trace-me-42|trace-me-42.*GET.*/raise", log)


def test_an_application_that_raises_in_the_middle_cuts_the_answer(serve):
    server = serve(SERVICE)
    with server.client() as client:
        client.send(b"GET /raise-late HTTP/1.1\r\nHost: t\r\n\r\n")
        with pytest.raises(CUT):  # a client sees that it is not whole
            client.read_answer()
    server.wait_log("failed late on purpose")
    assert server.fetch("/").status == 200


@pytest.mark.parametrize("value", ["a%0d%0aSet-Cookie:%20x", "a%0ab", "a%00b"], ids=["CRLF", "LF", "NUL"])
def test_a_header_that_would_split_the_answer_is_never_sent(serve, value):
    server = serve(SERVICE)
    answer = server.fetch(f"/header?value={value}")
    assert answer.status == 500
    assert answer.header("set-cookie") is None
    assert answer.header("x-value") is None
    server.wait_log("X-Value")
    assert server.fetch("/header?value=fine").header("x-value") == "fine"


def test_what_clients_send_cannot_forge_lines(serve):
    server = serve(SERVICE)
    server.fetch("/", headers={"User-Agent": 'evil" 200 1 "-" \x9b[31m\x85', "X-Request-Id": "a b"})
    with server.client() as client:  # what is refused is logged too
        client.send(b"GET /\x1b[31m HTTP/1.1\r\nHost: t\r\nUser-Agent: refused\x1b\r\n\r\n")
        assert client.read_answer().status == 400
    server.wait_access("evil")
    server.wait_access('" 400 ')
    text = server.access_file.read_bytes()
    assert text.count(b"\n") == len(text.splitlines()) == 2
    assert not any(control in text for control in (b"\x1b", b"\x9b", b"\x85"))
    assert b'evil" 200' not in text


def test_the_level_is_respected(serve):
    quiet = serve({**SERVICE, "log": {"level": "error"}})
    quiet.fetch("/")
    quiet.stop()
    assert quiet.log() == ""


def test_logs_to_files(serve, tmp_path):
    log = tmp_path / "own.log"
    server = serve({**SERVICE, "log": {"file": str(log)}})
    server.fetch("/raise")
    wait_until(lambda: "failed on purpose" in log.read_text(), within=5, what="the failure stands in the file")
    assert server.log() == ""
