"""Stepping through chunks: never past the end of the message, and not in more pieces than it needs."""

from __future__ import annotations

import pytest

from hybridd.config.settings import Limits
from hybridd.http.chunk_steps import ChunkSteps
from hybridd.http.reader import RequestReader

HEAD = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: h\r\n\r\n"
BODIES = [
    b"0\r\n\r\n",
    b"000;a=b\r\nT: 1\r\nU: 2\r\n\r\n",
    b"4\r\n\r\n\r\n\r\n0\r\n\r\n",
    b"5\r\n0\r\n\r\n\r\n0\r\n\r\n",
    b'00A;x="0"\r\n\r\n\r\n\r\n\r\n\r\n\r\n1\r\n0\r\n0\r\n\r\n',
]


class CountingParser:
    """llhttp, and how often it was given something."""

    def __init__(self, reader: RequestReader) -> None:
        self.fed = 0
        self._parser = reader.parser
        reader.parser = self

    def feed_data(self, data: bytes) -> None:
        """Count, and pass it on."""
        self.fed += 1
        self._parser.feed_data(data)


@pytest.mark.parametrize("body", BODIES)
def test_no_piece_goes_past_the_end_however_the_reads_are_cut(body):
    stream = body + NEXT
    for first in range(1, len(body)):
        for second in range(first + 1, len(body) + 1):
            steps, left = ChunkSteps(), body
            for read in (stream[:first], stream[first:second], stream[second:]):
                given = 0
                while given < len(read) and left:
                    reach = steps.reach(read[given:])
                    assert 0 < reach <= len(left), (first, second)
                    given, left = given + reach, left[reach:]
            assert not left


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_what_lies_behind_is_given_back_whole(body, size):
    reader = RequestReader.take(Limits())
    reader.feed(HEAD)
    for start in range(0, len(body) - size, size):
        assert reader.feed(body[start : start + size]) == b""
        assert not reader.complete
    last = len(range(0, len(body) - size, size)) * size
    assert reader.feed(body[last:] + NEXT) == NEXT
    assert reader.complete


def test_a_line_that_is_no_size_is_left_to_the_parser():
    steps = ChunkSteps()
    assert steps.reach(b"5 ;a\r\nhello\r\n0\r\n\r\nGET") == len(b"5 ;a\r\nhello\r\n0\r\n\r\n")
    assert steps.reach(b"GET") == 3


@pytest.mark.parametrize(
    ("first", "more"),
    [
        (b"1000000\r\n", b"\r\n\r\n" * 16_384),
        (b"1000000\r\n", b"0\r\n\r\n" * 13_107),
        (b"", b"4\r\n\r\n\r\n\r\n" * 7281),
    ],
)
def test_a_body_of_empty_lines_is_not_cut_at_each_of_them(first, more):
    reader = RequestReader.take(Limits())
    reader.feed(HEAD + first)
    parser = CountingParser(reader)
    assert reader.feed(more) == b""
    assert parser.fed <= 3


@pytest.mark.parametrize("line", [b"5;" + b"a" * 20_000, b"0" * 20_000 + b"5"])
def test_what_has_come_of_a_line_is_not_looked_at_again_with_each_byte(line):
    steps = ChunkSteps()
    assert sum(steps.reach(line[at : at + 1]) for at in range(len(line))) == len(line)
    assert len(steps._begun) <= 2
    assert steps.reach(b"\r") == 1
    assert steps.reach(b"\n") == 1
    assert steps.inside == 5
