"""Handlers that end their own process, and one that waits, to see who is lost with whom.

    /pid   the process    /die   SIGKILL to itself    /wait?file=PATH   answers as soon as PATH exists

Nothing here is an example for an application.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path


def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/die":
        os.kill(os.getpid(), signal.SIGKILL)
    if path == "/wait":
        gate = Path(environ["QUERY_STRING"].removeprefix("file="))
        while not gate.exists():
            time.sleep(0.01)
    body = b"%d\n" % os.getpid()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
