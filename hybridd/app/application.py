"""Load the WSGI application that the configuration names, or the built-in one, and check that it can be one.

Knows:     what a WSGI application must accept: two positional arguments (PEP 3333).
Never:     calls the application.
Runs in:   a worker's main thread, once, before it serves.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from hybridd.app.loader import load_object
from hybridd.app.welcome import welcome
from hybridd.errors import BootError

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def load_application(spec: str, *, factory: bool = False) -> WsgiApplication:
    """Return the application that ``spec`` names; the built-in welcome application for an empty ``spec``.

    Raises:
        BootError: it cannot be loaded, or it cannot be called as ``application(environ, start_response)``.
    """
    if not spec:
        return welcome
    application: WsgiApplication = load_object(spec, factory=factory)
    try:
        signature = inspect.signature(application)
    except (TypeError, ValueError):  # written in C, without a signature
        return application
    if not _takes(signature, 2):
        raise BootError(f"cannot load {spec!r}: {_wrong_signature(application, signature, spec)}")
    return application


def _wrong_signature(application: Callable[..., Any], signature: inspect.Signature, spec: str) -> str:
    """Say what kind of callable this seems to be instead."""
    called = application if inspect.isroutine(application) else type(application).__call__
    if inspect.iscoroutinefunction(called) or _takes(signature, 3):
        return f"it takes {signature}, like an ASGI application; hybridd serves WSGI: (environ, start_response)"
    if _takes(signature, 0) and not inspect.isclass(application):
        module = spec.partition(":")[0]
        name = getattr(application, "__name__", "make_application")
        return f"it takes no arguments, like a factory; write {module}:{name}() or --factory"
    return f"it takes {signature}; a WSGI application takes (environ, start_response)"


def _takes(signature: inspect.Signature, count: int) -> bool:
    """Can it be called with ``count`` positional arguments?"""
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True
