from __future__ import annotations

import json
import logging
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridd.ops.log_format import INDENT, LONGEST, JsonFormat, TextFormat, escape

MOMENT = 1795341600.1239  # 2026-11-22T10:00:00.123Z
HEAD = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [a-z]+ \[\d+\] ")


def record(message: object = "hello", *args: object, level: int = logging.INFO, error=None, fields=None):
    exc_info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("hybridd.master", level, "file.py", 7, message, args, exc_info)
    made.created = MOMENT
    made.process = 42
    if fields is not None:
        made.fields = fields
    return made


def raised(message: str) -> Exception:
    """Return an exception with a traceback."""

    def application() -> None:
        raise ValueError(message)

    try:
        application()
    except ValueError as error:
        return error
    raise AssertionError


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no")


def text(made: logging.LogRecord) -> str:
    return TextFormat(journal=False)(made).decode()


def parsed(made: logging.LogRecord) -> dict:
    return json.loads(JsonFormat(journal=False)(made))


# -- text


def test_a_line_of_text():
    assert text(record("worker %d is ready", 3)) == "2026-11-22T10:00:00.123Z info [42] worker 3 is ready\n"


def test_fields_follow_the_message():
    line = text(
        record(
            "died",
            level=logging.ERROR,
            fields={"worker": 3, "cause": "out of memory", "uptime": 12.3456789, "path": '/a"b\\c'},
        )
    )
    assert line.endswith('error [42] died worker=3 cause="out of memory" uptime=12.3457 path="/a\\"b\\\\c"\n')


def test_every_second_is_formatted_anew():
    form = TextFormat(journal=False)
    first, second = record(), record()
    second.created += 1
    assert form(first) != form(second)
    assert form(first)[:23] == b"2026-11-22T10:00:00.123"


def test_the_journal_gets_priorities_and_no_time():
    form = TextFormat(journal=True)
    assert form(record("x", level=logging.WARNING)) == b"<4>warning [42] x\n"
    lines = form(record("x", level=logging.ERROR, error=raised("y"))).decode().splitlines()
    assert len(lines) > 3
    assert all(line.startswith("<3>") for line in lines)


def test_a_traceback_is_indented():
    lines = text(record("failed", level=logging.ERROR, error=raised("boom"))).splitlines()
    assert lines[0].endswith("failed")
    assert lines[1] == f"{INDENT}Traceback (most recent call last):"
    assert lines[-1] == f"{INDENT}ValueError: boom"


FORGED = "2026-11-22T10:00:00.123Z info [1] all is well"


def test_a_traceback_that_is_text_already_is_shown_like_any_other():
    made = record("cannot boot")
    made.traceback = "Traceback (most recent call last):\n  a line\nValueError: \x1b[2J"
    assert text(made).splitlines()[1:] == [
        f"{INDENT}Traceback (most recent call last):",
        f"{INDENT}  a line",
        rf"{INDENT}ValueError: \x1b[2J",
    ]
    assert parsed(made)["exception"] == made.traceback


@pytest.mark.parametrize("separator", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_input_cannot_look_like_a_record(separator):
    made = record(
        f"x{separator}{FORGED}", error=raised(f"y{separator}{FORGED}"), fields={"path": f"z{separator}{FORGED}"}
    )
    lines = text(made).splitlines()
    assert [bool(HEAD.match(line)) for line in lines] == [True] + [False] * (len(lines) - 1)
    assert all(line.startswith(INDENT) for line in lines[1:])


@given(st.text(), st.text(), st.text())
def test_no_text_breaks_the_lines(message, value, error):
    lines = TextFormat(journal=False)(record("%s", message, fields={"value": value}, error=raised(error))).split(b"\n")
    assert HEAD.match(lines[0].decode())
    assert all(line.startswith(INDENT.encode()) for line in lines[1:-1])
    assert lines[-1] == b""
    assert not any(byte < 0x20 or byte == 0x7F for line in lines for byte in line)


def test_terminal_escapes_and_direction_marks_are_shown_as_text():
    assert escape("\x1b[31mred\x9b2J\u202egnp.exe") == "\\x1b[31mred\\x9b2J\\u202egnp.exe"
    assert escape("Grüße, 世界, a\u00a0b") == "Grüße, 世界, a\u00a0b"
    assert escape("\ud800") == "\\ud800"


# -- JSON


def test_a_json_line():
    line = JsonFormat(journal=False)(record("worker %d is ready", 3, fields={"worker": 3, "load": 0.25, "none": None}))
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    assert json.loads(line) == {
        "time": "2026-11-22T10:00:00.123Z",
        "level": "info",
        "pid": 42,
        "logger": "hybridd.master",
        "message": "worker 3 is ready",
        "worker": 3,
        "load": 0.25,
        "none": None,
    }


def test_an_exception_is_one_json_record():
    item = parsed(record("failed", error=raised("two\nlines")))
    assert item["exception"].startswith("Traceback")
    assert item["exception"].endswith("ValueError: two\nlines")


def test_a_field_cannot_pass_for_the_time_or_the_message():
    item = parsed(record("true", fields={"message": "false", "time": "never"}))
    assert (item["message"], item["message_"], item["time_"]) == ("true", "false", "never")
    assert item["time"].startswith("2026")


@given(st.text(), st.dictionaries(st.text(), st.text() | st.floats() | st.integers() | st.none()))
def test_any_json_record_is_one_parsable_line(message, fields):
    line = JsonFormat(journal=False)(record("%s", message, fields=fields))
    assert line.count(b"\n") == 1
    assert line.isascii()
    assert json.loads(line)["message"] == message


@pytest.mark.parametrize("value", [Hostile(), float("nan"), float("inf"), {(1, 2): 3}, {1, 2}, b"bytes"])
def test_what_json_cannot_have_becomes_text(value):
    item = parsed(record("x", fields={"value": value, "other": 1}))
    assert isinstance(item["value"], str)
    assert item["other"] == 1


def test_a_cycle_becomes_text():
    cycle: list[object] = []
    cycle.append(cycle)
    assert parsed(record("x", fields={"cycle": cycle}))["cycle"] == "[[...]]"


# -- records that are wrong


@pytest.mark.parametrize("form", [TextFormat, JsonFormat])
@pytest.mark.parametrize("made", [record("%d", "x"), record("%s %s", 1), record("%s", Hostile()), record(Hostile())])
def test_a_record_that_cannot_be_made_is_not_lost(form, made):
    line = form(journal=False)(made)
    assert b"do not fit" in line or b"raises" in line


def test_hostile_fields_are_named():
    assert 'value="<Hostile whose __str__ raises RuntimeError>"' in text(record("x", fields={"value": Hostile()}))


def test_fields_that_are_no_mapping_are_ignored():
    assert text(record("x", fields="nonsense")).endswith("] x\n")


@pytest.mark.parametrize("form", [TextFormat, JsonFormat])
def test_an_endless_record_is_cut_in_its_middle(form):
    line = form(journal=False)(record("first" + "x" * 10 * LONGEST + "last"))
    assert len(line) < LONGEST + 500
    assert b"first" in line
    assert b"last" in line
    assert b"characters left out" in line


def test_a_stack_is_shown():
    made = record("where")
    made.stack_info = f"Stack (most recent call last):\n  File {sys.argv[0]!r}"
    assert f"\n{INDENT}Stack (most recent" in text(made)
