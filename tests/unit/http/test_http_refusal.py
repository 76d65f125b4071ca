"""What refused clients are told."""

from __future__ import annotations

import pytest

from hybridd.errors import HttpError
from hybridd.http.outcome import Outcome, Rejection
from hybridd.http.refusal import MEANINGS, answer_to, refusal


@pytest.mark.parametrize("rejection", Rejection)
def test_every_rejection_has_a_meaning(rejection):
    assert MEANINGS[rejection].outcome is not Outcome.SERVED


def test_an_answer_is_one_sentence():
    head, body = answer_to(HttpError(400, Rejection.BAD_REQUEST, "The reason."))
    assert body == b"The reason.\n"
    assert head.encoded == (
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 12\r\n"
    )


def test_only_unavailable_says_when_to_come_again():
    head, _ = answer_to(refusal(503, Rejection.QUEUE_FULL))
    assert ("Retry-After", "1") in head.headers
    head, body = answer_to(refusal(504, Rejection.HANDLER_TIMEOUT))
    assert body == b"The application did not answer in time.\n"
    assert len(head.headers) == 2


@pytest.mark.parametrize("status", [400, 408, 413, 414, 417, 431, 500, 501, 503, 504, 505, 507])
def test_every_status_has_its_phrase(status):
    head, body = answer_to(HttpError(status, "", ""))
    assert head.reason
    assert body.decode().strip() == head.reason
