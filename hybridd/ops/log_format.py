"""How a record of the error log becomes bytes: lines of text, or one JSON object per line.

Whatever comes from outside (a path, a header, an exception's message) may hold newlines and terminal escapes.  In text
every line after a record's first is indented, and control characters are written as escapes, so no input can look like
a record of its own; in JSON the encoder sees to it.

Knows:     logging's record.
Never:     descriptors, the clock (a record carries its time).
Runs in:   any thread that logs; a format keeps one cached second, and whoever calls holds the handler's lock.
"""

from __future__ import annotations

import json
import logging
import re
import time
import traceback
from collections.abc import Mapping
from typing import Final, Protocol

LONGEST: Final = 32 * 1024  # characters of a message or a traceback; of a longer one beginning and end are kept
INDENT: Final = "  | "
# Bidirectional controls make a terminal show a line in another order than it has.
_UNSAFE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_PLAIN_VALUE: Final = re.compile(r"[\w.:/@+,%*\[\]-]+", re.ASCII)
_PRIORITIES: Final = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}
_RESERVED: Final = frozenset({"time", "level", "pid", "logger", "message", "exception", "stacks"})
_encode: Final = json.JSONEncoder(separators=(",", ":"), default=str, allow_nan=False).encode


class Format(Protocol):
    """What the handler needs."""

    def __call__(self, record: logging.LogRecord) -> bytes:
        """Return the whole record, newline included."""
        ...


def escape(text: str) -> str:
    """Return the text on one line: control characters become Python escapes."""
    return text if text.isprintable() else _UNSAFE.sub(_escaped, text)


def journal_prefix(levelno: int) -> str:
    """Return sd-daemon(3)'s ``<N>``: the priority of one line on a standard error that is read by journald."""
    return f"<{_PRIORITIES.get(levelno, 6)}>"


class TextFormat:
    """``2026-11-22T10:00:00.123Z level [pid] message key=value``; without the time when journald adds its own."""

    def __init__(self, *, journal: bool) -> None:
        self._journal = journal
        self._stamp = _Stamp()

    def __call__(self, record: logging.LogRecord) -> bytes:
        """Return the record: one line, then an indented one for each of a traceback and of stacks."""
        start = "" if self._journal else f"{self._stamp(record.created)} "
        lines = [f"{start}{record.levelname.lower()} [{record.process}] {escape(_cut(_message(record)))}"]
        lines[0] += "".join(f" {escape(key)}={_value(value)}" for key, value in _fields(record).items())
        # Split at newlines only: every other line boundary that Python knows is escaped.
        below = f"{_exception(record)}\n{_stacks(record)}"
        lines += [INDENT + escape(line) for line in below.split("\n") if line]
        if self._journal:
            prefix = journal_prefix(record.levelno)
            lines = [prefix + line for line in lines]
        return "\n".join([*lines, ""]).encode()


class JsonFormat:
    """One object per line: time, level, pid, logger, message, the structured fields, exception, stacks."""

    def __init__(self, *, journal: bool) -> None:
        self._journal = journal
        self._stamp = _Stamp()

    def __call__(self, record: logging.LogRecord) -> bytes:
        """Return the record on one line."""
        item: dict[str, object] = {
            "time": self._stamp(record.created),
            "level": record.levelname.lower(),
            "pid": record.process,
            "logger": record.name,
            "message": _cut(_message(record)),
        }
        for key, value in _fields(record).items():
            item[f"{key}_" if key in _RESERVED else str(key)] = value
        exception = _exception(record)
        if exception:
            item["exception"] = exception
        stacks = _stacks(record)
        if stacks:
            item["stacks"] = stacks
        prefix = journal_prefix(record.levelno) if self._journal else ""
        return f"{prefix}{_line(item)}\n".encode()


class _Stamp:
    """RFC 3339 in UTC with milliseconds; the seconds are formatted once each."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def __call__(self, moment: float) -> str:
        second = int(moment)
        if second != self._second:
            self._text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._second = second
        return f"{self._text}.{int((moment - second) * 1000):03d}Z"


def _line(item: dict[str, object]) -> str:
    """Encode an object whose values may be anything; what JSON cannot have is written as text."""
    try:
        return _encode(item)
    except Exception:  # noqa: BLE001 - a cycle, a NaN, a key that is no string, or a __str__ of the application
        return _encode({key: value if isinstance(value, int) else _text(value) for key, value in item.items()})


def _message(record: logging.LogRecord) -> str:
    """Return the message; a call with wrong arguments must not lose its record."""
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001 - a __str__ of the application may raise anything
        return f"{record.msg!r} with arguments that do not fit ({type(error).__name__})"


def _fields(record: logging.LogRecord) -> Mapping[str, object]:
    fields = getattr(record, "fields", None)
    return fields if isinstance(fields, Mapping) else {}


def _exception(record: logging.LogRecord) -> str:
    parts = []
    if record.exc_info and record.exc_info[0] is not None:
        parts.append("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"))
    if record.stack_info:
        parts.append(record.stack_info)
    if lines := getattr(record, "traceback", ""):  # one that is text already
        parts.append(str(lines))
    return _cut("\n".join(parts))


def _stacks(record: logging.LogRecord) -> str:
    """Return where the threads of another process stand (``extra={"stacks": …}``)."""
    return _cut(str(getattr(record, "stacks", "")))


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    head = LONGEST // 4
    left_out = len(text) - LONGEST
    return f"{text[:head]}\n[{left_out} characters left out]\n{text[left_out + head :]}"


def _value(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else _text(value)
    if _PLAIN_VALUE.fullmatch(text):
        return text
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escape(quoted)}"'


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - a __str__ of the application may raise anything
        return f"<{type(value).__name__} whose __str__ raises {type(error).__name__}>"


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
