"""Request-targets and hosts; more of them are under tests/http_cases."""

from __future__ import annotations

import pytest

from hybridd.http.target import Target, is_host, parse_target


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
    ],
)
def test_what_is_no_form(method, target, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse_target(method, target)


@pytest.mark.parametrize("host", ["a", "A.example:80", "127.0.0.1", "[::1]", "[::1]:8080", "a:", "a%20b", "my_host"])
def test_hosts(host):
    assert is_host(host)
    assert is_host(host), "also when it is remembered"


@pytest.mark.parametrize(
    "host", ["", ":80", "a b", "a/b", "u@a", "a:b", "a:123456", "[a", "::1", "a,b", "ä", "a\n", "[]"]
)
def test_what_is_no_host(host):
    assert not is_host(host)


def test_hosts_are_remembered_within_bounds():
    from hybridd.http import target  # noqa: PLC0415  # its memory

    for number in range(3000):
        assert is_host(f"host-{number}")
    assert len(target._good_hosts) <= 1024
