"""Which heads may be sent, and what is made of them."""

from __future__ import annotations

import pytest

from hybridd.http import response
from hybridd.http.response import ResponseHead, Stamp, check_head


def checked(*headers: tuple[str, str], status: int = 200, reason: str = "OK") -> ResponseHead:
    head = ResponseHead(status, reason, list(headers))
    check_head(head)
    return head


def test_a_head_is_encoded_once():
    head = checked(("A", "1"), ("Set-Cookie", "x=1"), ("Set-Cookie", "y=ü"))
    encoded = head.encoded
    assert encoded == b"HTTP/1.1 200 OK\r\nA: 1\r\nSet-Cookie: x=1\r\nSet-Cookie: y=\xfc\r\n"
    check_head(head)
    assert head.encoded is encoded


@pytest.mark.parametrize("bad", ["a\rb", "a\nb", "a\r\nb", "a\0b", "\n", "a\r\n"])
def test_a_value_with_a_line_end_or_nul_is_refused(bad):
    with pytest.raises(ValueError, match="'X-Bad' has CR, LF or NUL"):
        checked(("A", "1"), ("X-Bad", bad), ("B", "2"))


@pytest.mark.parametrize("bad", ["", "a b", "a:", "a\r", "a\n", "a\0", "ä", "a\r\nb", "Content-Length "])
def test_a_name_that_is_no_token_is_refused(bad):
    with pytest.raises(ValueError, match="token"):
        checked((bad, "x"))


def test_text_beyond_latin_1_is_refused():
    with pytest.raises(ValueError, match="'X-Name' is not latin-1"):
        checked(("A", "ü"), ("X-Name", "\u0142"))
    with pytest.raises(ValueError, match="reason phrase is not latin-1"):
        checked(reason="\u0142")


@pytest.mark.parametrize("reason", ["O\rK", "O\nK", "O\0K"])
def test_a_reason_with_a_line_end_or_nul_is_refused(reason):
    with pytest.raises(ValueError, match="reason phrase"):
        checked(reason=reason)


@pytest.mark.parametrize("status", [0, 99, 100, 101, 103, 199, 600, 1000])
def test_a_status_that_is_not_the_applications_is_refused(status):
    with pytest.raises(ValueError, match=f"status {status}"):
        checked(status=status)


@pytest.mark.parametrize("value", ["", "-1", "+1", "1.0", "0x1", "1 2", " 1", "\u0661", "1_0", "1,1"])
def test_a_length_that_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="is no number"):
        checked(("content-length", value))


def test_a_second_length_is_refused():
    with pytest.raises(ValueError, match="twice"):
        checked(("Content-Length", "1"), ("content-length", "1"))


def test_what_the_protocol_must_know_is_found():
    head = checked(("content-LENGTH", "12"), ("date", "d"), ("SERVER", "s"), ("connection", "Keep-Alive , CLOSE"))
    assert (head.content_length, head.dated, head.served, head.close) == (12, True, True, True)
    head = checked(("Connection", "keep-alive"), ("Connection", "x-close"))
    assert (head.content_length, head.dated, head.served, head.close) == (None, False, False, False)


def test_connection_and_framing_are_left_out():
    head = checked(("Connection", "x"), ("Transfer-Encoding", "gzip"), ("A", "1"))
    assert head.encoded == b"HTTP/1.1 200 OK\r\nA: 1\r\n"


def test_204_has_no_length():
    head = checked(("Content-Length", "0"), status=204, reason="")
    assert head.encoded == b"HTTP/1.1 204 \r\n"


def test_memories_are_bounded():
    for number in range(3000):
        checked((f"X-{number}", "1"), reason=f"R{number}")
    assert len(response._kinds) <= 1024
    assert len(response._status_lines) <= 1024
    assert checked(("Content-Length", "3")).content_length == 3


def test_the_stamp_fills_in_what_is_missing():
    stamp = Stamp()
    assert stamp.lines(checked(), "now") == b"Server: hybridd\r\nDate: now\r\n"
    assert stamp.lines(checked(), "later") == b"Server: hybridd\r\nDate: later\r\n"
    assert stamp.lines(checked(("Server", "x")), "later") == b"Date: later\r\n"
    assert stamp.lines(checked(("Date", "x")), "later") == b"Server: hybridd\r\n"
    assert stamp.lines(checked(("Date", "x"), ("Server", "x")), "later") == b""


def test_repr_is_the_status_line():
    assert repr(ResponseHead(404, "Not Found", [])) == "<ResponseHead 404 Not Found>"
