"""Takes a gigabyte of memory at ``/all``, and answers everything else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/all":
        held = [bytearray(b"x" * 2**20) for _ in range(1024)]
        del held
    start_response("200 OK", [("Content-Length", "3")])
    return [b"ok\n"]
