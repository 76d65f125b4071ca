"""What every kind of value has in common: messages and suggestions."""

from __future__ import annotations

import pytest

from hybridd.config.kind import LONGEST_SHOWN, Raw, Reading, Refused, closest, shown
from hybridd.config.quantities import duration, integer


def refusal(kind, text, **reading):
    with pytest.raises(Refused) as caught:
        kind.convert(Raw(text, **reading))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", "plain"),
        ("", '""'),
        ("two words", '"two words"'),
        ("a;b", '"a;b"'),
        ("1,000", '"1,000"'),
        ("tab\there", r'"tab\there"'),
        ("line\nbreak", r'"line\nbreak"'),
        ("\x1b[31mred", r'"\u001b[31mred"'),
        ("\udcff", r'"\udcff"'),
        ("café", "café"),
        ("'", "'"),
    ],
)
def test_a_wrong_value_is_shown_on_one_line_and_cannot_play_with_the_terminal(text, written):
    assert shown(text) == written


def test_a_long_value_is_shortened():
    text = shown("x" * 10_000)
    assert len(text) == LONGEST_SHOWN
    assert text.endswith("...")


def test_nothing_is_called_nothing():
    assert str(Raw("~", Reading.NOTHING)) == "nothing"
    assert refusal(integer(1, 9), "", reading=Reading.NOTHING).endswith(
        "got nothing; remove the key to have the default"
    )


def test_a_suggestion_that_would_be_refused_too_is_not_made():
    kind = duration(1.0, 60.0, "30s")
    assert refusal(kind, "30").endswith("got 30; did you mean 30s")
    assert refusal(kind, "3000").endswith("got 3000")


def test_accepts_tells_without_raising():
    assert integer(1, 9).accepts("9")
    assert not integer(1, 9).accepts("10")


def test_the_closest_word():
    assert closest("INFO", ("debug", "info")) == "info"
    assert closest("wran", ("info", "warning", "warn")) == "warn"
    assert closest("xyz", ("info",)) == ""
