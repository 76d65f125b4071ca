"""Start load on a server from a test: our own generator (tests.support.load) or wrk.

Knows:     how to start, watch and end such a process.
Never:     outlives its ``with`` block: the process is ended and reaped there.
Runs in:   the test process.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from tests.support.load import Plan, Tally
from tests.support.tools import ENVIRONMENT, require
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]


class Load:
    """A load generator process; ``with Load(Plan(…)) as load:`` starts it and waits for its first answers.

    ``python``: what runs Python where the server is, when that is elsewhere (a machine of machine.py).
    """

    def __init__(self, plan: Plan, python: Sequence[str] = (sys.executable,)) -> None:
        self.plan = plan
        self._python = python
        self.progress: dict[str, int] = {"answered": 0, "failed": 0, "reopened": 0}
        self.tally = Tally()
        self._unread = b""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [*self._python, "-m", "tests.support.load", json.dumps(asdict(self.plan))],
            cwd=ROOT,
            env=os.environ if self._python == (sys.executable,) else ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        self.wait_answered(self.plan.connections)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def poll(self) -> dict[str, int]:
        """Take in the progress lines that have come; return the newest."""
        assert self._process is not None
        assert self._process.stdout is not None
        chunk = self._process.stdout.read()
        *lines, self._unread = (self._unread + (chunk or b"")).split(b"\n")
        for line in lines:
            said: dict[str, Any] = json.loads(line)
            if "result" in said:
                self.tally = Tally(**said["result"])
            else:
                self.progress = said
        return self.progress

    def wait_answered(self, count: int, within: float = 15) -> None:
        """Wait until ``count`` more requests than now are answered: the load is on, and the service answers."""
        goal = self.poll()["answered"] + count
        wait_until(
            lambda: self.poll()["answered"] >= goal,
            within=within,
            what=lambda: f"{count} answers under load ({self.progress})",
        )

    def stop(self) -> Tally:
        """Let the running requests end; return the tally.  A second call returns it again."""
        process = self._process
        if process is None:
            return self.tally
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            wait_until(
                lambda: self.poll() and process.poll() is not None,
                within=self.plan.patience + 10,
                what="the load generator ends",
            )
            self.poll()
        finally:
            self._process = None
            process.kill()
            process.wait()
            process.stdout.close()
        return self.tally


@dataclass(frozen=True, slots=True)
class WrkResult:
    """What wrk printed: requests done, its socket errors by kind, answers that were not 2xx or 3xx."""

    requests: int
    per_second: float
    connect: int
    read: int
    write: int
    timeout: int
    bad_status: int
    output: str


class Wrk:
    """wrk in the background; ``with Wrk(…) as wrk: …; wrk.wait()``."""

    def __init__(self, url: str, *, seconds: int, connections: int, threads: int = 1) -> None:
        self.seconds = seconds
        self._command = [require("wrk"), f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", url]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    def running(self) -> bool:
        """Tell whether it still sends."""
        assert self._process is not None
        return self._process.poll() is None

    def wait(self) -> WrkResult:
        """Wait for its end and read what it says."""
        assert self._process is not None
        output, _ = self._process.communicate(timeout=self.seconds + 20)
        return parse_wrk(output)


def parse_wrk(output: str) -> WrkResult:
    """Read wrk's report."""

    def number(pattern: str) -> str:
        found = re.search(pattern, output)
        return found.group(1) if found else "0"

    def errors(kind: str) -> int:
        return int(number(rf"Socket errors:.*\b{kind} (\d+)"))

    return WrkResult(
        requests=int(number(r"(\d+) requests in")),
        per_second=float(number(r"Requests/sec:\s+([\d.]+)")),
        connect=errors("connect"),
        read=errors("read"),
        write=errors("write"),
        timeout=errors("timeout"),
        bad_status=int(number(r"Non-2xx or 3xx responses: (\d+)")),
        output=output,
    )
