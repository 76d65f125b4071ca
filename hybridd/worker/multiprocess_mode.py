"""Turn on prometheus_client's multiprocess mode for the application, at the moment when it imports prometheus_client.

The library chooses when it is imported: with PROMETHEUS_MULTIPROC_DIR in the environment every process keeps its values
in files there, which the master can have added up.  So the variable and the folder come into being just before, in this
process only, and an application that does not use the library leaves no trace.  The master has imported the library
itself, without that mode; that copy is not the application's, and is forgotten here.

Knows:     Python's import system.
Never:     a folder that the operator or the application has named: who sets the variable serves those metrics himself.
Runs in:   a worker's or fork server's main thread before it loads the application; ``find_spec`` in whatever thread of
           it imports the library.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

from hybridd.ops.value_folder import VARIABLE, Place, make

_log = logging.getLogger("hybridd.worker")

_LIBRARY: Final = "prometheus_client"


def arrange(place: Place | None, master: int) -> None:
    """Wait for the library to be imported.

    Args:
        place: where its files are to be; None: they are not wanted.
        master: whose process we belong to.
    """
    if place is None or not place.parents:
        return
    for name in [name for name in sys.modules if name.partition(".")[0] == _LIBRARY]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Watch(place, master))


class _Watch:
    """A finder that finds nothing, and notices what is looked for (importlib.abc.MetaPathFinder)."""

    def __init__(self, place: Place, master: int) -> None:
        self._place = place
        self._master = master

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Look for nothing; when the library is looked for, prepare what it asks the environment for."""
        del path, target
        if fullname == _LIBRARY and self in sys.meta_path:
            sys.meta_path.remove(self)
            self._prepare()
        return None

    def _prepare(self) -> None:
        if VARIABLE in os.environ or VARIABLE.lower() in os.environ:
            _log.info("the application has set %s itself: its own metrics are left to it", VARIABLE)
            return
        try:
            hold = make(self._place)
        except OSError as error:
            _log.warning(
                "the application's own metrics will not be on /metrics: there is no place for their files (%s: %s)",
                error.filename,
                error.strerror,
            )
            return
        os.environ[VARIABLE] = hold.path
        os.register_at_fork(after_in_child=hold.renew)

        def leave() -> None:
            if os.getppid() != self._master:  # it was killed; else the folder is its to remove
                hold.leave()

        atexit.register(leave)
