"""Draws lines on the alternate screen of a terminal, by rich: colours as far as the terminal has them, wide characters.

Knows:     rich, which is an extra: only who has a terminal to draw on imports this.
Never:     what the lines say.
Runs in:   the command line tool, its main thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.text import Text

from hybridd.top.page import Line, Style

_STYLES: Final = {
    Style.PLAIN: "",
    Style.TITLE: "bold",
    Style.HEADING: "bold underline",
    Style.CHOSEN: "reverse",
    Style.GOOD: "green",
    Style.WARNING: "yellow",
    Style.BAD: "bold red",
    Style.FAINT: "dim",
}


class Screen:
    """The alternate screen, while it is shown."""

    def __init__(self, console: Console, live: Live) -> None:
        self._console = console
        self._live = live

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines, as of now."""
        return self._console.width, self._console.height

    def draw(self, lines: Sequence[Line]) -> None:
        """Show these lines and nothing else; what is too long is cut."""
        page = Text(no_wrap=True, overflow="ellipsis", end="")
        for number, line in enumerate(lines):
            page.append("\n" if number else "")
            page.append(line.text, _STYLES[line.style])
        self._live.update(page, refresh=True)


@contextmanager
def shown() -> Iterator[Screen]:
    """Show the alternate screen; the old one comes back behind it."""
    console = Console(highlight=False)
    live = Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
    with live:
        yield Screen(console, live)
