"""Requests of a trusted proxy as the application is to see them, each with the client that it came from."""

from __future__ import annotations

from functools import partial

import pytest

from hybridd.config.trust import Trust
from hybridd.http.proxied import Belief, ProxiedProtocol, make_view
from hybridd.http.request import ForwardedFields
from tests.support.recording import Wire

ALL = frozenset({"for", "proto", "host", "port", "prefix"})
TRUST = Trust(("10.0.0.0/8",))
PROXY = ("10.0.0.1", 5000)
OWN = {"HTTP_HOST": "inside:8080", "HTTP_ACCEPT": "*/*"}
LINE = "HTTP_X_FORWARDED_FOR"


def view(given: dict[str, str], *, family: str = "x-forwarded", fields: frozenset[str] = ALL):
    forwarded = {f"HTTP_{name.upper()}": text for name, text in given.items()}
    made = make_view(ForwardedFields(OWN, forwarded), PROXY, Belief(family, fields, TRUST))
    return made.peer, {name: text for name, text in made.fields.items() if OWN.get(name) != text}


@pytest.mark.parametrize(
    ("given", "peer", "seen"),
    [
        ({"x_forwarded_for": "6.6.6.6, 192.0.2.7:99"}, ("192.0.2.7", 99), {LINE: "192.0.2.7:99"}),
        (
            {"x_forwarded_for": "192.0.2.7", "x_forwarded_proto": "HTTPS"},
            ("192.0.2.7", 0),
            {LINE: "192.0.2.7", "wsgi.url_scheme": "https", "HTTPS": "on", "HTTP_X_FORWARDED_PROTO": "https"},
        ),
        ({"x_forwarded_proto": "http"}, PROXY, {"wsgi.url_scheme": "http", "HTTP_X_FORWARDED_PROTO": "http"}),
        ({"x_forwarded_proto": "gopher"}, PROXY, {}),
        (
            {"x_forwarded_host": "shop.example:8443"},
            PROXY,
            {
                "HTTP_HOST": "shop.example:8443",
                "SERVER_NAME": "shop.example",
                "SERVER_PORT": "8443",
                "HTTP_X_FORWARDED_HOST": "shop.example:8443",
            },
        ),
        ({"x_forwarded_host": "a b"}, PROXY, {}),
        ({"x_forwarded_host": ""}, PROXY, {}),
        (
            {"x_forwarded_proto": "https", "x_forwarded_port": "443"},
            PROXY,
            {
                "wsgi.url_scheme": "https",
                "HTTPS": "on",
                "HTTP_X_FORWARDED_PROTO": "https",
                "SERVER_PORT": "443",
                "HTTP_HOST": "inside",
                "HTTP_X_FORWARDED_PORT": "443",
            },
        ),
        ({"x_forwarded_port": "0"}, PROXY, {}),
        ({"x_forwarded_port": "70000"}, PROXY, {}),
        (
            {"x_forwarded_prefix": "/shop%20a/"},
            PROXY,
            {"SCRIPT_NAME": "/shop a", "HTTP_X_FORWARDED_PREFIX": "/shop%20a"},
        ),
        ({"x_forwarded_prefix": "//evil.example"}, PROXY, {}),
        ({"x_forwarded_prefix": "/a/../b"}, PROXY, {}),
        ({"x_forwarded_prefix": "/a/%2e%2E/b"}, PROXY, {}),
        ({"x_forwarded_prefix": "/%2Fevil.example"}, PROXY, {}),
        ({"x_forwarded_prefix": "/a%00"}, PROXY, {}),
        ({"x_forwarded_prefix": "/a%zz"}, PROXY, {}),
        ({"x_forwarded_ssl": "on", "forwarded": "for=6.6.6.6"}, PROXY, {}),
        (
            {"x_real_ip": "6.6.6.6", "x_forwarded_for": "192.0.2.7"},
            ("192.0.2.7", 0),
            {LINE: "192.0.2.7", "HTTP_X_REAL_IP": "192.0.2.7"},
        ),
        ({"x_real_ip": "6.6.6.6"}, PROXY, {}),
    ],
)
def test_what_the_application_sees(given, peer, seen):
    assert view(given) == (peer, seen)


def test_what_is_not_asked_for_is_not_there():
    given = {f"x_forwarded_{name}": "192.0.2.7" for name in ALL}
    assert view(given, fields=frozenset({"proto"})) == (PROXY, {})
    assert view(given, family="forwarded") == (PROXY, {})


def test_forwarded_is_kept_as_far_as_it_is_believed():
    line = 'for="[2001:db8::7]:1";proto=https;host=shop.example'
    peer, seen = view({"forwarded": f"for=6.6.6.6, {line}", "x_forwarded_for": "6.6.6.6"}, family="forwarded")
    assert peer == ("2001:db8::7", 1)
    assert seen == {
        "HTTP_FORWARDED": line,
        "wsgi.url_scheme": "https",
        "HTTPS": "on",
        "HTTP_HOST": "shop.example",
        "SERVER_NAME": "shop.example",
        "SERVER_PORT": "443",
    }


# -- on a connection


@pytest.fixture
def wire():
    """A connection of a proxy."""
    return Wire(peername=PROXY, make=partial(ProxiedProtocol, belief=Belief("x-forwarded", ALL, TRUST)))


def ask(client: str = "", *further: str, line: str = "GET / HTTP/1.1") -> bytes:
    own = [f"X-Forwarded-For: {client}"] if client else []
    return "\r\n".join([line, "Host: a", *own, *further, "", ""]).encode()


def test_each_request_is_its_own_clients(wire):
    for client in ("192.0.2.7", "192.0.2.8", "", "192.0.2.7", "192.0.2.7"):
        wire.send(ask(client))
    peers = [record.peer for record in wire.service.records]
    assert peers == ["192.0.2.7", "192.0.2.8", PROXY[0], "192.0.2.7", "192.0.2.7"]
    assert wire.statuses() == [200] * 5


def test_what_was_seen_before_is_not_made_again(wire):
    for _ in range(4):
        wire.send(ask("192.0.2.7", "X-Forwarded-Proto: https"))
    second, third = (request.fields for request in wire.service.requests[-2:])
    assert second is third
    assert second["wsgi.url_scheme"] == "https"


def test_two_proxies_with_the_same_words_are_two(wire):
    other = Wire(peername=("10.0.0.2", 1), make=partial(ProxiedProtocol, belief=Belief("x-forwarded", ALL, TRUST)))
    for one in (wire, other, wire, other):
        one.send(ask("", "X-Forwarded-Proto: https"))
    assert [record.peer for record in other.service.records] == ["10.0.0.2"] * 2
    assert [record.peer for record in wire.service.records] == [PROXY[0]] * 2


def test_several_lines_are_one_list(wire):
    wire.send(ask("6.6.6.6", "X-Forwarded-For: 192.0.2.7", "X-Forwarded-For: 10.0.0.9"))
    assert wire.record().peer == "192.0.2.7"


def test_a_body_changes_nothing(wire):
    wire.send(ask("192.0.2.7", "Transfer-Encoding: chunked", line="POST / HTTP/1.1"), b"3\r\nabc\r\n0\r\n\r\n")
    assert wire.record().peer == "192.0.2.7"
    assert wire.service.requests[0].body.length == 3


def test_who_cannot_be_told_is_refused(wire):
    wire.send(ask("nonsense"))
    assert wire.statuses() == [400]
    assert wire.rejected() == {"bad_request": 1}
    assert wire.record().peer == PROXY[0]
    wire.fin()
    assert wire.closed() == "protocol_error"


def test_a_refusal_is_the_clients_too(wire):
    wire.send(ask("192.0.2.8"), ask("192.0.2.7", "Content-Length: 9999999999", line="POST / HTTP/1.1"))
    assert wire.statuses() == [200, 413]
    assert wire.service.records[-1].peer == "192.0.2.7"
    wire.fin()


def test_what_cannot_be_read_at_all_is_the_proxys(wire):
    wire.send(ask("192.0.2.8"), b"GARBAGE\r\n\r\n")
    assert wire.service.records[-1].peer == PROXY[0]
    wire.fin()
