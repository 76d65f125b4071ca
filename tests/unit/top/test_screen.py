"""rich draws the lines as they are: no markup, no wrapping, cut where the window ends."""

from __future__ import annotations

import io

import pytest

pytest.importorskip("rich", reason="the extra hybridd[top]")

from rich.console import Console
from rich.live import Live

from hybridd.top.page import Line, Style
from hybridd.top.screen import Screen


def test_lines_are_drawn_as_they_are():
    out = io.StringIO()
    console = Console(file=out, width=20, height=4, force_terminal=True, color_system=None, highlight=False)
    live = Live(console=console, screen=True, auto_refresh=False)
    with live:
        screen = Screen(console, live)
        assert screen.size == (20, 4)
        screen.draw([Line("[bold]x[/bold] :smile:"), Line("w" * 30, Style.BAD), Line("漢" * 12)])
    drawn = out.getvalue()
    assert "[bold]x[/bold] :smi…" in drawn
    assert "w" * 19 + "…" in drawn
    assert "漢" * 9 + " …" in drawn
