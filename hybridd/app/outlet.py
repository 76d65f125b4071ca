"""Where an application's response goes: the worker's side of one exchange, as this package sees it.

Knows:     the order in which a response may come.
Never:     how bytes reach the client; the worker implements this, tests record it.
Runs in:   the thread that steps the exchange, leader or pool; one thread at a time.
"""

from __future__ import annotations

from typing import Protocol

from hybridd.http.response import ResponseHead


class Outlet(Protocol):
    """One response: either ``whole``, or ``start``, any number of ``send`` and ``send_file``, then ``finish``.

    ``abort`` may come instead of everything after ``start``.  Nothing here ever waits and nothing here raises:
    what the client cannot take yet is kept by the receiver (memory, then a file), also while ``behind``; and
    when the client is gone, the calls have no effect.
    """

    @property
    def behind(self) -> bool:
        """The client is so far behind that the application should rest: ``step`` returns False for it."""

    @property
    def gone(self) -> bool:
        """The client has left: a running step asks the application for nothing more and closes it."""

    def enter(self) -> None:
        """Application code begins on this thread: from here the lead may be taken over."""

    def leave(self) -> None:
        """Application code has ended (or calls into the server): from here it may not.  Pairs with ``enter``."""

    def whole(self, head: ResponseHead, body: bytes) -> None:
        """Answer with all there is; the receiver adds Content-Length where the head has none."""

    def start(self, head: ResponseHead, first: bytes) -> None:
        """Begin a response that goes on; without Content-Length in the head the receiver frames it."""

    def send(self, data: bytes) -> None:
        """Go on with ``data`` (not empty)."""

    def send_file(self, fd: int, offset: int, count: int) -> None:
        """Go on with ``count`` bytes of a regular file; the receiver owns ``fd`` and closes it."""

    def finish(self) -> None:
        """End a response that was started; all bytes that its head promised have been given."""

    def abort(self) -> None:
        """Cut a response that was started, so that the client notices that it is incomplete."""
