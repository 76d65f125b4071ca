"""The error log and the access log of a process: set up, reopened, kept from ever waiting.

The error log is the standard library's ``logging`` under the logger ``hybridd``; the application's own loggers are the
application's.  Structured facts go with a record as ``extra={"fields": {...}}``.

Knows:     the settings of both logs, whether journald reads our standard error.
Never:     what is worth logging.
Runs in:   every process; the master configures before it forks, children inherit the descriptors.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from hybridd.config.settings import AccessLog as AccessLogSettings
from hybridd.config.settings import Log
from hybridd.ops.access_line import LINES
from hybridd.ops.access_log import AccessLog
from hybridd.ops.log_format import Format, JsonFormat, TextFormat, escape
from hybridd.ops.sink import Sink, open_sink

ROOT: Final = "hybridd"
FORMATS: Final[dict[str, Callable[..., Format]]] = {"text": TextFormat, "json": JsonFormat}


class ErrorLog(logging.Handler):
    """The handler: formats a record and gives it to the sink in one piece.  Closing it closes the sink."""

    def __init__(self, sink: Sink, form: Format) -> None:
        super().__init__()
        self.sink = sink
        self._form = form

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; the handler's lock is held."""
        try:
            data = self._form(record)
        except Exception:  # noqa: BLE001 - the log must go on, and say where it could not
            place = f"{record.module}:{record.lineno}"
            data = f"error [{record.process}] the record of {escape(place)} cannot be formatted\n".encode()
        self.sink.write(data)

    def close(self) -> None:
        """Close the sink; what is logged from now on is lost."""
        super().close()
        self.sink.close()

    def say(self, message: str) -> bool:
        """Write a warning of the log's own; False when even that does not fit.  It counts as no line."""
        record = logging.LogRecord(f"{ROOT}.log", logging.WARNING, __file__, 0, message, None, None)
        self.acquire()
        try:
            return self.sink.write(self._form(record), lines=0)
        finally:
            self.release()


class Logs:
    """Both logs of this process."""

    def __init__(self, error: ErrorLog, access: AccessLog) -> None:
        self.error = error
        self.access = access

    @property
    def dropped(self) -> tuple[int, int]:
        """Lines lost so far: (error log, access log)."""
        return self.error.sink.dropped, self.access.sink.dropped if self.access.sink else 0

    def reopen(self) -> None:
        """Open both files again (USR1, leader thread); one that cannot be opened is used on, and the log says why."""
        with self._alone():
            for name, sink in self._sinks():
                try:
                    sink.reopen()
                except OSError as error:
                    self.error.say(f"the {name} log goes on in the old file: {error}")

    def tick(self, now: float) -> None:
        """Finish what went out in part and say what was lost; about once per second, in the leader thread.

        Args:
            now: seconds of any clock that does not stand still.
        """
        with self._alone():
            for name, sink in self._sinks():
                if sink.finish():
                    news = sink.news(now)
                    if news and self.error.say(f"the {name} log lost {news} lines: nobody took them in time"):
                        sink.told(news, now)

    def forked(self) -> None:
        """Begin anew in a child, as its first step: the parent's half-written records and losses are the parent's."""
        for _, sink in self._sinks():
            sink.forked()

    def close(self) -> None:
        """Stop logging here, and close the files that were opened for it."""
        logging.getLogger(ROOT).removeHandler(self.error)
        self.error.close()
        if self.access.sink is not None:
            self.access.sink.close()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else writes to either log meanwhile."""
        self.error.acquire()
        try:
            with self.access.lock:
                yield
        finally:
            self.error.release()

    def _sinks(self) -> list[tuple[str, Sink]]:
        sinks = [("error", self.error.sink)]
        if self.access.sink is not None:
            sinks.append(("access", self.access.sink))
        return sinks


def configure(log: Log, access: AccessLogSettings, environment: Mapping[str, str], *, daemon: bool = False) -> Logs:
    """Point the logger ``hybridd`` at its file and return both logs; an earlier configuration is replaced.

    The standard output and error of a daemon go to the file of the error log too, as nginx does it: what an
    application prints is kept.

    Raises:
        OSError: a file cannot be opened; nothing has been changed then.
    """
    access_sink = None if access.file == "off" else open_sink(access.file, 1)
    try:
        error_sink = open_sink(log.file, 2)
    except OSError:
        if access_sink is not None:
            access_sink.close()
        raise
    if daemon and error_sink.path:
        error_sink.mirror(1, 2)
    journal = log.file in {"-", "/dev/stderr"} and read_by_journal(environment, os.fstat(2))
    handler = ErrorLog(error_sink, FORMATS[log.format](journal=journal))
    logger = logging.getLogger(ROOT)
    for old in logger.handlers[:]:
        logger.removeHandler(old)
        old.close()
    logger.addHandler(handler)
    logger.setLevel(log.level.upper())
    logger.propagate = False  # the root logger is the application's
    return Logs(handler, AccessLog(access_sink, LINES[access.format]()))


def unopened(error: OSError, access: AccessLogSettings) -> str:
    """Say which log ``configure`` could not open, by which setting, and why."""
    why = "its folder does not exist" if error.errno == errno.ENOENT else error.strerror
    if error.filename is None:
        return f"cannot open the log: {why}"
    setting = "access_log.file" if error.filename == access.file else "log.file"
    return f"cannot open {error.filename} ({setting}): {why}"


def read_by_journal(environment: Mapping[str, str], standard_error: os.stat_result) -> bool:
    """Whether standard error is the stream that journald said it reads: ``JOURNAL_STREAM``, systemd.exec(5)."""
    return environment.get("JOURNAL_STREAM") == f"{standard_error.st_dev}:{standard_error.st_ino}"
