"""The head of an answer: checked once, encoded once.

Knows:     RFC 9110/9112's rules for what a response head may hold and how its body is framed.
Never:     the connection's state.
Runs in:   check_head in whichever thread runs the Call (so that a bad header is the application's error, with its
           traceback); encoding in the leader thread.
"""

from __future__ import annotations

from collections.abc import Sequence


class ResponseHead:
    """Status line and header fields of one answer.

    Attributes:
        status: 200…599 (informational ones are the protocol's own business).
        reason: reason phrase, may be empty.
        headers: (name, value) pairs, latin-1 text, in order.  ``Content-Length`` frames the body; without it the
            protocol chooses chunked, close-delimited or the length it knows.  ``Connection: close`` is honoured; other values of
            Connection, and Transfer-Encoding, are the protocol's business and left out.  Date and Server are added when
            absent.
    """

    __slots__ = ("close", "content_length", "dated", "fields", "headers", "reason", "served", "status")

    def __init__(self, status: int, reason: str, headers: Sequence[tuple[str, str]]) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers
        # What check_head finds out:
        self.fields: bytes | None = None
        """The encoded header lines; None as long as the head is not checked."""
        self.content_length: int | None = None
        self.close = False
        self.dated = False
        self.served = False


def check_head(head: ResponseHead) -> None:
    """Check that ``head`` can be sent, and prepare it; any thread, idempotent.

    Raises:
        ValueError: status out of range; CR, LF or NUL in reason, name or value; text that is not latin-1; a name
            that is no token; a Content-Length that is no number.  The sentence names the header.
    """
    raise NotImplementedError
