"""What llhttp's callbacks say about one message, written down.

Raising inside a callback ruins the parser (httptools), so that callbacks only take notes; reader.py and body_reader.py
judge them afterwards.  llhttp forgets method and keep-alive when the message is complete, so they are noted too.

Knows:     fields and keys.
Never:     verdicts.
Runs in:   the leader thread, inside ``feed_data``.
"""

from __future__ import annotations

from collections.abc import Callable

from httptools import HttpRequestParser

from hybridd.config.settings import Limits
from hybridd.http.fields import KEYS, SINGLE, Withheld, learn_key
from hybridd.http.request import ForwardedFields


class Notes:
    """The notes of one message, and the parser that dictates them.

    Attributes:
        parser: llhttp; None when it is of no more use.
        method, target: as received.
        keep_alive: llhttp is willing to go on after this message.
        upgrade: llhttp stops after the head (Connection: upgrade, or CONNECT).
        fields: the head's fields under CGI names; the trailer's once the head is accepted.
        withheld: the fields of proxies, such as X-Forwarded-For; None: there are none.
        unlisted: field lines without an entry of their own in ``fields``: repeated, dropped or withheld.
        fault: a field line for which the head is refused, as a sentence; empty: none.
        limits: ``headers`` lines are joined at most; a message with more is refused anyway, and joining without end is
            quadratic work.
        head_complete, message_complete: how far llhttp has come.
        parts: pieces of a chunked body not yet taken.
        chunks: chunk headers seen.
    """

    __slots__ = (
        "chunks",
        "fault",
        "fields",
        "head_complete",
        "keep_alive",
        "limits",
        "message_complete",
        "method",
        "parser",
        "parts",
        "target",
        "unlisted",
        "upgrade",
        "withheld",
    )

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.parser: HttpRequestParser | None = HttpRequestParser(self)
        self.parts: list[bytes] = []
        self.chunks = 0
        self.forget_head()

    def forget_head(self) -> None:
        """Be ready for another head; a body leaves more traces than this removes."""
        self.method = self.target = b""
        self.fields: dict[str, str] = {}
        self.withheld: dict[str, str] | None = None
        self.unlisted = 0
        self.fault = ""
        self.keep_alive = self.upgrade = self.head_complete = self.message_complete = False

    def on_url(self, part: bytes) -> None:
        """Note a part of the request-target."""
        self.target += part

    def on_header(self, name: bytes, value: bytes, get_key: Callable[[bytes], str | None] = KEYS.get) -> None:
        """Note a field line; llhttp has removed whitespace before the value, and accepts it behind.

        The hottest function of the package; ``get_key`` is an argument only because that is the fastest variable.
        """
        key = get_key(name)
        if not key or key in self.fields:
            self._note_unusual(name, key, value)
        else:
            self.fields[key] = value.rstrip().decode("latin-1")

    def _note_unusual(self, name: bytes, key: str | None, value: bytes) -> None:
        """Drop a field that has no key; join a repeated one (RFC 9110 5.2; Cookie as in RFC 9113 8.2.3)."""
        if key is None:
            key = learn_key(name)
            if key and key not in self.fields:
                self.fields[key] = value.rstrip().decode("latin-1")
                return
        self.unlisted += 1
        if isinstance(key, Withheld):
            self._withhold(key.key, value)
        elif not key:
            if self.limits.underscores == "refuse" and b"_" in name:
                self.fault = self.fault or "A header field has an underscore in its name."
        elif key in SINGLE:
            self.fault = self.fault or f"There is more than one {SINGLE[key]} header."
        elif self.unlisted <= self.limits.headers:
            self.fields[key] += ("; " if key == "HTTP_COOKIE" else ", ") + value.rstrip().decode("latin-1")

    def _withhold(self, key: str, value: bytes) -> None:
        """Keep a field of proxies aside; lines of one name are one list, in their order (RFC 9110 5.3)."""
        if self.withheld is None:
            self.withheld = {}
        text = value.rstrip().decode("latin-1")
        if key in self.withheld:
            if self.unlisted <= self.limits.headers:
                self.withheld[key] += ", " + text
        else:
            self.withheld[key] = text

    def on_headers_complete(self) -> None:
        """Note the end of the head, and what llhttp will forget."""
        parser = self.parser
        assert parser is not None  # it calls
        self.method = parser.get_method()
        self.keep_alive = parser.should_keep_alive()
        self.upgrade = parser.should_upgrade()
        self.head_complete = True
        if self.withheld is not None:
            self.fields = ForwardedFields(self.fields, self.withheld)

    def on_chunk_header(self) -> None:
        """Count a chunk."""
        self.chunks += 1

    def on_body(self, part: bytes) -> None:
        """Note a piece of a chunked body."""
        self.parts.append(part)

    def on_message_complete(self) -> None:
        """Note the end."""
        self.message_complete = True
