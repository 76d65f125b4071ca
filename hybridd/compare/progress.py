"""How far the comparison is: a bar on a terminal when tqdm is there (``hybridd[compare]``), else a line per pattern.

Knows:     tqdm, if it is there; standard error.
Never:     what is measured.
Runs in:   the command line tool.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TextIO

_WIDEST = 28  # "process: handlers that sleep": the bar beside it keeps its width


class Progress(Protocol):
    """Where a session says how far it is."""

    def running(self, total: float) -> Any:
        """Return a context manager for the time of the session, ``total`` expected seconds."""

    def say(self, text: str) -> None:
        """Tell what is done now; ``text`` is PATTERN: WHAT."""

    def advance(self, seconds: float) -> None:
        """Tell that what was expected to take ``seconds`` is done."""


class Lines:
    """A line when the pattern changes: for logs, and where tqdm is not installed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._pattern = ""
        self._total = self._done = 0.0

    @contextmanager
    def running(self, total: float) -> Iterator[None]:
        """Say how long it will take."""
        self._total = total
        self._write(f"comparing; this takes about {total:.0f} s")
        yield

    def say(self, text: str) -> None:
        """Write a line for a new pattern."""
        pattern = text.partition(":")[0]
        if pattern != self._pattern:
            self._pattern = pattern
            share = self._done / self._total if self._total else 0.0
            self._write(f"{share:4.0%}  {pattern}")

    def advance(self, seconds: float) -> None:
        """Note it for the next line."""
        self._done += seconds

    def _write(self, line: str) -> None:
        self._stream.write(f"{line}\n")
        self._stream.flush()


class Bar:
    """tqdm's bar, over the expected seconds."""

    def __init__(self, tqdm: Any, stream: TextIO) -> None:
        self._tqdm = tqdm
        self._stream = stream
        self._bar: Any = None

    @contextmanager
    def running(self, total: float) -> Iterator[None]:
        """Show it; nothing of it is left behind."""
        self._tqdm.monitor_interval = 0  # no thread of tqdm's
        form = "{percentage:3.0f}% |{bar}| {elapsed}, {remaining} left  {desc}"
        self._bar = self._tqdm(total=total, bar_format=form, file=self._stream, leave=False, dynamic_ncols=True)
        try:
            yield
        finally:
            self._bar.close()

    def say(self, text: str) -> None:
        """Write it behind the bar."""
        self._bar.set_description_str(text.ljust(_WIDEST))

    def advance(self, seconds: float) -> None:
        """Move it."""
        self._bar.update(seconds)


def progress_on(stream: TextIO) -> Progress:
    """Return what suits a stream."""
    if stream.isatty():
        try:
            from tqdm import tqdm  # noqa: PLC0415 - an extra; see pyproject.toml
        except ImportError:
            return Lines(stream)
        return Bar(tqdm, stream)
    return Lines(stream)
