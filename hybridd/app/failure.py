"""Put an application's exception into words: one line for a log message, and the user's part of the traceback.

Knows:     exceptions, and that everything about them is foreign code (``__str__`` may raise, block, or lie).
Never:     logs, decides what a failure means.
Runs in:   a worker; where application code may run, for it may run some.
"""

from __future__ import annotations

import importlib
import traceback
from pathlib import Path

OWN_DIRECTORY = str(Path(__file__).parent)  # frames from here are the server's, not the user's


def describe(error: BaseException) -> str:
    """Return ``Type: first line of its text``; never raises."""
    name = type(error).__qualname__
    try:
        text = str(error).strip()
    except BaseException:  # noqa: BLE001 - an exception whose __str__ fails has still to be reported
        return f"{name}: (its text cannot be shown)"
    return f"{name}: {text.splitlines()[0]}" if text else name


def user_traceback(error: BaseException) -> str:
    """Return the traceback as text without the frames of the import system and of this package; never raises."""
    described = traceback.TracebackException.from_exception(error)
    _trim(described, set())
    return "".join(described.format()).rstrip()


def has_user_frames(error: BaseException) -> bool:
    """Did the exception come through code that is neither the import system's nor ours?"""
    return any(not _is_ours(frame.filename) for frame in traceback.extract_tb(error.__traceback__))


def _trim(described: traceback.TracebackException | None, seen: set[int]) -> None:
    """Keep only the user's frames, also of the exceptions behind this one."""
    if described is None or id(described) in seen:
        return
    seen.add(id(described))
    users = [frame for frame in described.stack if not _is_ours(frame.filename)]
    described.stack = traceback.StackSummary.from_list(users)
    _trim(described.__cause__, seen)
    _trim(described.__context__, seen)
    for inner in described.exceptions or ():
        _trim(inner, seen)


def _is_ours(filename: str) -> bool:
    """Is this a file of the import system or of this package?"""
    return filename.startswith(("<frozen importlib", OWN_DIRECTORY)) or filename == importlib.__file__
