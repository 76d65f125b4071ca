"""What a record says of a request."""

from __future__ import annotations

import pytest

from hybridd.http.outcome import Outcome, Rejection
from hybridd.http.request import Request


def test_phases_add_up():
    request = Request("GET", b"/a\xff?b", (1, 0), {"HTTP_REFERER": "r", "HTTP_USER_AGENT": "u", "HTTP_HOST": "h"})
    request.started, request.ready, request.peer = 1.0, 2.0, "192.0.2.1"
    request.called, request.answered, request.finished = 4.0, 8.0, 16.0
    assert request.times() == (15, 1, 2, 4, 8)
    assert request.words() == ("192.0.2.1", "GET", b"/a\xff?b", "HTTP/1.0", "r", "u", request.id)
    assert request.host == "h"


def test_what_is_not_known_is_empty():
    record = Request("-", b"-", (1, 1), {})
    assert record.words()[:-1] == ("", "-", b"-", "HTTP/1.1", "", "")
    assert record.host == ""
    assert record.worker == -1


@pytest.mark.parametrize("words", [Outcome, Rejection])
def test_words_are_text(words):
    assert all(str(word) == word.value for word in words)
