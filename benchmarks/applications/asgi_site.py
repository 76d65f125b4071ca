"""The ASGI twin of wsgi_site.py: the same paths, the same bytes; waiting is awaited.

Knows:     only the standard library and its twin.
Runs in:   the ASGI servers that are measured.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

from wsgi_site import (  # type: ignore[import-not-found]  # beside this file, in the servers' path
    BLOCK,
    BLOCKING_SECONDS,
    COMPUTING_STEPS,
    FILE,
    HELLO,
    LONG_SECONDS,
    MEBIBYTE,
)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

TEXT = b"text/plain"


async def answer(send: Send, body: bytes, kind: bytes = TEXT) -> None:
    """Answer with a whole body of known length."""
    headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def hello(_scope: Scope, _receive: Receive, send: Send) -> None:
    """As little work as an application can do."""
    await answer(send, HELLO)


async def block(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Wait as for a database: 50 ms."""
    await asyncio.sleep(BLOCKING_SECONDS)
    await answer(send, b"slept\n")


async def block_long(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Wait for one second, and say who waited."""
    await asyncio.sleep(LONG_SECONDS)
    await answer(send, b"%d\n" % os.getpid())


async def compute(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Compute in Python on the loop: ASGI has no other place for it."""
    total = 0
    for number in range(COMPUTING_STEPS):
        total += number & 7
    await answer(send, b"%d\n" % total)


async def mebibyte(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Send 1 MiB from memory."""
    await answer(send, MEBIBYTE)


async def upload(_scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body as it comes, and say how long it was."""
    size, more = 0, True
    while more:
        event = await receive()
        size += len(event.get("body", b""))
        more = event.get("more_body", False)
    await answer(send, b"%d\n" % size)


async def file(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Send a file of 50 MB in blocks: ASGI has no file wrapper that every server knows."""
    with FILE.open("rb") as opened:
        size = os.fstat(opened.fileno()).st_size
        headers = [(b"content-type", b"application/octet-stream"), (b"content-length", b"%d" % size)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while piece := opened.read(BLOCK):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def order(_scope: Scope, receive: Receive, send: Send) -> None:
    """Read a JSON order, answer with its sum as JSON."""
    pieces, more = [], True
    while more:
        event = await receive()
        pieces.append(event.get("body", b""))
        more = event.get("more_body", False)
    document = json.loads(b"".join(pieces))
    total = sum(line["price"] for line in document["lines"])
    await answer(send, json.dumps({"id": document["id"], "total": total}).encode(), b"application/json")


async def pid(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Say which process answers."""
    await answer(send, b"%d\n" % os.getpid())


HANDLERS = {
    "/hello": hello,
    "/block": block,
    "/block-long": block_long,
    "/compute": compute,
    "/mebibyte": mebibyte,
    "/upload": upload,
    "/file": file,
    "/order": order,
    "/pid": pid,
}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Find the handler by path."""
    if scope["type"] == "http":
        await HANDLERS[scope["path"]](scope, receive, send)
