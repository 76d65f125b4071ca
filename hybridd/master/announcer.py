"""Says how things are: to the log, to systemd, to ``ps``.

Knows:     the sentences (narrative.py, status.py) and who wants to hear them.
Never:     decides.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from hybridd.master import events
from hybridd.master.events import Event
from hybridd.master.modes import Mode
from hybridd.master.narrative import tell
from hybridd.master.state import State
from hybridd.master.status import name_of, sentence
from hybridd.ops.systemd import Notifier
from hybridd.ops.title import Title, master_title

_log = logging.getLogger("hybridd.master")

PATIENCE = 10.0
"""Seconds that systemd is asked to go on waiting, each second, while hybridd starts or stops."""


class Announcer:
    """Remembers what was said last, so that nothing is said twice.

    Attributes:
        last_words: why hybridd gives up, when it does.
        last_said: the end of what the worker said that it gives up for: a traceback, perhaps.
    """

    def __init__(self, notifier: Notifier, application: str, when_ready: Callable[[], None]) -> None:
        self.last_words = self.last_said = ""
        self._notifier = notifier
        self._application = application
        self._when_ready = when_ready
        self._title = Title()
        self._status = ""
        self._reloading = False
        self._degraded = False

    def happened(self, before: State, event: Event, after: State, now: float) -> None:
        """Say what an event has changed."""
        for level, text in tell(before, event, after, now):
            _log.log(level, "%s", text)
            if level >= logging.CRITICAL:
                self.last_words, self.last_said = text, getattr(event, "said", "")
        if before.mode in {Mode.STARTING, Mode.WAITING} and after.mode is Mode.RUNNING:
            self._when_ready()
            self._notifier.ready(self._new_status(after, now))
        if before.mode is not Mode.STOPPING and after.mode is Mode.STOPPING:
            self._notifier.stopping(self._new_status(after, now))
        if isinstance(event, events.ConfigurationRead | events.ConfigurationRefused) and after.mode is Mode.RUNNING:
            self._notifier.reloading(now, self._new_status(after, now))
            self._reloading = True

    def settled(self, state: State, now: float) -> None:
        """Say how things are after everything that could be done was done."""
        degraded, self._degraded = self._degraded, state.degraded(now)
        if degraded and not self._degraded:
            _log.info("degraded no longer: fewer workers crashed lately")
        self._title.show(master_title(self._application, state.desired.generation, name_of(state, now)))
        if self._reloading and rolled_out(state):
            self._reloading = False
            self._notifier.ready(self._new_status(state, now))
        elif self._status != sentence(state, now):
            self._notifier.status(self._new_status(state, now))

    def tick(self, state: State) -> None:
        """Once per second: ask for more time while it takes time."""
        if state.mode in {Mode.STARTING, Mode.STOPPING}:
            self._notifier.extend_timeout(PATIENCE)

    def begin_to_speak(self, state: State, now: float) -> None:
        """Speak for the service: the master before us has told systemd that we are the main process."""
        self._notifier.silent = False
        self._notifier.ready(self._new_status(state, now))
        self._notifier.watchdog()

    def speak_no_more(self, successor: int) -> None:
        """Say who is the main process from now on; announced by that process itself, systemd would call us dead."""
        self._notifier.main_pid(successor)
        self._notifier.silent = True

    def watchdog(self) -> None:
        """Our loop turns."""
        self._notifier.watchdog()

    def _new_status(self, state: State, now: float) -> str:
        self._status = sentence(state, now)
        return self._status


def rolled_out(state: State) -> bool:
    """Whether a reload has ended: refused, undone, or every worker is of the new generation and has settled."""
    return state.mode is not Mode.RUNNING or not (state.desired.trial or state.desired.fallback)
