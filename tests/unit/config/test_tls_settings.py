"""What of the section ``tls`` and of a listener's words holds for one listener, and what is wrong together."""

from __future__ import annotations

import pytest

from hybridd.config.listener_words import parse_endpoint
from hybridd.config.loading import load
from hybridd.config.settings import Config
from hybridd.config.tls import MODERN, Tls, contradictions, rules_of
from hybridd.errors import ConfigurationError

GENERAL = Tls(certificates=("/a.pem", "/b.pem"), keys=("/a.key", "/b.key"), client_ca="/ca.pem")


def rules(text, tls=GENERAL, *, raw=False):
    return rules_of(parse_endpoint(text).words, tls, raw=raw)


def test_what_is_not_said_is_as_the_section_has_it():
    found = rules("a:1 tls")
    assert found.pairs == (("/a.pem", "/a.key"), ("/b.pem", "/b.key"))
    assert (found.minimum_version, found.ciphers, found.client_certificates) == ("1.2", MODERN, "off")
    assert found == rules("[::]:1 tls"), "they share what is made of it"


def test_certificates_of_its_own_bring_keys_of_their_own():
    assert rules("a:1 tls certificate=/c.pem").pairs == (("/c.pem", "/c.pem"),)
    assert rules("a:1 tls certificate=/c.pem key=/c.key client_certificates=required").client_certificates == "required"


def test_keys_may_stand_in_the_files_of_the_certificates():
    assert rules("a:1 tls", Tls(certificates=("/a.pem",))).pairs == (("/a.pem", "/a.pem"),)


def test_a_raw_protocol_is_not_negotiated():
    assert rules("a:1 tls").protocols == ("http/1.1",)
    assert rules("a:1 tls", raw=True).protocols == ()


@pytest.mark.parametrize(
    ("listen", "tls", "key", "sentence"),
    [
        ("a:1 tls", Tls(), "listen", "expected a certificate, in tls.certificates or as certificate=FILE"),
        ("a:1 tls", Tls(certificates=("/a", "/b"), keys=("/k",)), "tls.keys", "each of tls.certificates (2), got 1"),
        ("a:1", Tls(keys=("/k",)), "tls.keys", "expected a key for each of tls.certificates (0), got 1"),
        ("a:1 tls certificate=/a key=/b key=/c", Tls(), "listen", "as many key= as certificate=, got 2 and 1"),
        ("a:1 tls key=/b", GENERAL, "listen", "as many key= as certificate=, got 1 and 0"),
        (
            "a:1 tls client_certificates=required",
            Tls(certificates=("/a",)),
            "tls.client_ca",
            "expected tls.client_ca, the authorities of client certificates, which are required for a:1",
        ),
    ],
)
def test_what_is_wrong_together(listen, tls, key, sentence):
    [(keys, text)] = contradictions([parse_endpoint(listen)], tls)
    assert keys[0] == key
    assert sentence in text


@pytest.mark.parametrize(
    "section", [Tls(certificates=("/a.pem",)), Tls(client_certificates="required", client_ca="/c")]
)
def test_nobody_is_served_in_the_clear_who_meant_tls(section):
    [(keys, text)] = contradictions([parse_endpoint("a:1"), parse_endpoint("unix:/b proxy_protocol")], section)
    assert keys[0] == "listen"
    assert text == "expected the word tls behind an address, for tls is configured, got none; did you mean a:1 tls"
    assert list(contradictions([parse_endpoint("a:1 tls certificate=/b.pem"), parse_endpoint("b:1")], section)) == []


def test_what_belongs_together():
    listen = [parse_endpoint("a:1 tls client_certificates=optional"), parse_endpoint("b:1")]
    assert list(contradictions(listen, GENERAL)) == []
    assert list(contradictions([parse_endpoint("a:1")], Tls())) == []


def test_the_flags_of_gunicorn_and_a_version_that_yaml_reads_as_a_fraction(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("listen: a:1 tls\ntls: {certificates: /x.pem, minimum_version: 1.3}\n")
    config: Config = load([file], {"HYBRIDD_TLS__KEYS": "/x.key"}, {}).config
    assert (config.tls.certificates, config.tls.keys, config.tls.minimum_version) == (("/x.pem",), ("/x.key",), "1.3")


def test_other_programs_words_are_understood(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("tls: {ssl_certificate: /x.pem, certificates: off}\n")
    with pytest.raises(ConfigurationError) as caught:
        load([file], {}, {})
    said = str(caught.value)
    assert "did you mean tls.certificates" in said
    assert "expected the path of a PEM file, or none, got off; did you mean none" in said
