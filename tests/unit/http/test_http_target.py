"""Request-targets and hosts; more of them are under tests/http_cases."""

from __future__ import annotations

import pytest

from hybridd.http.target import Target, is_host, is_same_host, parse_target


@pytest.mark.parametrize(
    ("method", "target", "parsed"),
    [
        ("GET", "/", Target("/", "")),
        ("GET", "/a%20b?c?d", Target("/a%20b", "c?d")),
        ("GET", "/?", Target("/", "")),
        ("GET", "//a//b", Target("//a//b", "")),
        ("OPTIONS", "*", Target("*", "")),
        ("GET", "http://h", Target("/", "", "http", "h")),
        ("GET", "HTTP://h:80/p?q", Target("/p", "q", "http", "h:80")),
        ("GET", "https://[::1]?q", Target("/", "q", "https", "[::1]")),
        ("OPTIONS", "http://h", Target("*", "", "http", "h")),
        ("OPTIONS", "http://h/", Target("/", "", "http", "h")),
        ("OPTIONS", "http://h?q", Target("/", "q", "http", "h")),
        ("OPTIONS", "http://h?", Target("/", "", "http", "h")),
        ("GET", "http://h/?%zz", Target("/", "%zz", "http", "h")),
    ],
)
def test_forms(method, target, parsed):
    assert parse_target(method, target) == parsed


@pytest.mark.parametrize(
    ("method", "target", "sentence"),
    [
        ("GET", "*", "OPTIONS only"),
        ("GET", "/a#b", "fragment"),
        ("GET", "http://h/#b", "fragment"),
        ("GET", "a", "neither"),
        ("GET", "?a", "neither"),
        ("GET", "", "neither"),
        ("GET", "ftp://h/", "neither"),
        ("GET", "http:/h", "neither"),
        ("GET", "http://", "authority"),
        ("GET", "http://u@h/", "authority"),
        ("GET", "http://h:0/", "authority"),
        ("GET", "/a<b", "angle bracket"),
        ("GET", "http://h/%zz", "percent sign"),
        ("GET", "http://h/%00", "percent sign"),
    ],
)
def test_what_is_no_form(method, target, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse_target(method, target)


@pytest.mark.parametrize("host", ["a", "A.example:80", "127.0.0.1", "[::1]", "[::1]:8080", "a:", "a:65535", "my_host"])
def test_hosts(host):
    assert is_host(host)
    assert is_host(host), "also when it is remembered"


@pytest.mark.parametrize(
    "host", ["", ":80", "a b", "a/b", "u@a", "a:b", "a:123456", "[a", "::1", "a,b", "ä", "a\n", "[]"]
)
def test_what_is_no_host(host):
    assert not is_host(host)


@pytest.mark.parametrize("host", ["a%20b", "a:0", "a:65536", "[:::]", "[1.2.3.4]"])
def test_what_is_no_host_for_us(host):
    assert not is_host(host)


@pytest.mark.parametrize(
    ("host", "authority", "scheme", "same"),
    [
        ("a", "A", "http", True),
        ("a:80", "a", "http", True),
        ("a:", "a:80", "http", True),
        ("a:443", "a", "https", True),
        ("a:443", "a", "http", False),
        ("a", "b", "http", False),
        ("a:8080", "a:80", "http", False),
    ],
)
def test_same_hosts(host, authority, scheme, same):
    assert is_same_host(host, authority, scheme) is same


def test_hosts_are_remembered_within_bounds():
    from hybridd.http import target  # noqa: PLC0415  # its memory

    for number in range(3000):
        assert is_host(f"host-{number}")
    assert len(target._good_hosts) <= 1024
    assert is_host("a" * 30_000)
    assert sum(map(len, target._good_hosts)) < 30_000, "a name that no DNS has is not kept"
