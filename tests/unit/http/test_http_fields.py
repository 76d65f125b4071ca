"""Field names as CGI names."""

from __future__ import annotations

import pytest

from hybridd.http import fields
from hybridd.http.fields import DROPPED, KEYS, Withheld, cgi_key, learn_key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        (b"Host", "HTTP_HOST"),
        (b"accept-encoding", "HTTP_ACCEPT_ENCODING"),
        (b"CONTENT-TYPE", "CONTENT_TYPE"),
        (b"content-length", "CONTENT_LENGTH"),
        (b"X-Content-Type", "HTTP_X_CONTENT_TYPE"),
        (b"a.b!c~", "HTTP_A.B!C~"),
        (b"X_Real_IP", DROPPED),
        (b"Proxy", DROPPED),
        (b"PROXY", DROPPED),
    ],
)
def test_names(name, key):
    assert cgi_key(name) == key
    assert learn_key(name) == key


def test_the_usual_names_are_known_in_both_spellings():
    assert KEYS[b"User-Agent"] == KEYS[b"user-agent"] == "HTTP_USER_AGENT"


def test_names_are_remembered_within_bounds():
    for number in range(5000):
        learn_key(b"X-Invented-%d" % number)
    assert len(KEYS) <= 1024
    assert KEYS[b"Host"] == "HTTP_HOST"


def test_long_names_are_not_remembered():
    name = b"X-" + b"l" * 100
    assert learn_key(name) == "HTTP_X_" + "L" * 100
    assert name not in KEYS


def test_no_usual_name_is_dropped():
    fields._remember_only_the_usual()
    assert all(key or isinstance(key, Withheld) for key in KEYS.values())


@pytest.mark.parametrize("name", [b"Forwarded", b"x-forwarded-for", b"X-Forwarded-Anything", b"X-Real-IP"])
def test_what_only_proxies_may_say_is_withheld(name):
    key = learn_key(name)
    assert key == DROPPED
    assert key.key == "HTTP_" + name.decode().upper().replace("-", "_")
