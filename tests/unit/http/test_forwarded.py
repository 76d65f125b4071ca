"""Chains of proxies as they tell of their client: who is believed, where reading stops, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given

from hybridd.config.trust import Trust
from hybridd.errors import HttpError
from hybridd.http.forwarded import Node, read_forwarded, read_node, read_x_forwarded
from tests.support import fuzz_proxies
from tests.support.fuzz_proxies import PROXY, TRUST, chains, check_forwarded, texts


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("192.0.2.7", Node("192.0.2.7")),
        ("192.0.2.7:40000", Node("192.0.2.7", 40000)),
        ("2001:DB8::7", Node("2001:db8::7")),
        ("[2001:db8::7]", Node("2001:db8::7")),
        ("[2001:db8::7]:443", Node("2001:db8::7", 443)),
        ("::ffff:192.0.2.7", Node("192.0.2.7")),
        ("192.0.2.7:_port", Node("192.0.2.7")),
        ("unix:", Node("")),
        ("unknown", Node("", hidden=True)),
        ("_gazonk", Node("", hidden=True)),
        ("_SEVKISEK:47", Node("", hidden=True)),
        ("Unknown:4711", Node("", hidden=True)),
        *((text, None) for text in ("", "localhost", "192.0.2", "192.0.2.07", "192.0.2.7:65536", "[192.0.2.7]")),
        *((text, None) for text in ("2001:db8::7]", "[2001:db8::7", "fe80::1%eth0", "a.b.c.d", "192.0.2.7 x", "é")),
    ],
)
def test_who_is_named(text, node):
    assert read_node(text) == node


def x(line: str, **further: str):
    given = {"HTTP_X_FORWARDED_FOR": line} | {
        f"HTTP_X_FORWARDED_{name.upper()}": text for name, text in further.items()
    }
    return read_x_forwarded(given, PROXY, TRUST)


@pytest.mark.parametrize(
    ("line", "client", "left"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("6.6.6.6, 192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("6.6.6.6,192.0.2.7, 10.0.0.9 ,10.0.0.8", "192.0.2.7", "192.0.2.7, 10.0.0.9 ,10.0.0.8"),
        ("<script>, 192.0.2.7,,", "192.0.2.7", "192.0.2.7,,"),
        ("10.0.0.9, 10.0.0.8", "10.0.0.9", "10.0.0.9, 10.0.0.8"),
        ("6.6.6.6, unknown, 10.0.0.8", "", "unknown, 10.0.0.8"),
        ("6.6.6.6, _hidden", "", "_hidden"),
        ("6.6.6.6, unix:, 10.0.0.8", "", "unix:, 10.0.0.8"),
        ("6.6.6.6, [2001:db8::7]:50000", "2001:db8::7", "[2001:db8::7]:50000"),
        ("6.6.6.6, 192.0.2.7, fd00::3", "192.0.2.7", "192.0.2.7, fd00::3"),
        ("", PROXY, ""),
        (" , ", PROXY, ""),
    ],
)
def test_the_client_is_counted_from_the_right(line, client, left):
    said = x(line)
    assert (said.client, said.line) == (client, left)


@pytest.mark.parametrize("line", ["nonsense", "192.0.2.7, 1.2.3", "192.0.2.7 10.0.0.1", "x, nonsense, 10.0.0.8"])
def test_what_decides_must_be_a_node(line):
    with pytest.raises(HttpError, match="where an address should stand") as refused:
        x(line)
    assert refused.value.status == 400
    assert not [word for word in line.replace(",", "").split() if word in refused.value.detail], "nothing is sent back"


def test_a_unix_socket_may_be_trusted():
    said = read_x_forwarded({"HTTP_X_FORWARDED_FOR": "6.6.6.6, 192.0.2.7, unix:"}, "", Trust(("unix",)))
    assert said.client == "192.0.2.7"


@pytest.mark.parametrize(
    ("line", "proto", "scheme"),
    [
        ("192.0.2.7", "https", "https"),
        ("192.0.2.7", "https, http", "http"),  # the client invented the first one
        ("192.0.2.7, 10.0.0.8", "https", "https"),  # the inner proxy passes on what the outer one has set
        ("192.0.2.7, 10.0.0.8", "ftp, https, http", "https"),
        ("", "https", "https"),
    ],
)
def test_the_scheme_is_that_of_the_clients_connection(line, proto, scheme):
    assert x(line, proto=proto).scheme == scheme


def forwarded(line: str):
    return read_forwarded({"HTTP_FORWARDED": line}, PROXY, TRUST)


@pytest.mark.parametrize(
    ("line", "client", "scheme", "left"),
    [
        ("for=192.0.2.7", "192.0.2.7", "", "for=192.0.2.7"),
        ("for=192.0.2.7;proto=https;by=10.0.0.1", "192.0.2.7", "https", "for=192.0.2.7;proto=https;by=10.0.0.1"),
        ('For="[2001:db8::7]:47"; Proto=https', "2001:db8::7", "https", 'For="[2001:db8::7]:47"; Proto=https'),
        ("for=6.6.6.6;proto=ftp, for=192.0.2.7;proto=http", "192.0.2.7", "http", "for=192.0.2.7;proto=http"),
        (
            "for=6.6.6.6, for=192.0.2.7;proto=https,for=10.0.0.8;proto=http",
            "192.0.2.7",
            "https",
            "for=192.0.2.7;proto=https,for=10.0.0.8;proto=http",
        ),
        ('for="a,\\"b", for=192.0.2.7:80', "192.0.2.7", "", "for=192.0.2.7:80"),
        ("for=6.6.6.6, for=unknown;proto=https", "", "https", "for=unknown;proto=https"),
        ("for=6.6.6.6, proto=https", "", "https", "proto=https"),
        (" , for=192.0.2.7 , ", "192.0.2.7", "", "for=192.0.2.7 ,"),
        ("", PROXY, "", ""),
    ],
)
def test_forwarded(line, client, scheme, left):
    said = forwarded(line)
    assert (said.client, said.scheme, said.line) == (client, scheme, left)


@pytest.mark.parametrize(
    "line",
    [
        'for="6.6.6.6, for=192.0.2.7',  # the quote of a client would swallow what the proxy adds
        "for",
        "for=",
        "for=192.0.2.7;",
        "for=192.0.2.7 for=10.0.0.1",
        "for = 192.0.2.7",
        "for=1.2.3.4;for=192.0.2.7",
        "for=nonsense",
        "=192.0.2.7",
        ";for=192.0.2.7",
        "for=192.0.2.7, x=y;",
    ],
)
def test_a_malformed_line_is_refused(line):
    with pytest.raises(HttpError):
        forwarded(line)


@given(texts, chains)
def test_nothing_in_front_changes_whom_the_proxies_name(invented, chain):
    check_forwarded(invented, chain)


def test_the_judge_sees_who_is_believed_wrongly(monkeypatch):
    check_forwarded("6.6.6.6", ("192.0.2.7",))
    monkeypatch.setattr(fuzz_proxies, "TRUST", lambda _: True)
    with pytest.raises(AssertionError):
        check_forwarded("6.6.6.6", ("192.0.2.7",))
