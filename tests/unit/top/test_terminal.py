"""Bytes of keys, as terminals send them."""

from __future__ import annotations

import pytest

from hybridd.top.terminal import names_of


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        (b"q", ["q"]),
        (b"++-", ["+", "+", "-"]),
        (b"\x1b[A\x1bOB", ["up", "down"]),
        (b"\x1b[5~\x1b[6~", ["page up", "page down"]),
        (b"\x1b", ["escape"]),
        (b"\x1b[1;5C", ["\x1b[1;5C"]),
        ("é\n".encode(), ["é", "enter"]),
        (b"\xff\x80q", ["\N{REPLACEMENT CHARACTER}" * 2, "q"]),
    ],
)
def test_keys_have_names(typed, names):
    assert names_of(typed) == names
