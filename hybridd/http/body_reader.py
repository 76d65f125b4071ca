"""Reads the body behind an accepted head: a known number of bytes, or chunks.

Knows:     where the body ends, how long it may be.
Never:     files (a body that is too long for memory is the protocol's and its service's business), time.
Runs in:   the leader thread.
"""

from __future__ import annotations

from httptools import HttpParserError

from hybridd.config.settings import Limits
from hybridd.errors import HttpError
from hybridd.http.body import Body
from hybridd.http.chunk_steps import ChunkSteps
from hybridd.http.notes import Notes
from hybridd.http.outcome import Rejection

_PAGE = 4096  # bytes; shorter pieces of a body are joined, or a trickle of bytes would fill memory with objects
_FRAMING_PER_CHUNK = 128  # bytes of a chunk that are not body: its size, or a signature as chunk extension


class BodyReader:
    """A body that arrives with Content-Length; it does not pass through llhttp.

    Attributes:
        body: what has arrived.
        complete: nothing more belongs to it.
        pending: bytes in ``body.chunks``.
        progress: bytes that have arrived since the protocol last set this to 0.
        spooled: some of it was given away, to a file.
    """

    __slots__ = ("_limit", "_remaining", "body", "complete", "pending", "progress", "spooled")

    def __init__(self, limits: Limits, length: int) -> None:
        self.body = Body()
        self.complete = False
        self.pending = 0
        self.progress = 0
        self.spooled = False
        self._limit = limits.body
        self._remaining = length

    def feed(self, data: bytes) -> bytes:
        """Take what belongs to the body, and give back the rest.

        Raises:
            HttpError: 400, 413 or 431.
        """
        remaining = self._remaining
        self._append(data[:remaining])
        self._remaining = max(remaining - len(data), 0)
        self.complete = not self._remaining
        return data[remaining:]

    def take_chunks(self) -> list[bytes]:
        """Give away what is in memory."""
        chunks, self.body.chunks = self.body.chunks, []
        self.pending = 0
        self.spooled = True
        return chunks

    def _append(self, piece: bytes) -> None:
        body = self.body
        body.length += len(piece)
        if body.length > self._limit:
            raise HttpError(413, Rejection.BODY_TOO_LARGE, f"The body is longer than {self._limit} bytes.")
        self.progress += len(piece)
        self.pending += len(piece)
        chunks = body.chunks
        if chunks and len(chunks[-1]) < _PAGE:
            chunks[-1] += piece
        elif piece:
            chunks.append(piece)


class ChunkedBodyReader(BodyReader):
    """A chunked body: llhttp decodes it, and never gets a byte of the next request.

    Its trailer fields become ``notes.fields``, which is no longer the head's dict.
    """

    __slots__ = ("_fed", "_limits", "_notes", "_steps")

    def __init__(self, limits: Limits, notes: Notes) -> None:
        super().__init__(limits, 0)
        self._limits = limits
        self._notes = notes
        self._fed = 0
        self._steps = ChunkSteps()

    def feed(self, data: bytes) -> bytes:
        """Take what belongs to the body: up to the end of the last chunk or of the trailer fields."""
        notes, limits, steps = self._notes, self._limits, self._steps
        while data:
            # Chunk extensions, and a trailer field that does not end, reach no callback: what is no body is counted.
            # No piece has more of it than what is left (and one byte), so that the first fault in the bytes decides.
            left = limits.header_bytes + notes.chunks * _FRAMING_PER_CHUNK - (self._fed - self.body.length)
            if left < 0:
                raise HttpError(431, Rejection.HEADERS_TOO_LARGE, "Chunk extensions or trailer fields are too large.")
            piece = data[: steps.inside + left + 1]
            piece = piece[: steps.reach(piece)]
            self._feed_piece(piece)
            data = data[len(piece) :]
            if notes.message_complete:
                self.complete = True
                return data
        return data

    def _feed_piece(self, piece: bytes) -> None:
        notes = self._notes
        assert notes.parser is not None  # an upgrade with a body is refused
        refused = ""
        try:
            notes.parser.feed_data(piece)
        except HttpParserError as error:
            refused = str(error)
        self._fed += len(piece)
        if notes.parts:
            self._append(b"".join(notes.parts))
            notes.parts.clear()
        most = self._limits.headers
        if len(notes.fields) + notes.unlisted > most:
            raise HttpError(431, Rejection.HEADERS_TOO_LARGE, f"There are more than {most} trailer fields.")
        if refused:
            raise HttpError(400, Rejection.BAD_REQUEST, f"The chunked body cannot be understood: {refused}.")
