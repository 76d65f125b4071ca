"""The lead: who may touch the reactor, and the window in which that may change hands.

The thread that runs the reactor may run a Call itself.  While it is inside application code the window is open: the
lead can be stolen by taking the Call's token.  Before server code goes on, the Call takes its *own* token back; if it
is gone, so is the lead.  Append and remove of a list are each one step under the interpreter lock, so exactly one side
gets the token, without a lock of ours.

Knows:     tokens.
Never:     what a Call does.
Runs in:   ``open`` and ``close`` in the thread that leads; ``look`` and ``steal`` in the one that wants to.
See also:  call.py, whose ``enter`` and ``leave`` are these two written out: they are on the way of every request.
"""

from __future__ import annotations

from collections.abc import Callable


class LeadLostError(BaseException):
    """Unwinds the old leader out of the reactor: its Call was taken over, and the thread belongs to the pool now.

    Not an Exception, and nothing on its way may touch what only the leader may: somebody else leads already.
    """


class Lead:
    """The steal window of one worker: at most one token at a time, that of the Call that runs on the leader.

    Attributes:
        call: the Call that runs on the leader, whether its window is open or not; None: there is none.
        tokens: the open windows.
        unwatched: nobody looks at ``call``; ``attend`` calls ``watch`` then.
        wanted: a Call that has led for too long, and whose window was closed when that was seen: ``attend`` calls
            ``give_up`` with it.
    """

    __slots__ = ("call", "give_up", "tokens", "unwatched", "wanted", "watch")

    def __init__(self) -> None:
        self.tokens: list[object] = []
        self.call: object | None = None
        self.unwatched = False
        self.wanted: object | None = None
        self.watch: Callable[[], None] = lambda: None
        self.give_up: Callable[[object], None] = lambda _: None

    def open(self, token: object) -> None:
        """Application code begins."""
        self.tokens.append(token)
        if self.unwatched or self.wanted is not None:  # looked at after `call` was set, see Monitor._park
            self.attend(token)

    def attend(self, token: object) -> None:
        """Do what the monitor asks for, with the window of ``token`` open."""
        if self.unwatched:
            self.watch()
        if self.wanted is token:
            self.wanted = None
            self.give_up(token)

    def close(self, token: object) -> bool:
        """Application code has ended; False: the lead was taken meanwhile.

        Compares and takes: a plain pop could take the token of the next leader's Call.
        """
        try:
            self.tokens.remove(token)
        except ValueError:
            return False
        return True

    def steal(self, token: object) -> bool:
        """Take the lead from the Call that ``token`` belongs to; False: it has left its application code."""
        return self.close(token)
