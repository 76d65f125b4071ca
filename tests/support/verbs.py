"""Ask a test's server by the verbs of the command line, as an operator does.

Runs in:   the test process.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.support.command import environment_of_tests, hybridd
from tests.support.server import APPS, ServerProcess


def verb(server: ServerProcess, *words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run ``hybridd WORDS --control …`` to its end."""
    return hybridd(*words, "--control", server.control, timeout=timeout)


def verb_json(server: ServerProcess, *words: str, timeout: float = 60) -> dict[str, Any]:
    """Return the answer of a verb as programs get it."""
    answer: dict[str, Any] = json.loads(verb(server, *words, "--json", timeout=timeout).stdout)
    return answer


def begin_verb(server: ServerProcess, *words: str) -> subprocess.Popen[str]:
    """Start a verb, which waits for its verdict while the test goes on."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "hybridd", *words, "--control", server.control],
        cwd=APPS,
        env=environment_of_tests(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
