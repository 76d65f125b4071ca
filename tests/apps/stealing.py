"""Would take a daemon's wake-up descriptor and signal handlers away: while loading, and per request."""

from __future__ import annotations

import asyncio
import signal

asyncio.run(asyncio.sleep(0))
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
signal.set_wakeup_fd(-1)


async def answer(path):
    await asyncio.sleep(0)
    return f"awaited {path}\n".encode()


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/signal":
        try:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            body = b"stolen\n"
        except ValueError:  # only the main thread may
            body = b"refused\n"
    else:
        body = asyncio.run(answer(path))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body]
