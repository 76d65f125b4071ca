"""Raw connections: the user's factory, and why each connection ended."""

from __future__ import annotations

import errno

import pytest

from hybridd.http.counts import HttpCounts
from hybridd.http.outcome import CLOSE_REASONS, CloseReason
from hybridd.worker.raw_service import RawService


@pytest.fixture
def counts():
    return HttpCounts()


@pytest.fixture
def service(counts):
    return RawService(object, counts)


def closed(counts):
    return {reason: number for reason, number in zip(CLOSE_REASONS, counts.closed, strict=True) if number}


def test_the_factory_makes_the_protocols(service):
    assert service.connection is object


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (None, CloseReason.DONE),
        (TimeoutError("the peer does not read"), CloseReason.WRITE_TIMEOUT),
        (ConnectionResetError(errno.ECONNRESET, "reset"), CloseReason.RESET),
        (TimeoutError(errno.ETIMEDOUT, "no answer to keepalive"), CloseReason.RESET),
        (BrokenPipeError(errno.EPIPE, "pipe"), CloseReason.RESET),
        (OSError(errno.EIO, "the file became shorter"), CloseReason.ERROR),
        (LookupError("a defect of the protocol"), CloseReason.ERROR),
    ],
)
def test_every_end_has_a_reason(service, counts, error, reason):
    service.lost_one(error)
    assert closed(counts) == {reason: 1}


def test_while_draining_an_ordinary_end_is_the_drains(service, counts):
    service.draining = True
    service.lost_one(None)
    service.lost_one(ConnectionResetError())
    assert closed(counts) == {CloseReason.DRAIN: 1, CloseReason.RESET: 1}
