"""Load what a worker serves, in the folder that it shall run in.

Knows:     the settings that name it.
Runs in:   a worker's main thread before it serves.
"""

from __future__ import annotations

import os
from typing import Any

from hybridd.app.application import load_application
from hybridd.app.raw import load_protocol_factory
from hybridd.config.settings import Config
from hybridd.errors import BootError
from hybridd.ops.privileges import obstacle


def load(config: Config) -> Any:
    """Load what is to be served, in the folder that it shall run in.

    Raises:
        BootError: with everything that a person needs to mend it.
    """
    if config.chdir:
        try:
            os.chdir(config.chdir)  # by text, so that a switched symbolic link is seen by the next generation
        except OSError as error:
            raise BootError(f"cannot enter chdir {config.chdir!r}: {error.strerror}{_closed(config.chdir)}") from None
    try:
        if config.protocol:
            return load_protocol_factory(config.protocol, factory=config.factory)
        return load_application(config.application, factory=config.factory)
    except BootError as error:
        # Python says "no module" of what it may not read.
        if closed := _closed(os.getcwd()):  # noqa: PTH109 - text
            raise BootError(f"the directory of the application cannot be read{closed}; {error}") from None
        raise


def _closed(directory: str) -> str:
    """Return who may not read it and which part of the path is in the way; nothing when it can be read."""
    closed = obstacle(directory)
    return f" by user {os.geteuid()}: {closed} is closed to it" if closed else ""
