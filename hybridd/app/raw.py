"""Load the factory of raw protocols (``--protocol module:Factory``) and check what it makes.

Knows:     which methods the transports call on an ``asyncio.Protocol``.
Never:     imports asyncio (the user's module does), opens connections.
Runs in:   a worker's main thread, once, before it serves; the factory it returns: the leader, per connection.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hybridd.app.failure import describe, user_traceback
from hybridd.app.loader import load_object
from hybridd.errors import BootError

if TYPE_CHECKING:  # only for the annotation: importing asyncio costs every worker 3 MB
    import asyncio

REQUIRED = ("connection_made", "data_received", "connection_lost")
NEVER_AWAITED = (*REQUIRED, "eof_received", "pause_writing", "resume_writing")


def load_protocol_factory(spec: str, *, factory: bool = False) -> Callable[[], asyncio.Protocol]:
    """Return the callable without arguments that makes one protocol per connection.

    One protocol is made here and thrown away, so that a factory that fails stops the boot and not each client.

    Raises:
        BootError: it cannot be loaded, it fails, or it makes something that is not an ``asyncio.Protocol``.
    """
    make = load_object(spec, factory=factory)
    try:
        protocol = make()
    except BaseException as error:  # noqa: BLE001 - whatever it raises, the worker cannot serve with it
        reason = f"making a protocol failed: {describe(error)}\n{user_traceback(error)}"
        raise BootError(f"cannot load {spec!r}: {reason}") from None
    problem = _problem(protocol)
    if problem:
        raise BootError(f"cannot load {spec!r}: {problem}")
    return make


def _problem(protocol: Any) -> str:
    """Say why this is not a protocol that can be served; an empty text if it is one."""
    kind = type(protocol).__name__
    if inspect.iscoroutine(protocol):
        protocol.close()  # or Python warns that it was never awaited
        return "the factory is an async function; hybridd calls it without a running event loop"
    if hasattr(protocol, "get_buffer"):
        return f"{kind} is an asyncio.BufferedProtocol, which is not supported; derive it from asyncio.Protocol"
    missing = [name for name in REQUIRED if not callable(getattr(protocol, name, None))]
    if missing:
        return f"it makes {kind} objects without {' and '.join(missing)}; an asyncio.Protocol is expected"
    for name in NEVER_AWAITED:
        if inspect.iscoroutinefunction(getattr(protocol, name, None)):
            return f"{kind}.{name} is an async function and would never run; a protocol's methods are plain ones"
    return ""
