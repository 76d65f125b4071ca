"""What a fuzzer sends: the cases' bytes, spliced and changed by hands that know the grammar.

A change is a name and two numbers, so that hypothesis can make a failing input smaller: fewer changes, smaller numbers.

Knows:     the notation of a request.
Never:     what should come out (fuzz_play.py).
Runs in:   tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from hypothesis import strategies as st

from tests.support.http_cases import case_names, load_case

_LONGEST_SEED = 700
_CASES = [case for case in map(load_case, case_names()) if 0 < len(case.data) <= _LONGEST_SEED]
# Those that are served come more often: nothing behind a refusal is looked at.
SEEDS = [case.data for case in _CASES] + [case.data for case in _CASES if case.end == "open"] * 3

SPECIAL = b'\r\n\0 \t:,;=%#/\\"_-+.x09aF?*[]@\x0b\x0c\x7f\x80\xa0\xff'
FIELDS = [
    b"Host: example.org",
    b"Host: other.example",
    b"Content-Length: 3",
    b"Content-Length: 0",
    b"Content-Length: 201",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Connection: close",
    b"Connection: keep-alive",
    b"Connection: upgrade",
    b"Upgrade: h2c",
    b"Expect: 100-continue",
    b"Proxy-Connection: close",
    b"X_Y: z",
    b" folded",
    b"X-Long: " + b"l" * 850,
]
WORDS = [
    b"GET / HTTP/1.1\r\n",
    b"POST /a HTTP/1.1\r\n",
    b"HTTP/1.0",
    b"HTTP/1.1",
    b"http://example.org/",
    b"Host: example.org\r\n\r\n",
    b"3\r\nabc\r\n",
    b"0\r\n\r\n",
    b"3;a=b\r\n",
    b"chunked",
    b"identity",
    b"close",
    b"\r\n",
    b"\r\n\r\n",
    b"\n\n",
    b"abc",
    b"x" * 280,
]
NUMBERS = [b"0", b"1", b"3", b"03", b"200", b"201", b"ff", b"-1", b"+3", b"0x3", b"18446744073709551619", b"4294967299"]

Change = tuple[str, int, int]


def _flip(data: bytes, at: int, what: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([data[at] ^ (1 << what % 8)]) + data[at + 1 :]


def _replace(data: bytes, at: int, what: int) -> bytes:
    at %= len(data)
    return data[:at] + SPECIAL[what % len(SPECIAL) :][:1] + data[at + 1 :]


def _insert(data: bytes, at: int, what: int) -> bytes:
    at %= len(data) + 1
    return data[:at] + SPECIAL[what % len(SPECIAL) :][:1] + data[at:]


def _insert_word(data: bytes, at: int, what: int) -> bytes:
    at %= len(data) + 1
    return data[:at] + WORDS[what % len(WORDS)] + data[at:]


def _delete(data: bytes, at: int, what: int) -> bytes:
    at %= len(data)
    return data[:at] + data[at + 1 + what % 8 :]


def _truncate(data: bytes, at: int, what: int) -> bytes:
    return data[: at % len(data)]


def _splice(data: bytes, at: int, what: int) -> bytes:
    other = SEEDS[what % len(SEEDS)]
    return data[: at % (len(data) + 1)] + other[at % len(other) :]


def _append(data: bytes, at: int, what: int) -> bytes:
    return data + SEEDS[what % len(SEEDS)]


def _of_lines(change: Callable[[list[bytes], int, int], None]) -> Callable[[bytes, int, int], bytes]:
    def changed(data: bytes, at: int, what: int) -> bytes:
        lines = data.split(b"\r\n")
        change(lines, at % len(lines), what)
        return b"\r\n".join(lines)

    return changed


def _duplicate_line(lines: list[bytes], at: int, what: int) -> None:
    lines.insert(what % (len(lines) + 1), lines[at])


def _swap_lines(lines: list[bytes], at: int, what: int) -> None:
    other = what % len(lines)
    lines[at], lines[other] = lines[other], lines[at]


def _drop_line(lines: list[bytes], at: int, what: int) -> None:
    del lines[at]


def _insert_field(lines: list[bytes], at: int, what: int) -> None:
    lines.insert(at + 1, FIELDS[what % len(FIELDS)])


def _change_case(lines: list[bytes], at: int, what: int) -> None:
    lines[at] = lines[at].swapcase() if what % 2 else lines[at].lower()


def _change_number(data: bytes, at: int, what: int) -> bytes:
    numbers = list(re.finditer(rb"[0-9]+", data))
    if not numbers:
        return data
    number = numbers[at % len(numbers)]
    return data[: number.start()] + NUMBERS[what % len(NUMBERS)] + data[number.end() :]


CHANGES: dict[str, Callable[[bytes, int, int], bytes]] = {
    "append": _append,
    "splice": _splice,
    "insert field": _of_lines(_insert_field),
    "duplicate line": _of_lines(_duplicate_line),
    "swap lines": _of_lines(_swap_lines),
    "drop line": _of_lines(_drop_line),
    "change case": _of_lines(_change_case),
    "change number": _change_number,
    "insert word": _insert_word,
    "insert": _insert,
    "replace": _replace,
    "flip": _flip,
    "delete": _delete,
    "truncate": _truncate,
}


def make_stream(seed: int, changes: list[Change]) -> bytes:
    """Change a case's bytes."""
    data = SEEDS[seed % len(SEEDS)]
    for name, at, what in changes:
        data = CHANGES[name](data, at, what) if data else SEEDS[what % len(SEEDS)]
    return data


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cut bytes into reads."""
    at = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(at)]


_numbers = st.integers(0, 2000)
_change = st.tuples(st.sampled_from(sorted(CHANGES)), _numbers, _numbers)
streams = st.builds(make_stream, st.integers(0, len(SEEDS) - 1), st.lists(_change, max_size=6))
places = st.lists(_numbers, max_size=8)
