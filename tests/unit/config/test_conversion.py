"""Durations, sizes and numbers, and back to text."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridd.config.conversion import (
    GIB,
    KIB,
    MIB,
    format_duration,
    format_size,
    parse_duration,
    parse_integer,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0), ("0s", 0), ("500ms", 0.5), ("30s", 30), ("1.5s", 1.5), ("1m30s", 90), ("1h", 3600), ("2d", 172_800),
        ("1d2h3m4s5ms", 93_784.005), ("90s", 90), ("0.25ms", 0.00025), ("1.5m", 90),
    ],
)  # fmt: skip
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "s", "30", "30 s", " 30s", "30S", "-1s", "+1s", "1e3s", ".5s", "1.s", "30s1m", "1s1s", "1m1m", "inf", "nan",
     "٣s", "1" * 16 + "s", "0.0000001s", "1:30", "30sec", "1,5s", "1_000s", "0x1s", "1w"],
)  # fmt: skip
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("30", "30s"), ("1.5", "1.5s"), ("1:30", "1m30s"), ("22:30", "22m30s"), ("30 s", "30s"), ("30S", "30s"),
        ("5 minutes", "5m"), ("5min", "5m"), ("2 Hours", "2h"), ("100 msec", "100ms"), ("1day", "1d"), ("1w", ""),
        ("soon", ""), ("30s1m", ""), ("-30", ""),
    ],
)  # fmt: skip
def test_a_refused_duration_says_what_was_meant(text, meant):
    with pytest.raises(ValueError) as caught:
        parse_duration(text)
    assert str(caught.value) == meant


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (0.3, "300ms"), (0.0005, "0.5ms"), (1, "1s"), (2.5, "2.5s"), (60, "60s"), (75, "75s"), (90, "90s"),
        (119.5, "119.5s"), (120, "2m"), (150, "2m30s"), (3600, "1h"), (3661, "1h1m1s"), (86400, "1d"),
        (86400.5, "1d0.5s"),
    ],
)  # fmt: skip
def test_durations_are_written_as_people_do(seconds, text):
    assert format_duration(seconds) == text
    assert parse_duration(text) == seconds


@given(st.integers(min_value=0, max_value=10**15))
def test_any_duration_is_read_back(microseconds):
    seconds = microseconds / 1_000_000
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("0B", 0), ("512B", 512), ("16KiB", 16 * KIB), ("1.5KiB", 1536), ("64MiB", 64 * MIB), ("2GiB", 2 * GIB),
     ("1TiB", 1024 * GIB), ("0.5MiB", 512 * KIB)],
)  # fmt: skip
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", ""), ("64", "64B"), ("1048576", "1MiB"), ("64MB", "64MiB"), ("64mb", "64MiB"), ("64M", "64MiB"),
        ("64 MiB", "64MiB"), ("64mib", "64MiB"), ("1k", "1KiB"), ("1.5K", "1.5KiB"), ("5b", "5B"), ("1.5", ""),
        ("1.5B", ""), ("0.0001KiB", ""), ("-1KiB", ""), ("1KiB1B", ""), ("1PiB", ""), ("a lot", ""), ("1e6B", ""),
        ("1_000B", ""), ("٣B", ""),
    ],
)  # fmt: skip
def test_a_refused_size_says_what_was_meant(text, meant):
    with pytest.raises(ValueError) as caught:
        parse_size(text)
    assert str(caught.value) == meant


@given(st.integers(min_value=0, max_value=10**15))
def test_any_size_is_read_back(size):
    assert parse_size(format_size(size)) == size


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("7", 7), ("-7", -7), ("10000", 10_000), ("1_000_000", 1_000_000)]
)
def test_numbers(text, value):
    assert parse_integer(text) == value


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", ""), ("007", "7"), ("0o7", ""), ("0x1F", ""), ("0b1", ""), ("1e3", ""), ("1.0", ""), ("+1", ""),
        (" 1", ""),
        ("10,000", "10000"), ("1_0", "10"), ("_1", "1"), ("four", ""), ("٣", ""), ("1" * 19, ""), ("00", ""),
    ],
)  # fmt: skip
def test_a_refused_number_says_what_was_meant(text, meant):
    with pytest.raises(ValueError) as caught:
        parse_integer(text)
    assert str(caught.value) == meant


@given(st.text(max_size=30))
def test_any_text_is_converted_or_refused(text):
    for parse in (parse_duration, parse_size, parse_integer):
        with contextlib.suppress(ValueError):
            assert parse(text) >= 0 or text.startswith("-")
