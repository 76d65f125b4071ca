"""Load an application and end: the child of ``hybridd check --load``.

Knows:     the loaders of applications and of raw protocols.
Never:     serves.
Runs in:   a process of its own, whose working directory is the application's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from hybridd.errors import BootError, ExitCode


def main(arguments: Sequence[str]) -> int:
    """Load ``KIND NAME [--factory]``; return 0 or 70 with the reason on standard error."""
    kind, name, *factory = arguments
    try:
        if kind == "protocol":
            from hybridd.app.raw import load_protocol_factory  # noqa: PLC0415 - only what is loaded

            load_protocol_factory(name, factory=bool(factory))
        else:
            from hybridd.app.application import load_application  # noqa: PLC0415 - only what is loaded

            load_application(name, factory=bool(factory))
    except BootError as error:
        sys.stderr.write(f"{error}\n")
        return ExitCode.CANNOT_BOOT
    return ExitCode.CLEAN


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # whatever threads the application has started
