"""Numbers, booleans, durations and sizes as settings have them."""

from __future__ import annotations

import re

import pytest

from hybridd.config.kind import Raw, Reading, Refused
from hybridd.config.quantities import boolean, duration, integer, mode, size

COUNT = integer(1, 100)
WORKERS = integer(1, 8, zero="auto")
PAUSE = duration(0.0, 60.0, "5s")
HANDLER = duration(1.0, 60.0, "30s", zero="off")
BODY = size(1, 1024, "512B")
SWITCH = boolean()
UMASK = mode(none="inherit")

YAML_NUMBER = {"reading": Reading.INTEGER}
YAML_BOOLEAN = {"reading": Reading.BOOLEAN}
QUOTED = {"reading": Reading.STRING, "quoted": True}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (COUNT, "1", 1), (COUNT, "100", 100), (WORKERS, "auto", 0), (WORKERS, "8", 8), (PAUSE, "0", 0.0),
        (PAUSE, "60s", 60.0), (HANDLER, "off", 0.0), (HANDLER, "0s", 0.0), (HANDLER, "1s", 1.0), (BODY, "1KiB", 1024),
        (SWITCH, "true", True), (SWITCH, "false", False), (SWITCH, "1", True), (SWITCH, "0", False),
        (UMASK, "0027", 0o027), (UMASK, "22", 0o022), (UMASK, "0", 0), (UMASK, "inherit", None),
    ],
)  # fmt: skip
def test_texts_become_values(kind, text, value):
    assert kind.convert(Raw(text)) == value
    assert type(kind.convert(Raw(text))) is type(value)


@pytest.mark.parametrize(
    ("kind", "raw", "message"),
    [
        (COUNT, Raw("0"), "a whole number from 1 to 100, got 0"),
        (COUNT, Raw("101"), "a whole number from 1 to 100, got 101"),
        (COUNT, Raw("22:30", Reading.INTEGER), "a whole number from 1 to 100, got 22:30"),
        (COUNT, Raw("5", **QUOTED), 'a whole number from 1 to 100, got the text "5"; write it without quotes'),
        (COUNT, Raw("auto"), "a whole number from 1 to 100, got auto"),
        (WORKERS, Raw("0"), "a whole number from 1 to 8, or auto, got 0; did you mean auto"),
        (WORKERS, Raw("atuo"), "a whole number from 1 to 8, or auto, got atuo; did you mean auto"),
        (PAUSE, Raw("5", Reading.INTEGER), "a duration such as 5s, from 0s to 60s, got 5; did you mean 5s"),
        (PAUSE, Raw("off"), "a duration such as 5s, from 0s to 60s, got off"),
        (PAUSE, Raw("61s"), "a duration such as 5s, from 0s to 60s, got 61s"),
        (HANDLER, Raw("500ms"), "a duration such as 30s, from 1s to 60s, or off, got 500ms"),
        (
            HANDLER,
            Raw("no", Reading.BOOLEAN),
            "a duration such as 30s, from 1s to 60s, or off, got no; did you mean off",
        ),
        (BODY, Raw("0"), "a size such as 512B, from 1B to 1KiB, got 0"),
        (BODY, Raw("2KiB"), "a size such as 512B, from 1B to 1KiB, got 2KiB"),
        (SWITCH, Raw("yes", Reading.BOOLEAN), "true or false, got yes; did you mean true"),
        (SWITCH, Raw("Off", Reading.BOOLEAN), "true or false, got Off; did you mean false"),
        (SWITCH, Raw("TRUE"), "true or false, got TRUE; did you mean true"),
        (SWITCH, Raw("1", Reading.INTEGER), "true or false, got 1; did you mean true"),
        (SWITCH, Raw("true", **QUOTED), 'true or false, got the text "true"; write it without quotes'),
        (SWITCH, Raw("maybe"), "true or false, got maybe"),
        (UMASK, Raw("18", Reading.INTEGER), "an octal number such as 0027, or inherit, got 18"),
        (UMASK, Raw("0o22"), "an octal number such as 0027, or inherit, got 0o22; did you mean 022"),
        (UMASK, Raw("1000"), "an octal number such as 0027, or inherit, got 1000"),
        (UMASK, Raw("inherited"), "an octal number such as 0027, or inherit, got inherited; did you mean inherit"),
    ],
)
def test_a_refusal_is_a_sentence(kind, raw, message):
    with pytest.raises(Refused) as caught:
        kind.convert(raw)
    assert str(caught.value) == f"expected {message}"


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (COUNT, 5, "5"), (WORKERS, 0, "auto"), (PAUSE, 0.0, "0s"), (HANDLER, 0.0, "off"), (HANDLER, 1.5, "1.5s"),
        (BODY, 1024, "1KiB"), (SWITCH, True, "true"), (SWITCH, False, "false"),
        (UMASK, 0o27, "0027"), (UMASK, 0, "0000"), (UMASK, None, "inherit"),
    ],
)  # fmt: skip
def test_a_value_is_written_so_that_it_is_read_again(kind, value, text):
    assert kind.text(value) == text
    assert kind.convert(Raw(text)) == value


def test_schemas_say_the_same_as_the_kinds():
    assert COUNT.schema == {"type": "integer", "minimum": 1, "maximum": 100}
    assert {"const": "auto"} in WORKERS.schema["anyOf"]
    assert {"const": 0} in PAUSE.schema["anyOf"]
    assert {"const": "off"} in HANDLER.schema["anyOf"]
    assert SWITCH.schema == {"type": "boolean"}
    pattern = re.compile(BODY.schema["pattern"])
    assert pattern.match("1.5KiB")
    assert not pattern.match("1.5KB")


def test_what_stands_for_the_value_in_a_usage_line():
    assert [kind.metavar for kind in (COUNT, WORKERS, PAUSE, HANDLER, BODY, SWITCH)] == [
        "N", "N|auto", "DURATION", "DURATION|off", "SIZE", "true|false",
    ]  # fmt: skip
