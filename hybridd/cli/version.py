"""``hybridd --version``: what runs here, for a bug report.

Knows:     the names of the libraries that hybridd runs with.
Never:     imports them: a broken one must not keep us from telling its version.
Runs in:   the command line tool.
"""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from hybridd import __version__

LIBRARIES = ("httptools", "prometheus-client", "python-daemon", "PyYAML", "setproctitle")


def version_text() -> str:
    """Return one line each for hybridd, Python, the kernel, and the libraries."""
    lines = [
        f"hybridd {__version__}",
        f"Python {platform.python_version()} ({platform.python_implementation()})",
        f"{platform.system()} {platform.release()} ({platform.machine()})",
        *(f"{name} {_version(name)}" for name in LIBRARIES),
    ]
    return "".join(f"{line}\n" for line in lines)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "is not installed"
