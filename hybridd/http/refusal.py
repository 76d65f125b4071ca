"""What a refused client is told, and as what the refusal counts.

Knows:     one sentence and one outcome per kind of refusal.
Never:     the request's content: nothing of it is sent back.
Runs in:   the leader thread.
"""

from __future__ import annotations

from typing import NamedTuple

from hybridd.errors import HttpError
from hybridd.http.outcome import CloseReason, Outcome, Rejection
from hybridd.http.response import ResponseHead, check_head

# RFC 9110 and 6585; the standard library's phrases differ between Python versions.
_PHRASES = {
    400: "Bad Request",
    408: "Request Timeout",
    413: "Content Too Large",
    414: "URI Too Long",
    417: "Expectation Failed",
    421: "Misdirected Request",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
    507: "Insufficient Storage",
}
_UNAVAILABLE = 503
RETRY_AFTER = 1  # seconds; a queue that is full now has moved by then


class Meaning(NamedTuple):
    """What a rejection means for the log and for the connection."""

    outcome: Outcome
    reason: CloseReason
    sentence: str = ""


_REFUSED = Meaning(Outcome.REFUSED, CloseReason.PROTOCOL_ERROR)

MEANINGS = {
    Rejection.BAD_REQUEST: Meaning(Outcome.PROTOCOL_ERROR, CloseReason.PROTOCOL_ERROR),
    Rejection.URI_TOO_LONG: _REFUSED,
    Rejection.HEADERS_TOO_LARGE: _REFUSED,
    Rejection.BODY_TOO_LARGE: _REFUSED,
    Rejection.EXPECTATION: _REFUSED,
    Rejection.NOT_IMPLEMENTED: _REFUSED,
    Rejection.VERSION: _REFUSED,
    Rejection.MISDIRECTED: Meaning(
        Outcome.REFUSED, CloseReason.PROTOCOL_ERROR, "An https URI is asked for over a connection without TLS."
    ),
    Rejection.HEAD_TIMEOUT: Meaning(
        Outcome.DEADLINE, CloseReason.HEAD_TIMEOUT, "The request's head did not arrive in time."
    ),
    Rejection.BODY_TIMEOUT: Meaning(Outcome.DEADLINE, CloseReason.BODY_TIMEOUT, "The request's body came too slowly."),
    Rejection.QUEUE_FULL: Meaning(Outcome.SHED, CloseReason.DONE, "The server has as many requests as it can take."),
    Rejection.QUEUE_TIMEOUT: Meaning(Outcome.SHED, CloseReason.DONE, "The server was too busy for too long."),
    Rejection.HANDLER_TIMEOUT: Meaning(
        Outcome.DEADLINE, CloseReason.HANDLER_TIMEOUT, "The application did not answer in time."
    ),
    Rejection.SPOOL_FULL: Meaning(
        Outcome.SHED, CloseReason.DONE, "The server has as much of request bodies as it can keep."
    ),
}
"""Total over Rejection."""


def refusal(status: int, rejection: Rejection) -> HttpError:
    """Make the error whose sentence is that of the rejection."""
    return HttpError(status, rejection, MEANINGS[rejection].sentence)


def answer_to(error: HttpError) -> tuple[ResponseHead, bytes]:
    """Give the head (checked, says Connection: close) and the body of the answer to a refused request."""
    body = f"{error.detail or _PHRASES[error.status]}\n".encode("latin-1", "replace")
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    if error.status == _UNAVAILABLE:
        headers.append(("Retry-After", str(RETRY_AFTER)))
    head = ResponseHead(error.status, _PHRASES.get(error.status, ""), headers)
    check_head(head)
    return head, body
