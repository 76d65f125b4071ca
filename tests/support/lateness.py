"""How late this machine lets anybody run: what every figure by wall clock is judged against.

"Within 100 ms" is a promise about the server, on a machine that gives it a CPU.  Beside the test a process rests and
works a little, again and again, and notes how much longer that took than it should: at worst so late came whoever was
ready to run.  On a machine that does nothing else it is a millisecond or two, and the figure counts as it is.

Knows:     the clocks.
Never:     anything of the server; uses more than a twentieth of a CPU; outlives its ``with`` block.
Runs in:   the test process, and ``python -m tests.support.lateness``, a session of its own as the servers have (the
           scheduler may share the CPUs out by sessions: sched(7), "The autogroup feature").
"""

from __future__ import annotations

import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from tests.support.waiting import patient

ROOT = Path(__file__).resolve().parents[2]
REST, WORK = 0.01, 0.0005  # seconds
TURNS = 4
"""How often an answer waits for a CPU: the client, the reactor, the handler's thread, the client again."""


class Lateness:
    """Measures while its block runs; ask behind it."""

    def __init__(self) -> None:
        self.seen = [0.0]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.lateness"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdout is not None
        process.stdout.readline()  # it has begun
        self._process = process
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        try:
            said = self._process.communicate(timeout=patient(5))[0]
        finally:
            self._process.kill()
            self._process.wait()
        self.seen = sorted(map(float, said.split()))

    def at(self, share: float) -> float:
        """Return how late ``share`` (0..1) of all came at most."""
        return self.seen[min(len(self.seen) - 1, int(len(self.seen) * share))]

    def allow(self, seconds: float, share: float = 1.0) -> float:
        """Return what ``seconds`` are on this machine, as it was; ``share``: of a percentile, which one."""
        return seconds + TURNS * self.at(share)

    def __repr__(self) -> str:
        return f"this machine let wait for a CPU {self.at(0.99) * 1e3:.1f} ms (p99), {self.at(1) * 1e3:.1f} at worst"


def main() -> None:
    """Measure until standard input ends."""
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    seen, over = [], False
    while not over:
        begun, used = time.monotonic(), time.thread_time()
        over = bool(select.select([sys.stdin], [], [], REST)[0])
        while time.thread_time() < used + WORK:
            pass
        if not over:
            seen.append(max(0.0, time.monotonic() - begun - REST - WORK))
    sys.stdout.write(" ".join(map(str, seen or [0.0])))


if __name__ == "__main__":
    main()
