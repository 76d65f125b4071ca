"""The body of a request: in memory while it is small, in a temporary file of the service's making when it is not.

Knows:     how long it is and where it lies.
Never:     makes a file (the service does, off the loop).
Runs in:   the leader thread while it arrives; afterwards whichever thread runs the Call, alone.
"""

from __future__ import annotations

from io import BytesIO
from typing import BinaryIO


class Body:
    """Bytes of one request's body.

    Attributes:
        length: bytes received so far; the whole length once the request is ready.
        chunks: the parts that are in memory, in order (those not yet given to the file).
        file: the temporary file with everything before ``chunks``, or None.
    """

    __slots__ = ("chunks", "file", "length")

    def __init__(self, chunks: list[bytes] | None = None) -> None:
        self.chunks: list[bytes] = [] if chunks is None else chunks
        self.length = sum(map(len, self.chunks))
        self.file: BinaryIO | None = None

    def open(self) -> BinaryIO:
        """Give the body as a readable file at its beginning; belongs to the body, which closes it."""
        if self.file is None:
            return BytesIO(b"".join(self.chunks))
        self.file.seek(0)
        return self.file

    def close(self) -> None:
        """Drop memory and file; harmless twice."""
        file, self.file = self.file, None
        self.chunks = []
        if file is not None:
            file.close()

    def __repr__(self) -> str:
        return f"<Body {self.length} bytes{' in a file' if self.file is not None else ''}>"


class NoBody(Body):
    """The body of every request that has none: shared, so that a GET costs no object."""

    __slots__ = ()

    def open(self) -> BinaryIO:
        """Give an empty file."""
        return BytesIO()

    def close(self) -> None:
        """Nothing to drop."""


NO_BODY = NoBody()
