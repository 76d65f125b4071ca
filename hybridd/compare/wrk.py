"""wrk as the load client: its command line, and the figures in what it prints.

Knows:     wrk 4's options and output.
Never:     anything else of the comparison; wrk cannot be slow on purpose or count connections that break.
Runs in:   the command line tool; wrk is a child process.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from typing import Any

from hybridd.compare.exchange import HOST
from hybridd.errors import OperatingSystemError, UsageError

_GRACE = 15.0
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PERCENTILE = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s|m|h)\s*$", re.MULTILINE)
_TOTAL = re.compile(r"^\s+(\d+) requests in ([\d.]+)(us|ms|s|m|h),", re.MULTILINE)
_ERRORS = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
_STATUS = re.compile(r"Non-2xx or 3xx responses: (\d+)")


def require() -> None:
    """Raise UsageError when there is no wrk."""
    if shutil.which("wrk") is None:
        raise UsageError(
            "--load wrk: wrk is not installed (Debian and Ubuntu: apt install wrk); --load own needs nothing"
        )


def run(port: int, path: str, connections: int, seconds: int, cpu: int | None) -> dict[str, Any]:
    """Put load on a server; the result is as load.py's.

    Raises:
        OperatingSystemError: wrk did not do its work.
    """
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", f"http://{HOST}:{port}{path}"]
    began = time.monotonic()
    with subprocess.Popen(  # noqa: S603 - the command is ours
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # a terminal's Ctrl-C is for us
    ) as process:
        try:
            if cpu is not None:
                os.sched_setaffinity(process.pid, {cpu})
            output, used = _finish(process, seconds + _GRACE)
        finally:
            process.kill()  # nothing, when it has ended
    return parse(output, used / max(time.monotonic() - began, 0.001))


def _finish(process: subprocess.Popen[str], within: float) -> tuple[str, float]:
    """Return what it printed and the CPU seconds it used."""
    before = os.times()
    try:
        output, _ = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        raise OperatingSystemError("wrk did not end") from None
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return output, used


def parse(output: str, client_cpu: float) -> dict[str, Any]:
    """Return the figures in wrk's output.

    Raises:
        OperatingSystemError: there are none.
    """
    total = _TOTAL.search(output)
    if total is None:
        said = " ".join(output.split())[-200:]
        raise OperatingSystemError(f"wrk: {said or 'it said nothing'}")
    latencies = {share: float(value) * _UNITS[unit] for share, value, unit in _PERCENTILE.findall(output)}
    errors, bad = _ERRORS.search(output), _STATUS.search(output)
    wrong = int(bad[1]) if bad else 0
    requests = int(total[1]) - wrong
    return {
        "requests": requests,
        "failures": wrong + (sum(map(int, errors.groups())) if errors else 0),
        "seconds": float(total[2]) * _UNITS[total[3]],
        "client_cpu": client_cpu,
        "p50": latencies.get("50") if requests else None,
        "p99": latencies.get("99") if requests else None,
    }
