"""Who is trusted: the words of the setting, and the answers."""

from __future__ import annotations

import pytest

from hybridd.config.kind import Raw, Refused
from hybridd.config.trust import Trust, proxy


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("none", "none"),
        ("unix", "unix"),
        ("10.0.0.7", "10.0.0.7"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.7/32", "10.0.0.7"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:DB8:0::/48", "2001:db8::/48"),
        ("::1", "::1"),
    ],
)
def test_what_may_be_trusted(text, value):
    assert proxy().convert(Raw(text)) == value


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("10.0.0.7/8", "10.0.0.0/8"),
        ("*", "0.0.0.0/0"),
        ("localhost", "127.0.0.1"),
        ("[::1]", "::1"),
        ("off", "none"),
        ("unix:/run/a.sock", "unix"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
    ],
)
def test_what_is_refused_is_answered_with_what_was_meant(text, meant):
    with pytest.raises(Refused, match="expected an address or network") as refused:
        proxy().convert(Raw(text))
    assert refused.value.hint == meant


@pytest.mark.parametrize("text", ["proxy.example", "10.0.0", "10.0.0.0/33", "10", ""])
def test_what_is_nobody(text):
    with pytest.raises(Refused) as refused:
        proxy().convert(Raw(text))
    assert not refused.value.hint


def test_answers():
    trust = Trust(("10.0.0.0/8", "2001:db8::/32", "192.0.2.7"))
    trusted = {"10.1.2.3", "192.0.2.7", "2001:db8::1", "::ffff:10.0.0.1", "2001:db8::1%eth0"}
    others = {"11.0.0.1", "192.0.2.8", "2001:db9::1", "::1", "", "unix", "unknown", "10.0.0"}
    for _ in range(2):  # the second time from memory
        assert {one for one in trusted | others if trust(one)} == trusted
    assert trust


def test_a_unix_socket_and_nobody():
    assert Trust(("unix",))("")
    assert Trust(("unix",))
    assert not Trust(("none",))
    assert not Trust(("none",))("127.0.0.1")


def test_the_memory_is_bounded():
    trust = Trust(("10.0.0.0/8", "unix"))
    assert not any(trust(f"192.0.{number >> 8}.{number & 255}") for number in range(3000))
    assert len(trust._known) <= 1024
    assert trust("10.0.0.1")
    assert trust("")
