"""Find programs that tests drive: curl, wrk, promtool, the platform kit.

Knows:     what environment variables ask of the tests; a missing program is a reason to skip on a developer's
           machine and a failure under CI=true, where it was promised.
Runs in:   the test process.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT_OF_TESTS = Path(__file__).resolve().parents[1]

OF_THE_RUN = "OF_THE_RUN_"
"""What stands before the names of hybridd's own variables on their way to the processes of pytest-xdist."""

ENVIRONMENT = {name.removeprefix(OF_THE_RUN): value for name, value in os.environ.items()}
"""The environment that the tests were started with; conftest.py takes what is hybridd's own out of os.environ."""


def in_ci() -> bool:
    """Tell whether a missing tool is a failure."""
    return ENVIRONMENT.get("CI", "") not in ("", "0", "false")


def full() -> bool:
    """Tell whether to run with the acceptance figures (HYBRIDD_TEST_FULL=1) and not the suite's shorter ones.

    Conftest.py then looks into each test's garbage, too: 4 ms for each.
    """
    return ENVIRONMENT.get("HYBRIDD_TEST_FULL", "") not in ("", "0")


def require(name: str, package: str = "") -> str:
    """Return the path of program ``name``; skip (in CI: fail) when it is missing."""
    path = shutil.which(name)
    if path is not None:
        return path
    sentence = f"{name} is missing (Debian package {package or name})"
    if in_ci():
        pytest.fail(sentence)
    pytest.skip(sentence)


def platform_kit() -> Path | None:
    """Return the folder of the platform kit: $HYBRIDD_PLATFORM, else ../shared/platform beside the checkout."""
    text = ENVIRONMENT.get("HYBRIDD_PLATFORM", "")
    for folder in [Path(text)] if text else [ROOT_OF_TESTS.parents[1] / "shared" / "platform"]:
        if os.access(folder / "systemd-host", os.X_OK):
            return folder
    return None
