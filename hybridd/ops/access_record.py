"""What a line of the access log is made of, and what is known of a request that died with its process.

Knows:     which facts there are, and in which units.
Never:     how a line looks (access_line.py), whether there is a log.
Runs in:   see access_log.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Protocol


class Record(Protocol):
    """What a line is made of; ``hybridd.http.request.Request`` is one.  Its words are from outside: see ``words``.

    Attributes:
        fields: header fields under their CGI names.  If they have an attribute ``logged``, they are those of many
            requests, and it keeps what a line says of them (at first nothing).
        version: of HTTP; negative: that is not known.
        known_id: ``id``, or empty: it has to be made first.
        started, ready, called, answered, finished: what ``times`` is made of; NaN: that is not known.
    """

    @property
    def peer(self) -> str: ...  # noqa: D102 - the line says it
    @property
    def method(self) -> str: ...  # noqa: D102
    @property
    def target(self) -> bytes: ...  # noqa: D102
    @property
    def version(self) -> tuple[int, int]: ...  # noqa: D102
    @property
    def fields(self) -> dict[str, str]: ...  # noqa: D102
    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def known_id(self) -> str: ...  # noqa: D102
    @property
    def started(self) -> float: ...  # noqa: D102
    @property
    def ready(self) -> float: ...  # noqa: D102
    @property
    def called(self) -> float: ...  # noqa: D102
    @property
    def answered(self) -> float: ...  # noqa: D102
    @property
    def finished(self) -> float: ...  # noqa: D102
    @property
    def host(self) -> str: ...  # noqa: D102
    @property
    def status(self) -> int: ...  # noqa: D102
    @property
    def outcome(self) -> str: ...  # noqa: D102
    @property
    def rejection(self) -> str | None: ...  # noqa: D102
    @property
    def body_bytes(self) -> int: ...  # noqa: D102
    @property
    def worker(self) -> int: ...  # noqa: D102

    def words(self) -> tuple[str, str, bytes, str, str, str, str]:
        """Peer, method, target, protocol, referer, user agent, id; from outside: any byte, any latin-1 character."""
        ...

    def times(self) -> tuple[float, float, float, float, float]:
        """Duration, received, queued, handled and written, in seconds."""
        ...


@dataclass(frozen=True, slots=True)
class KilledRecord:
    """A request that died with its worker: what the scoreboard still knew of it.  A Record."""

    method: str
    target: bytes
    id: str
    worker: int
    duration: float
    host: str = ""
    status: int = 0
    outcome: str = "killed"
    rejection: str | None = None
    body_bytes: int = 0
    known_id: str = ""
    peer: str = ""
    version: tuple[int, int] = (-1, -1)
    started: float = nan
    ready: float = nan
    called: float = nan
    answered: float = nan
    finished: float = nan

    @property
    def fields(self) -> dict[str, str]:
        """None is known."""
        return {}

    def words(self) -> tuple[str, str, bytes, str, str, str, str]:
        """Only method, target and id are known."""
        return "", self.method, self.target, "-", "", "", self.id

    def times(self) -> tuple[float, float, float, float, float]:
        """Only the duration is known."""
        return self.duration, 0.0, 0.0, 0.0, 0.0
