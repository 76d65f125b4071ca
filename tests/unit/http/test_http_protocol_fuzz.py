"""A moment of the fuzzer, another one with each run, and proofs that its judges see what is wrong."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings

from hybridd.http import head, receiving
from hybridd.http.framing import LAST_CHUNK, BodyWriter
from hybridd.http.protocol import HttpProtocol
from hybridd.http.request import Request
from tests.support.fuzz import BATCH, Fuzzer, notation
from tests.support.fuzz_inputs import SEEDS, streams
from tests.support.fuzz_play import compare, interleave
from tests.support.http_cases import unescape

SEED = int(os.environ["SEED_OF_THE_RUN"])  # in the header of the report


def test_a_moment():
    fuzzer = Fuzzer()
    try:
        fuzzer.batch(SEED, BATCH // 2)
    except Exception as failure:
        failure.add_note(f"{fuzzer.last}\nmake fuzz ARGS='--seed {SEED}' finds it again")
        raise
    assert fuzzer.executions >= BATCH // 2


@given(streams)
@settings(max_examples=30, deadline=None, database=None)
def test_what_is_found_can_be_saved_as_a_case(data):
    lines = notation(data).split("\n")
    assert unescape("".join(lines).encode()) == data


def test_every_case_that_is_short_is_a_seed():
    assert len(set(SEEDS)) > 400


GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
STREAMED = ["stream"]


@pytest.mark.parametrize(
    ("owner", "name", "fault", "data"),
    [
        (head, "is_same_host", lambda *_: True, b"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        (head, "is_badly_encoded", lambda *_: None, b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n"),
        (head, "keeps_alive", lambda *_: True, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + GET),
        (head, "check_framing", lambda *_, **__: 0, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n" + GET),
        (HttpProtocol, "_skip_empty_lines", lambda _, data: data.lstrip(b"\r\n"), b"\n" + GET),
        (receiving, "recall", lambda *_: Request("GET", b"/else", (1, 1), {"HTTP_HOST": "a"}, keep_alive=True), GET),
    ],
)
def test_the_judges_see_a_fault(monkeypatch, owner, name, fault, data):
    compare(data, [data[:7], data[7:]])
    monkeypatch.setattr(owner, name, fault)
    with pytest.raises(AssertionError):
        compare(data, [data[:7], data[7:]])


@pytest.mark.parametrize(
    ("owner", "name", "fault"),
    [
        (BodyWriter, "end", lambda _: LAST_CHUNK * 2),
        (HttpProtocol, "_conclude", lambda *_: None),
        (HttpProtocol, "deadline_expired", lambda _: None),
    ],
)
def test_the_books_show_a_fault(monkeypatch, owner, name, fault):
    interleave([GET], STREAMED, [])
    monkeypatch.setattr(owner, name, fault)
    with pytest.raises((AssertionError, ValueError)):
        interleave([GET], STREAMED, [])
