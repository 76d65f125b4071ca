"""Addresses as text and as a value."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridd.config.address import Address, AddressError, Kind, parse_address

GOOD = {
    "0.0.0.0:8080": Address(Kind.TCP, host="0.0.0.0", port=8080),
    "127.0.0.1:0": Address(Kind.TCP, host="127.0.0.1", port=0),
    "localhost:65535": Address(Kind.TCP, host="localhost", port=65535),
    "my_app.example.:80": Address(Kind.TCP, host="my_app.example.", port=80),
    "[::]:8080": Address(Kind.TCP, host="::", port=8080),
    "[fe80::1%eth0]:80": Address(Kind.TCP, host="fe80::1%eth0", port=80),
    "unix:/run/app.sock": Address(Kind.UNIX, path="/run/app.sock"),
    "unix:app.sock": Address(Kind.UNIX, path="app.sock"),
    "fd:3": Address(Kind.FD, fd=3),
    "systemd:http": Address(Kind.SYSTEMD, name="http"),
    "systemd:hybridd.socket": Address(Kind.SYSTEMD, name="hybridd.socket"),
}


@pytest.mark.parametrize(("text", "address"), GOOD.items())
def test_an_address_is_read_and_written_back(text, address):
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        "", ":", "::", "8080", ":8080", "host", "host:", "host:x", "host:-1", "host:65536", "host:08", "*:80", "[]:80",
        "256.1.1.1:80", "tcp:80:80", "\x00:80", "é:80",
        "[::1]", "[::1]80", "::1:80", "[1.2.3.4]:80", "[::g]:80", "[::1%]:80", "1.2.3:80", "1.2.3.4.5:80",
        "-a:80", "a..b:80", "a b:80", f"{'a' * 64}:80", f"{'a.' * 127}:80", "http://a:80", "unix:", "unix:/a/", "unix://a",
        "unix:/a\0b", f"unix:/{'a' * 107}", "fd:", "fd:2", "fd:x", "fd:-3", "fd:03", "fd://3", "systemd:",
        "systemd:a:b", "systemd:a b", f"systemd:{'a' * 256}",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match=r"^expected .*, got "):
        parse_address(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("8080", "0.0.0.0:8080"),
        (":80", "0.0.0.0:80"),
        ("*:80", "0.0.0.0:80"),
        ("localhost", "localhost:8080"),
        ("10.0.0.1", "10.0.0.1:8080"),
        ("http://10.0.0.1:80/", "10.0.0.1:80"),
        ("::1:80", "[::1]:80"),
        ("/run/a.sock", "unix:/run/a.sock"),
        ("unix:///run/a.sock", "unix:/run/a.sock"),
        ("unix://run/a.sock", "unix:/run/a.sock"),
        ("fd://3", "fd:3"),
    ],
)
def test_a_refusal_suggests_what_was_meant(text, meant):
    with pytest.raises(AddressError) as caught:
        parse_address(text)
    assert caught.value.suggestion == meant
    assert str(caught.value).endswith(f"; did you mean {meant}")
    assert str(parse_address(meant)) == meant


def test_the_longest_path_of_a_socket_is_a_limit_in_bytes():
    assert parse_address(f"unix:/{'a' * 106}").path == f"/{'a' * 106}"
    with pytest.raises(ValueError, match="at most 107 bytes"):
        parse_address(f"unix:/{'é' * 54}")


def test_a_wildcard_is_known():
    assert parse_address("0.0.0.0:80").wildcard
    assert parse_address("[::]:80").wildcard
    assert not parse_address("127.0.0.1:80").wildcard
    assert not parse_address("unix:/0.0.0.0").wildcard


@given(st.text(max_size=40))
def test_any_text_is_an_address_that_is_written_back_or_refused(text):
    with contextlib.suppress(AddressError):
        address = parse_address(text)
        assert parse_address(str(address)) == address
