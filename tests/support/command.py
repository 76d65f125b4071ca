"""Run one ``hybridd`` command to its end.

Knows:     the command line and the environment names of hybridd, which it keeps out.
Runs in:   the test process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.server import APPS, AS_ROOT, OUTSIDE, ROOT


def environment_of_tests() -> dict[str, str]:
    """Return the environment without what would speak to hybridd; what runs stands beside these tests."""
    return {key: value for key, value in os.environ.items() if not OUTSIDE.match(key)} | {"PYTHONPATH": str(ROOT)}


def hybridd(
    *arguments: str, environment: Mapping[str, str] | None = None, cwd: Path = APPS, timeout: float = 30
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m hybridd ARGUMENTS``; its exit status, output and errors are the result.

    What serves is told that root is meant, where these tests run as root.
    """
    told = {"HYBRIDD_USER": "root"} if AS_ROOT and arguments[:1] == ("run",) else {}
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "hybridd", *arguments],
        cwd=cwd,
        env={**environment_of_tests(), **told, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
