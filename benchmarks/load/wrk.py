"""Bursts of load from wrk.

Knows:     wrk's command line and the line that wrk.lua prints.
Runs in:   the harness; wrk itself is pinned to the load generator's CPU.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = Path(__file__).with_name("wrk.lua")
_MARK = "BURST "
_GRACE_SECONDS = 20
"""What wrk may take longer than its burst: it waits for nobody, so more than this is a fault."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one burst asks for.

    Attributes:
        path: of the application.
        connections: how many wrk has open at a time.
        method: GET or POST.
        body: a file with the body to send.
        new_connections: one request per connection.
    """

    path: str
    connections: int = 32
    method: str = "GET"
    body: Path | None = None
    new_connections: bool = False


@dataclass(frozen=True, slots=True)
class Burst:
    """What came back; latencies in milliseconds."""

    requests: int
    seconds: float
    bytes: int
    mean_ms: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    failed_connects: int
    failed_reads: int
    failed_writes: int
    bad_status: int
    timeouts: int

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.requests / self.seconds if self.seconds else 0.0

    @property
    def failures(self) -> int:
        """Whatever was not a good answer."""
        return self.failed_connects + self.failed_reads + self.failed_writes + self.bad_status + self.timeouts


class LoadFailed(Exception):  # noqa: N818 - reads as the sentence it begins
    """wrk did not do its work."""


def parse_output(text: str) -> Burst:
    """Find the line of wrk.lua in wrk's output.

    Raises:
        LoadFailed: there is none.
    """
    for line in text.splitlines():
        if line.startswith(_MARK):
            return Burst(**json.loads(line.removeprefix(_MARK)))
    raise LoadFailed(text.strip()[-300:] or "wrk said nothing")


def is_installed() -> bool:
    """Whether there is a wrk."""
    return shutil.which("wrk") is not None


def version() -> str:
    """Return wrk's own words."""
    done = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False)  # noqa: S607 - from PATH
    return next(iter((done.stdout + done.stderr).splitlines()), "?").split("Copyright")[0].strip()


class Burster:
    """Starts bursts on one CPU."""

    def __init__(self, cpu: int, seconds: int) -> None:
        self.seconds = seconds
        self._prefix = ["taskset", "--cpu-list", str(cpu)]

    def start(self, port: int, work: Work) -> subprocess.Popen[str]:
        """Begin a burst; ``finish`` it."""
        command = [
            *self._prefix, "wrk", "--threads", "1", "--connections", str(work.connections), "--duration",
            f"{self.seconds}s", "--timeout", "10s", "--script", str(_SCRIPT), f"http://127.0.0.1:{port}{work.path}",
            "--", work.method, str(work.body or "-"), "close" if work.new_connections else "keep",
        ]  # fmt: skip
        return subprocess.Popen(  # noqa: S603 - the command is ours
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def finish(self, running: subprocess.Popen[str]) -> Burst:
        """Wait for its end.

        Raises:
            LoadFailed: it did not work, or did not end.
        """
        try:
            output, _ = running.communicate(timeout=self.seconds + _GRACE_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise LoadFailed("wrk did not end") from error
        finally:
            running.kill()  # nothing, when it has ended
            running.wait()
        return parse_output(output)

    def run(self, port: int, work: Work) -> Burst:
        """Do one burst."""
        return self.finish(self.start(port, work))
