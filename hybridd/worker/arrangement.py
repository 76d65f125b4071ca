"""The table of dispatches: for each word of the setting ``dispatch``, where connections live and where handlers run.

    dispatch   a connection lives          its handlers run            file
    serial     on the worker's loop, one   on the loop, inline         inline.py
    fork       in a process of its own     there, inline               connection_processes.py
    thread     in a thread of its own      there, inline               connection_threads.py
    pool       in a thread of the pool     there, inline               connection_threads.py
    reactor    on the worker's loop        on the loop, inline         inline.py
    hybrid     on the worker's loop        on the loop until one       dispatch.py
                                           blocks, then in the pool

Knows:     words and what they mean; the names stand in hybridd/config/patterns.py.
Never:     how the parts are put together (assembly.py).
Runs in:   nothing; values only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from hybridd.config.settings import Config


class Home(Enum):
    """Where a connection lives."""

    LOOP = "loop"  # with all others of the worker
    THREAD = "thread"  # alone
    PROCESS = "process"  # alone


@dataclass(frozen=True, slots=True)
class Arrangement:
    """One row of the table.

    Attributes:
        most: connections of one worker at once, of those that ``limits.connections`` allows.
        main_thread: the worker's loop turns in the main thread: it is the only one, because it forks or is alone.
        hand_off: a handler that blocks goes on in another thread.
        pooled: threads are kept for the next connection.
    """

    home: Home
    most: Callable[[Config], int]
    main_thread: bool = False
    hand_off: bool = False
    pooled: bool = False

    def multithread(self, config: Config) -> bool:
        """Whether two threads of a process may run the application at once (wsgi.multithread)."""
        if self.hand_off:
            return config.threads > 1
        return self.home is Home.THREAD and self.limit(config) > 1

    def runs_on_loop(self, config: Config) -> bool:
        """Whether a handler that hangs stops the worker's loop."""
        return self.home is Home.LOOP and not (self.hand_off and config.handlers != "inline")

    def limit(self, config: Config) -> int:
        """Return how many connections a worker may have."""
        return min(self.most(config), config.limits.connections)


def _any_number(config: Config) -> int:
    return config.limits.connections


ARRANGEMENTS: Final[Mapping[str, Arrangement]] = {
    "serial": Arrangement(Home.LOOP, lambda _: 1, main_thread=True),
    "fork": Arrangement(Home.PROCESS, lambda config: config.limits.connection_processes, main_thread=True),
    "thread": Arrangement(Home.THREAD, lambda config: config.limits.connection_threads),
    "pool": Arrangement(Home.THREAD, lambda config: config.threads, pooled=True),
    "reactor": Arrangement(Home.LOOP, _any_number),
    "hybrid": Arrangement(Home.LOOP, _any_number, hand_off=True),
}
