"""The states of an HTTP connection, as one table.

A row says what is done with bytes that arrive, which timeout runs, what its end means, and as what the connection
counts.  What leads from one state to another is what HttpProtocol's methods are about; the deadline is set when a state
is entered whose timeout has another name than that of the state before (so that the first head's runs from the
connect, and a Call's goes on while it answers).

Knows:     names of timeouts, words for the end.
Never:     a connection.
Runs in:   nothing; read by connection.py, receiving.py and protocol.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from hybridd.http.outcome import CloseReason


class Input(Enum):
    """What happens to bytes that arrive, and to the client's FIN."""

    PARSE = auto()  # they are parsed; FIN ends the connection
    KEEP = auto()  # they wait unparsed, within bounds; FIN is a half-close, and what is complete is answered
    EMPTY_LINE = auto()  # an LF must come next; FIN ends the connection
    DISCARD = auto()  # nobody wants them; FIN ends the connection


class Expiry(Enum):
    """What the end of the state's timeout means."""

    NOTHING = auto()  # a deadline of an earlier state, which was not worth revoking
    CLOSE = auto()  # close without a word
    PART = auto()  # close the write side, then linger
    REFUSE = auto()  # 408
    SHED = auto()  # 503
    GIVE_UP = auto()  # 504, or cut when the head of an answer is out already


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table; see :class:`State`."""

    sentence: str
    input: Input
    reading: int = 0
    active: int = 0
    timeout: str = ""
    expiry: Expiry = Expiry.NOTHING
    reason: CloseReason = CloseReason.ERROR
    gives_way: bool = False


class State(Enum):
    """Where a connection is.

    Attributes:
        input: what happens to its input.
        reading: 1 if it counts as in the middle of a request that arrives.
        active: 1 if it counts as having a complete request that is not wholly answered.
        timeout: attribute of Timeouts; empty: none.
        expiry: what the end of that timeout means.
        reason: why the connection ends then.
        gives_way: may be ended before its timeout when the worker has hardly a place left.
    """

    CONNECTED = Row(
        "nothing has come yet",
        Input.PARSE,
        timeout="head",
        expiry=Expiry.CLOSE,
        reason=CloseReason.SILENT,
        gives_way=True,
    )
    IDLE = Row(
        "between two requests; has no reader and no buffer",
        Input.PARSE,
        timeout="keep_alive",
        expiry=Expiry.CLOSE,
        reason=CloseReason.KEEP_ALIVE_TIMEOUT,
        gives_way=True,
    )
    EMPTY_LINE = Row(
        "between two requests, in the middle of an empty line: its CR has come; the deadline before goes on",
        Input.EMPTY_LINE,
        expiry=Expiry.CLOSE,
        reason=CloseReason.KEEP_ALIVE_TIMEOUT,
    )
    PARTING = Row(
        "idle, and will be closed unless a request comes within the grace that drain() was given",
        Input.PARSE,
        expiry=Expiry.PART,
        reason=CloseReason.DRAIN,
    )
    HEAD = Row(
        "a head has begun; its deadline is absolute",
        Input.PARSE,
        reading=1,
        timeout="head",
        expiry=Expiry.REFUSE,
        reason=CloseReason.HEAD_TIMEOUT,
        gives_way=True,
    )
    BODY = Row(
        "a body arrives; its deadline moves when it has come on at limits.body_rate",
        Input.PARSE,
        reading=1,
        timeout="body",
        expiry=Expiry.REFUSE,
        reason=CloseReason.BODY_TIMEOUT,
    )
    SPOOLING = Row("the service writes body to a file; our disk's time is not the client's", Input.KEEP, reading=1)
    READY = Row("a request is complete and announced to the service", Input.KEEP, active=1)
    QUEUED = Row(
        "the service has taken it, and has no thread for it",
        Input.KEEP,
        active=1,
        timeout="queue",
        expiry=Expiry.SHED,
        reason=CloseReason.DONE,
    )
    CALL = Row(
        "its Call runs",
        Input.KEEP,
        active=1,
        timeout="handler",
        expiry=Expiry.GIVE_UP,
        reason=CloseReason.HANDLER_TIMEOUT,
    )
    RESPONDING = Row(
        "the head of its answer is out, parts follow",
        Input.KEEP,
        active=1,
        timeout="handler",
        expiry=Expiry.GIVE_UP,
        reason=CloseReason.HANDLER_TIMEOUT,
    )
    FLUSHING = Row("the answer is given; the transport watches how the client takes it", Input.KEEP, active=1)
    LINGER = Row(
        "the last answer is given; reading on keeps a reset from destroying it",
        Input.DISCARD,
        timeout="linger",
        expiry=Expiry.CLOSE,
        reason=CloseReason.DONE,
    )
    CLOSED = Row("the connection is lost", Input.DISCARD)

    def __init__(self, row: Row) -> None:
        self.sentence = row.sentence
        self.input = row.input
        self.reading = row.reading
        self.active = row.active
        self.timeout = row.timeout
        self.expiry = row.expiry
        self.reason = row.reason
        self.gives_way = row.gives_way
