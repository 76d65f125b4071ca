from __future__ import annotations

import struct

import pytest

from hybridd.ops.accept_queue import AcceptQueue, parse_tcp_info

LISTEN, ESTABLISHED = 10, 1


def info(state: int, unacked: int, sacked: int, rest: bytes = bytes(64)) -> bytes:
    return struct.pack("=8B6I", state, *bytes(7), 1, 2, 3, 4, unacked, sacked) + rest


def test_a_listening_socket():
    assert parse_tcp_info(info(LISTEN, 3, 2048)) == AcceptQueue(length=3, limit=2048)


def test_exactly_as_much_as_is_asked_for():
    assert parse_tcp_info(info(LISTEN, 3, 2048, b"")) == AcceptQueue(3, 2048)


@pytest.mark.parametrize("answer", [info(ESTABLISHED, 3, 4), b"", info(LISTEN, 1, 2)[:30]])
def test_anything_else(answer):
    assert parse_tcp_info(answer) is None
