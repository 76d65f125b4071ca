"""The heads of answers."""

from __future__ import annotations

import pytest

from benchmarks.load.client import BadAnswer, parse_head


def test_status_and_length():
    assert parse_head(b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-length:  14") == (200, 14)


def test_without_a_length_the_end_of_the_stream_ends_the_body():
    assert parse_head(b"HTTP/1.0 503 Service Unavailable\r\nConnection: close") == (503, None)


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1", b"SSH-2.0-x", b"HTTP/1.1 abc OK"])
def test_what_is_no_status_line(head):
    with pytest.raises(BadAnswer):
        parse_head(head)
