from __future__ import annotations

import logging

import pytest

from hybridd.app import head as subject
from hybridd.app.head import make_head, with_length
from tests.apps.bad_headers import HEADS


class Text(str):
    """What markupsafe and others make of str."""

    __slots__ = ()


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch):
    monkeypatch.setattr(subject, "_statuses", {})
    monkeypatch.setattr(subject, "_end_to_end", set())
    monkeypatch.setattr(subject, "_left_out", set())


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        ("200 OK", 200, "OK"),
        ("404 Not Found", 404, "Not Found"),
        ("299 ", 299, ""),
        ("204", 204, "No Content"),
        ("599", 599, ""),
        (Text("200 OK"), 200, "OK"),
    ],
)
def test_statuses(text, status, reason):
    for _ in range(2):  # from the memory, the second time
        head = make_head(text, [])
        assert (head.status, head.reason) == (status, reason)


@pytest.mark.parametrize(
    ("status", "headers"), [(200, []), (b"200 OK", []), ("200 OK", [("X", 5)]), ("200 OK", [(b"X", "")])]
)
def test_what_is_wrong_is_told_without_what_went_on_inside(status, headers):
    with pytest.raises(TypeError) as raised:
        make_head(status, headers)
    assert raised.value.__context__ is None, "a traceback would begin with an exception of ours"


def test_headers_are_kept_in_order_and_spelling():
    headers = [("content-type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Empty", "")]
    for _ in range(2):
        head = make_head("200 OK", list(headers))
        assert head.headers == headers
        assert head.encoded is not None


def test_the_length_is_read():
    assert make_head("200 OK", [("content-length", "12")]).content_length == 12
    assert make_head("200 OK", []).content_length is None


def test_with_length():
    head = with_length(make_head("201 Created", [("X-A", "b")]), 7)
    assert (head.status, head.content_length) == (201, 7)
    assert head.headers == [("X-A", "b"), ("Content-Length", "7")]


@pytest.mark.parametrize("kind", [str, Text])
def test_text_of_a_derived_class_is_text(kind):
    assert make_head("200 OK", [(kind("X-A"), kind("b"))]).headers == [("X-A", "b")]


@pytest.mark.parametrize("path", sorted(HEADS))
def test_what_cannot_be_sent_is_refused_each_time(path):
    status, headers = HEADS[path]
    make_head("200 OK", [("X-Value", "good"), ("Content-Length", "6")])  # known names must not hide what is wrong
    for _ in range(2):
        with pytest.raises((TypeError, ValueError)):
            make_head(status, headers)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/value-int", "the value of response header 'Content-Length' must be a str, not int: 6"),
        ("/value-none", "the value of response header 'X-Value' must be a str, not NoneType: None"),
        ("/name-bytes", "the name of a response header must be a str, not bytes: b'X-Value'"),
        ("/pair", "each response header must be a (name, value) tuple, not 'X-Value: text'"),
        ("/three", "each response header must be a (name, value) tuple, not ('X-Value', 'a', 'b')"),
        ("/dict", "the response headers must be a list of (name, value) tuples, not dict"),
        ("/status-int", "the status must be a str like '200 OK', not int"),
        ("/status-glued", "the status must be like '200 OK' (three digits from 200, space, reason), not '200OK'"),
    ],
)
def test_the_sentence_says_what_is_wrong(path, words):
    with pytest.raises((TypeError, ValueError)) as info:
        make_head(*HEADS[path])
    assert str(info.value) == words


def test_unhashable_nonsense_is_refused_too():
    with pytest.raises(TypeError, match="must be a str"):
        make_head(["200 OK"], [])
    with pytest.raises(TypeError, match="name of a response header"):
        make_head("200 OK", [([], "b")])


def test_headers_of_the_connection_are_left_out_and_said_once(caplog):
    headers = [("Keep-Alive", "timeout=5"), ("transfer-encoding", "chunked"), ("X-A", "b"), ("Upgrade", "h2c")]
    for _ in range(3):
        assert make_head("200 OK", list(headers)).headers == [("X-A", "b")]
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warned) == 3
    assert "keep-alive belongs to the connection" in warned[0]


def test_connection_is_left_to_the_protocol():
    assert make_head("200 OK", [("Connection", "close")]).headers == [("Connection", "close")]


def test_the_memories_have_an_end(monkeypatch):
    monkeypatch.setattr(subject, "REMEMBERED", 5)
    for number in range(20):
        make_head(f"200 OK {number}", [(f"X-{number}", "v")])
    assert len(subject._statuses) == 5
    assert len(subject._end_to_end) == 5
    assert make_head("200 OK 19", [("X-19", "w")]).headers == [("X-19", "w")]
