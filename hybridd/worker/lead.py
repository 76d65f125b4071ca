"""The lead: who may touch the reactor, and the window in which that may change hands.

The thread that runs the reactor may run a Call itself.  While it is inside application code the window is open: the
lead can be stolen by taking the Call's token.  Before server code goes on, the Call takes its *own* token back; if it
is gone, so is the lead.  Append and remove of a list are each one step under the interpreter lock, so exactly one side
gets the token, without a lock of ours.

Knows:     tokens.
Never:     what a Call does.
Runs in:   ``open`` and ``close`` in the thread that leads; ``steal`` in the one that wants to.
"""

from __future__ import annotations


class Lead:
    """The steal window of one worker: at most one token at a time, that of the Call that runs on the leader."""

    __slots__ = ("_tokens",)

    def __init__(self) -> None:
        self._tokens: list[object] = []

    def open(self, token: object) -> None:
        """Application code begins."""
        self._tokens.append(token)

    def close(self, token: object) -> bool:
        """Application code has ended; False: the lead was taken meanwhile.

        Compares and takes: a plain pop could take the token of the next leader's Call.
        """
        try:
            self._tokens.remove(token)
        except ValueError:
            return False
        return True

    def steal(self, token: object) -> bool:
        """Take the lead from the Call that ``token`` belongs to; False: it has left its application code."""
        return self.close(token)
