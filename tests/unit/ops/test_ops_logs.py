from __future__ import annotations

import errno
import json
import logging
import os

import pytest

from hybridd.config.settings import AccessLog as AccessSettings
from hybridd.config.settings import Log
from hybridd.ops.access_line import CombinedLine
from hybridd.ops.access_log import AccessLog
from hybridd.ops.log_format import TextFormat
from hybridd.ops.logs import ROOT, ErrorLog, Logs, configure, read_by_journal, unopened
from hybridd.ops.sink import NOTICE_INTERVAL, Sink


@pytest.fixture(autouse=True)
def logger():
    """Give each test the logger ``hybridd`` as it would be at the start, and put it back."""
    logger = logging.getLogger(ROOT)
    before = logger.handlers[:], logger.level, logger.propagate
    logger.handlers[:] = []
    yield logger
    logger.handlers[:], logger.level, logger.propagate = before


@pytest.mark.parametrize(
    ("log", "access", "message"),
    [
        ("/no/where/a.log", "off", "cannot open /no/where/a.log (log.file): its folder does not exist"),
        ("-", "/no/where/a.log", "cannot open /no/where/a.log (access_log.file): its folder does not exist"),
        ("/proc/version/a.log", "off", "cannot open /proc/version/a.log (log.file): Not a directory"),
    ],
)
def test_a_log_that_cannot_be_opened_is_told_with_its_setting(log, access, message):
    log, access = Log(file=log), AccessSettings(file=access)
    with pytest.raises(OSError) as raised:
        configure(log, access, {})
    assert unopened(raised.value, access) == message


def test_a_log_without_a_file_that_cannot_be_opened():
    assert (
        unopened(OSError(errno.EBADF, "Bad file descriptor"), AccessSettings())
        == "cannot open the log: Bad file descriptor"
    )


class Destination:
    def __init__(self) -> None:
        self.full = False
        self.taken: list[bytes] = []

    def __call__(self, record: bytes) -> int:
        if self.full:
            raise BlockingIOError(errno.EAGAIN, "full")
        self.taken.append(record)
        return len(record)


class Both:
    """Two logs over destinations made by hand."""

    def __init__(self) -> None:
        self.error, self.access = Destination(), Destination()
        handler = ErrorLog(Sink(-1, self.error), TextFormat(journal=False))
        self.logs = Logs(handler, AccessLog(Sink(-1, self.access), CombinedLine()))


@pytest.fixture
def both() -> Both:
    return Both()


def settings(tmp_path, **changes) -> tuple[Log, AccessSettings]:
    log = Log(**{"level": "info", "format": "text", "file": str(tmp_path / "error.log"), **changes})
    return log, AccessSettings(file=str(tmp_path / "access.log"), format="combined")


def test_a_record_is_one_write(both, logger):
    logger.addHandler(both.logs.error)
    logger.setLevel("INFO")
    try:
        1 / 0  # noqa: B018 - for its traceback
    except ZeroDivisionError:
        logging.getLogger(f"{ROOT}.app").exception("failed")
    [written] = both.error.taken
    assert written.count(b"\n") > 3


def test_configured_logs_write_to_their_files(tmp_path, logger):
    logs = configure(*settings(tmp_path), {})
    logging.getLogger(f"{ROOT}.master").info("hello", extra={"fields": {"worker": 1}})
    logger.debug("not important")
    logs.close()
    [line] = (tmp_path / "error.log").read_text().splitlines()
    assert line.endswith(f"info [{os.getpid()}] hello worker=1")
    assert not logger.handlers
    assert not logger.propagate


def test_json_is_configured(tmp_path, logger):
    logs = configure(*settings(tmp_path, format="json", level="debug"), {})
    logger.debug("x")
    logs.close()
    assert json.loads((tmp_path / "error.log").read_text())["level"] == "debug"


def test_configuring_again_replaces(tmp_path, logger):
    replaced = configure(*settings(tmp_path), {})
    logs = configure(*settings(tmp_path, file=str(tmp_path / "other.log")), {})
    logger.info("x")
    logs.close()
    replaced.access.sink.close()
    assert (tmp_path / "error.log").read_text() == ""
    assert (tmp_path / "other.log").read_text().count("\n") == 1


def test_when_a_file_cannot_be_opened_nothing_changes(tmp_path, logger):
    logs = configure(*settings(tmp_path), {})
    with pytest.raises(FileNotFoundError):
        configure(*settings(tmp_path, file=str(tmp_path / "no" / "such" / "folder")), {})
    logger.info("still here")
    logs.close()
    assert "still here" in (tmp_path / "error.log").read_text()


def test_the_access_log_can_be_off(tmp_path):
    logs = configure(Log(file=str(tmp_path / "e")), AccessSettings(file="off"), {})
    assert not logs.access.enabled
    assert logs.dropped == (0, 0)
    logs.reopen()
    logs.tick(1.0)
    logs.close()


def test_both_files_are_reopened(tmp_path, logger):
    logs = configure(*settings(tmp_path), {})
    logger.info("old")
    (tmp_path / "error.log").rename(tmp_path / "error.log.1")
    (tmp_path / "access.log").rename(tmp_path / "access.log.1")
    logs.reopen()
    logger.info("new")
    logs.close()
    assert "new" in (tmp_path / "error.log").read_text()
    assert "old" in (tmp_path / "error.log.1").read_text()
    assert (tmp_path / "access.log").exists()


def test_a_file_that_cannot_be_reopened_is_used_on_and_says_so(tmp_path, logger):
    folder = tmp_path / "logs"
    folder.mkdir()
    logs = configure(*settings(folder), {})
    folder.rename(tmp_path / "moved")
    logs.reopen()
    logger.info("on")
    logs.close()
    text = (tmp_path / "moved" / "error.log").read_text()
    assert "the error log goes on in the old file" in text
    assert "the access log goes on in the old file" in text
    assert text.endswith("on\n")


# -- what was lost


def test_losses_are_said_when_there_is_room_again(both, logger):
    logger.addHandler(both.logs.error)
    both.error.full = True
    for _ in range(3):
        logger.error("x")
    both.logs.tick(1000.0)
    assert both.logs.dropped == (3, 0)
    assert both.error.taken == []
    both.error.full = False
    both.logs.tick(1001.0)
    [line] = both.error.taken
    assert b"warning" in line
    assert b"the error log lost 3 lines" in line
    both.logs.tick(1002.0 + NOTICE_INTERVAL)
    assert len(both.error.taken) == 1
    assert both.logs.dropped == (3, 0)


def test_losses_of_the_access_log_are_said_in_the_error_log(both):
    both.access.full = True
    assert both.logs.access.sink is not None
    both.logs.access.sink.write(b"x\n", lines=7)
    both.logs.tick(1000.0)
    assert b"the access log lost 7 lines" in both.error.taken[0]
    assert both.logs.dropped == (0, 7)


def test_a_child_has_lost_nothing_yet(both):
    both.error.full = both.access.full = True
    both.logs.error.sink.write(b"x\n")
    both.logs.forked()
    assert both.logs.dropped == (0, 0)


# -- whatever is logged


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


def test_a_record_that_cannot_be_formatted_says_where(both):
    both.logs.error.handle(logging.LogRecord(ROOT, logging.ERROR, "/src/shop.py", 7, Hostile(), None, None))
    [line] = both.error.taken
    assert b"the record of shop:7 cannot be formatted\n" in line


# -- the journal


def test_the_journal_is_told_by_the_device_and_inode_of_standard_error():
    stat = os.stat_result((0o140777, 12, 34, 1, 0, 0, 0, 0, 0, 0))
    assert read_by_journal({"JOURNAL_STREAM": "34:12"}, stat)
    assert not read_by_journal({"JOURNAL_STREAM": "34:13"}, stat)
    assert not read_by_journal({}, stat)
