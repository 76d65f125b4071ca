"""The loop of `hybridd top`: look, draw, wait for a key; whatever may take its time is asked in a thread of its own.

Knows:     the order of things.
Never:     what the figures mean (figures.py), what a key does (keys.py), how it looks (page.py).
Runs in:   the command line tool, its main thread; errands in daemon threads, which only put their result into a queue.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Protocol

from hybridd.errors import HybriddError
from hybridd.top.figures import Look
from hybridd.top.keys import pressed
from hybridd.top.page import compose
from hybridd.top.screen import Screen, shown
from hybridd.top.terminal import ENDING, Terminal, opened
from hybridd.top.watch import Order, Watch, answered, looked, missed

SOON = 0.5
"""Seconds between the first two looks at most: rates need two."""

News = Callable[[Watch], Watch]


class Source(Protocol):
    """Whom to ask; HybriddError when there is no answer."""

    def look(self) -> Look:
        """Return /status."""

    def order(self, order: Order) -> tuple[bool, str]:
        """Call a verb; return whether its wish came true, and what was said."""


def run(source: Source, watch: Watch, delay: float) -> int:
    """Watch until the reader has seen enough; return the signal that ended it, 0 for a key."""
    live = _Live(source, watch, delay)
    while (number := live.show()) == signal.SIGTSTP:
        os.kill(os.getpid(), signal.SIGSTOP)  # Ctrl-Z, with the terminal as it was found
    return number


class _Live:
    """The watch and its errands."""

    def __init__(self, source: Source, watch: Watch, delay: float) -> None:
        self._source = source
        self._watch = watch
        self._delay = delay
        self._news: SimpleQueue[News] = SimpleQueue()
        self._looking = False
        self._next_look = time.monotonic() + min(delay, SOON)
        self._wake: Callable[[], None] = lambda: None

    def show(self) -> int:
        """Show it until a key or a signal puts it away; return that signal, or 0."""
        with opened(sys.stdin.fileno()) as terminal, shown() as screen:
            self._wake = terminal.wake
            while not self._watch.over:
                away = self._turn(terminal, screen) & {*ENDING, signal.SIGTSTP}
                if away:
                    return min(away)  # SIGTSTP, the one that does not end us, has the highest number
        return 0

    def _turn(self, terminal: Terminal, screen: Screen) -> set[int]:
        now = time.monotonic()
        if now >= self._next_look and not self._looking:
            self._looking = True
            self._next_look = now + self._delay
            self._begin(self._look)
        self._take_news()
        screen.draw(compose(self._watch, *screen.size))
        keys, signals = terminal.wait(self._delay if self._looking else self._next_look - time.monotonic())
        for key in keys:
            self._watch, order = pressed(self._watch, key)
            if order is not None:
                self._begin(self._carry_out, order)
        return signals

    def _take_news(self) -> None:
        while True:
            try:
                news = self._news.get_nowait()
            except Empty:
                return
            self._watch = news(self._watch)

    # In threads.

    def _begin(self, errand: Callable[..., News], *arguments: Any) -> None:
        def run() -> None:
            try:
                news = errand(*arguments)
            except Exception as error:  # noqa: BLE001 - a defect ends the command, not a thread that nobody sees
                news = partial(_fail, error)
            self._news.put(news)
            self._wake()

        Thread(target=run, daemon=True).start()

    def _look(self) -> News:
        try:
            look = self._source.look()
        except HybriddError as error:
            reason = str(error)
            return lambda watch: self._seen(missed(watch, reason))
        return lambda watch: self._seen(looked(watch, look))

    def _seen(self, watch: Watch) -> Watch:
        self._looking = False
        return watch

    def _carry_out(self, order: Order) -> News:
        try:
            ok, text = self._source.order(order)
        except HybriddError as error:
            ok, text = False, str(error)
        return lambda watch: answered(watch, order, text, ok=ok)


def _fail(error: Exception, _: Watch) -> Watch:
    raise error
