from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridd.http.outcome import Outcome, Rejection
from hybridd.http.request import KnownFields, Request
from hybridd.ops.access_line import LINES, CombinedLine, JsonLine
from hybridd.ops.access_record import KilledRecord, Record

MOMENT = 1795341600.1239  # 2026-11-22T10:00:00.123Z
# As log analysers have it.
COMBINED = re.compile(
    r'(\S+) (\S+) (\S+) \[([^]]+)\] "((?:[^"\\]|\\.)*)" (\d+) (\d+) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"'
)
PAIR = re.compile(r" ([a-z]+)=(\S+)")


def answered(target: bytes = b"/list?page=3", method: str = "GET", rejection=None, **fields: str) -> Request:
    request = Request(method, target, (1, 1), fields)
    request.peer = "192.0.2.7"
    request.started, request.ready = 100.0, 100.001
    outcome = Outcome.REFUSED if rejection else Outcome.SERVED
    request.status, request.outcome, request.rejection, request.body_bytes = 200, outcome, rejection, 1234
    request.called, request.answered, request.finished, request.worker = 100.003, 100.006, 100.010, 2
    return request


def combined(record: Record) -> str:
    return CombinedLine()(record, MOMENT)


def parsed(record: Record) -> dict:
    line = JsonLine()(record, MOMENT)
    assert line.endswith("\n")
    return json.loads(line)


def test_a_combined_line():
    record = answered(HTTP_REFERER="https://example.org/", HTTP_USER_AGENT="curl/8.5")
    line = combined(record)
    assert line == (
        '192.0.2.7 - - [22/Nov/2026:10:00:00 +0000] "GET /list?page=3 HTTP/1.1" 200 1234 "https://example.org/"'
        f' "curl/8.5" id={record.id} worker=2 outcome=served duration=0.010000 received=0.001000'
        " queued=0.002000 handled=0.003000 written=0.004000\n"
    )


def test_a_json_line():
    record = answered(HTTP_HOST="example.org", HTTP_USER_AGENT="curl/8.5", rejection=Rejection.QUEUE_FULL)
    assert parsed(record) == {
        "time": "2026-11-22T10:00:00.123Z",
        "peer": "192.0.2.7",
        "method": "GET",
        "target": "/list?page=3",
        "protocol": "HTTP/1.1",
        "host": "example.org",
        "status": 200,
        "body_bytes": 1234,
        "referer": "",
        "user_agent": "curl/8.5",
        "request_id": record.id,
        "worker": 2,
        "outcome": "refused",
        "rejection": "queue_full",
        "duration": 0.01,
        "received": 0.001,
        "queued": 0.002,
        "handled": 0.003,
        "written": 0.004,
    }


def test_what_is_absent_is_a_dash():
    record = answered()
    record.peer = ""
    assert combined(record).startswith("- - - [")
    assert '200 1234 "-" "-" id=' in combined(record)
    assert "rejection" not in combined(record)
    assert "rejection" not in parsed(record)


def test_an_unreadable_head_has_a_dash_for_its_request_line():
    record = answered(b"-", method="-", rejection=Rejection.BAD_REQUEST)
    assert '] "-" 200 ' in combined(record)
    assert " outcome=refused rejection=bad_request " in combined(record)


def test_quotes_and_odd_bytes_are_written_as_apache_does():
    line = combined(answered(b'/"\\\n\x1b\xff', HTTP_USER_AGENT='a"b\r\nc'))
    assert r'"GET /\"\\\x0a\x1b\xff HTTP/1.1"' in line
    assert r'"a\"b\x0d\x0ac"' in line


def test_what_is_too_long_to_be_remembered_is_written_alike():
    line = combined(answered(b"/" + b'"' * 600, HTTP_REFERER="\n" * 600))
    assert '"GET /' + r"\"" * 600 + ' HTTP/1.1"' in line
    assert '"' + r"\x0a" * 600 + '" "-" id=' in line


def test_a_request_in_several_pieces_has_all_durations():
    record = answered()
    record.finished = record.answered
    assert combined(record).endswith(" received=0.001000 queued=0.002000 handled=0.003000 written=0.000000\n")
    record.ready = record.started
    assert combined(record).endswith(" received=0.000000 queued=0.003000 handled=0.003000 written=0.000000\n")


@pytest.mark.parametrize("seconds", [0.0, 0.000384, 0.0009992, 0.001, 0.0011, 0.5])
def test_durations_have_six_digits_however_long_they_are(seconds):
    record = answered()
    record.ready = record.started = 0.0
    record.called = seconds / 4
    record.answered = record.finished = seconds
    quarter, rest = seconds / 4, seconds * 3 / 4
    assert combined(record).endswith(
        f" duration={seconds:.6f} received=0.000000 queued={quarter:.6f} handled={rest:.6f} written=0.000000\n"
    )


@given(st.integers(0, 990), st.integers(0, 990))
def test_durations_of_a_request_in_one_piece_add_up(one, other):
    queued, duration = sorted((one, other))
    record = answered()
    record.started = record.ready = 5.0
    record.called, record.answered = 5.0 + queued / 1e6, 5.0 + duration / 1e6
    record.finished = record.answered
    assert combined(record).endswith(
        f" duration={duration / 1e6:.6f} received=0.000000 queued={queued / 1e6:.6f}"
        f" handled={(duration - queued) / 1e6:.6f} written=0.000000\n"
    )


def test_fields_of_many_requests_keep_what_a_line_says_of_them():
    fields = KnownFields({"HTTP_USER_AGENT": 'a"b', "HTTP_REFERER": "/"})
    first, second = (Request("GET", target, (1, 1), fields) for target in (b"/1", b"/2"))
    first.status = second.status = 200
    first.finished = second.finished = 1.0
    line = CombinedLine()
    assert '"GET /1 HTTP/1.1" 200 0 "/" "a\\"b" id=' in line(first, MOMENT)
    assert fields.logged
    assert '"GET /2 HTTP/1.1" 200 0 "/" "a\\"b" id=' in line(second, MOMENT)
    long = KnownFields({"HTTP_USER_AGENT": "x" * 600})
    assert f'"-" "{"x" * 600}" id=' in line(Request("GET", b"/", (1, 1), long), MOMENT)
    assert not long.logged


def test_outcome_and_worker_are_those_of_each_request():
    line = CombinedLine()
    served, refused, elsewhere = answered(), answered(rejection=Rejection.BAD_REQUEST), answered()
    elsewhere.worker = 3
    assert " worker=2 outcome=served duration" in line(served, MOMENT)
    assert " worker=2 outcome=refused rejection=bad_request duration" in line(refused, MOMENT)
    assert " worker=3 outcome=served duration" in line(elsewhere, MOMENT)


@given(st.binary(), st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
def test_no_request_can_forge_a_line(target, referer, agent):
    record = answered(target, HTTP_REFERER=referer, HTTP_USER_AGENT=agent)
    line = combined(record)
    assert line.isascii()
    assert line[:-1].isprintable()
    found = COMBINED.match(line)
    assert found
    assert found[4] == "22/Nov/2026:10:00:00 +0000"
    assert (found[6], found[7]) == ("200", "1234")
    assert dict(PAIR.findall(line[found.end() :]))["outcome"] == "served"
    item = parsed(record)
    assert (item["target"], item["referer"], item["user_agent"]) == (target.decode("latin-1"), referer, agent)


def test_the_request_line_is_that_of_each_request():
    line, target = CombinedLine(), b"/"  # which is one object wherever it comes from
    for method, version in [("GET", (1, 1)), ("GET", (1, 0)), ("GET", (1, 1)), ("HEAD", (1, 1)), ("HEAD", (1, 1))]:
        record = answered(target, method)
        record.version = version
        assert f'"{method} / HTTP/1.{version[1]}" ' in line(record, MOMENT)
    assert '"HEAD /other HTTP/1.1" ' in line(answered(b"/other", "HEAD"), MOMENT)


@pytest.mark.parametrize("line", [CombinedLine, JsonLine])
def test_the_time_is_formatted_once_per_second_and_follows_it(line):
    form, record = line(), answered()
    first, same, next_second = form(record, MOMENT), form(record, MOMENT), form(record, MOMENT + 1)
    assert first == same
    assert first != next_second


def test_a_request_that_died_with_its_worker_has_a_line():
    record = KilledRecord(method="GET", target=b"/slow", id="ab1", worker=3, duration=7.5)
    assert '"GET /slow -" 000 0 "-" "-" id=ab1 worker=3 outcome=killed duration=7.500000' in combined(record)
    assert parsed(record)["outcome"] == "killed"


def test_every_format_of_the_settings_exists():
    assert set(LINES) == {"combined", "json"}
