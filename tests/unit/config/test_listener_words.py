"""What is special to one listener, in words behind its address."""

from __future__ import annotations

import dataclasses

import pytest

from hybridd.config.address import AddressError, parse_address
from hybridd.config.listener_words import NO_WORDS, WORDS, Endpoint, Words, parse_endpoint, words_of

TLS = Words(tls=True)
GOOD = {
    "0.0.0.0:80": Endpoint(parse_address("0.0.0.0:80")),
    "0.0.0.0:443 tls": Endpoint(parse_address("0.0.0.0:443"), TLS),
    "fd:3 tls": Endpoint(parse_address("fd:3"), TLS),
    "systemd:web tls": Endpoint(parse_address("systemd:web"), TLS),
    "unix:/run/a.sock tls": Endpoint(parse_address("unix:/run/a.sock"), TLS),
    "[::]:443 tls certificate=/a.pem certificate=/b.pem key=/a.key client_certificates=required client_ca=/ca.pem": (
        Endpoint(
            parse_address("[::]:443"), Words(True, ("/a.pem", "/b.pem"), ("/a.key",), "required", client_ca="/ca.pem")
        )
    ),
}


@pytest.mark.parametrize(("text", "endpoint"), GOOD.items())
def test_words_are_read_and_written_back(text, endpoint):
    assert parse_endpoint(text) == endpoint
    assert str(endpoint) == text


def test_the_order_of_words_and_the_number_of_blanks_do_not_matter():
    assert str(parse_endpoint("a:1  key=/k   tls certificate=/c")) == "a:1 tls certificate=/c key=/k"


@pytest.mark.parametrize(
    ("text", "expected", "meant"),
    [
        ("0.0.0.0:443 tsl", "an address and perhaps tls, certificate, key", "0.0.0.0:443 tls"),
        ("0.0.0.0:443 ssl", "an address and perhaps tls", "0.0.0.0:443 tls"),
        ("0.0.0.0:443 tls ssl_certificate=/a", "an address and perhaps", "0.0.0.0:443 tls certificate=/a"),
        ("0.0.0.0:443 tls crt=/a", "an address and perhaps", "0.0.0.0:443 tls certificate=/a"),
        ("0.0.0.0:443 quic", "an address and perhaps", ""),
        ("unix:/my app", "proxy_protocol behind it; the path of a socket has no blanks", ""),
        ("0.0.0.0:443 tls=on", "tls without a value", ""),
        ("0.0.0.0:443 tls certificate", "certificate=FILE", ""),
        ("0.0.0.0:443 tls certificate=", "certificate=FILE", ""),
        ("0.0.0.0:443 tls client_ca=/etc/", "client_ca=FILE", ""),
        ("0.0.0.0:443 tls tls", "tls once", ""),
        ("0.0.0.0:443 tls client_ca=/a client_ca=/b", "client_ca once", ""),
        (
            "0.0.0.0:443 tls client_certificates=require",
            "client_certificates=off|optional|required",
            "0.0.0.0:443 tls client_certificates=required",
        ),
        ("0.0.0.0:443 tls client_certificates=1", "client_certificates=off|optional|required", ""),
        ("0.0.0.0:443 key=/a", "tls beside key, which means nothing without", "0.0.0.0:443 tls key=/a"),
        (":443 tls", "an address such as", "0.0.0.0:443 tls"),
        ("0.0.0.0:x tls", "a port from 0 to 65535", ""),
        (" tls", "an address such as", ""),
    ],
)
def test_what_is_wrong_is_said_with_what_was_meant(text, expected, meant):
    with pytest.raises(AddressError) as caught:
        parse_endpoint(text)
    assert expected in caught.value.expected
    assert caught.value.suggestion == meant
    if meant:
        parse_endpoint(meant)


def test_every_word_is_explained_and_says_nothing_by_default():
    assert [one.name for one in dataclasses.fields(Words)] == list(WORDS)
    assert all(word.help for word in WORDS.values())
    assert not any(getattr(NO_WORDS, name) for name in WORDS)


def test_a_name_that_stands_for_several_listeners_has_the_same_words_for_all_of_them():
    said = [parse_endpoint("localhost:443 tls"), parse_endpoint("localhost:80")]
    assert words_of(["localhost:443", "localhost:443", "localhost:80"], said) == [TLS, TLS, NO_WORDS]


def test_port_0_may_be_wanted_twice_with_different_words():
    said = [parse_endpoint("a:0"), parse_endpoint("a:0 tls")]
    assert words_of(["a:0", "a:0"], said) == [NO_WORDS, TLS]


def test_a_listener_that_the_configuration_does_not_have_any_more_has_no_words():
    assert words_of(["a:1"], []) == [NO_WORDS]
