"""What a worker may do: ``/back`` tries to be root again, ``/run/PATH`` answers with what a program prints."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable
from typing import Any


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    path = environ["PATH_INFO"]
    if path.startswith("/run/"):
        return [subprocess.run([path.removeprefix("/run"), "-u"], capture_output=True, check=False).stdout]
    attempts: list[Callable[[], object]] = [
        lambda: os.setresuid(0, 0, 0),
        lambda: os.seteuid(0),
        lambda: os.setresgid(0, 0, 0),
        lambda: os.setgroups([0]),
    ]
    return [" ".join(map(attempt, attempts)).encode()]


def attempt(change: Callable[[], object]) -> str:
    try:
        change()
    except PermissionError:
        return "refused"
    return "done"
