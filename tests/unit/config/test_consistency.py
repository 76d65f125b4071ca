"""Settings that are right one by one and wrong together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hybridd.config.address import parse_address
from hybridd.config.consistency import contradictions
from hybridd.config.listener_words import parse_endpoint
from hybridd.config.settings import Config, Limits


def listening(*addresses, admin="off"):
    return Config(listen=tuple(map(parse_endpoint, addresses)), admin=None if admin == "off" else parse_address(admin))


def test_the_defaults_agree():
    assert list(contradictions(Config())) == []


@pytest.mark.parametrize(
    ("config", "keys"),
    [
        (Config(application="a:b", protocol="c:d"), ("protocol", "application")),
        (Config(factory=True), ("factory", "application", "protocol")),
        (Config(limits=Limits(response_spool=4096)), ("limits.response_spool", "limits.response_memory")),
        (listening("127.0.0.1:80", "127.0.0.1:80"), ("listen",)),
        (listening("0.0.0.0:80", "127.0.0.1:80"), ("listen",)),
        (listening("[::1]:80", "[::]:80"), ("listen",)),
        (listening("unix:/a", "unix:/a"), ("listen",)),
        (listening("fd:3", "fd:3"), ("listen",)),
        (listening("0.0.0.0:80", admin="127.0.0.1:80"), ("admin", "listen")),
        (listening("systemd:a", admin="systemd:a"), ("admin", "listen")),
    ],
)
def test_contradictions_name_the_settings_concerned(config, keys):
    ((found, text),) = contradictions(config)
    assert found == keys
    assert text.startswith("expected ")


@pytest.mark.parametrize(
    "config",
    [
        Config(application="a:b", factory=True),
        Config(protocol="a:b", factory=True),
        listening("0.0.0.0:80", "[::]:80"),
        listening("127.0.0.1:0", "127.0.0.1:0", admin="127.0.0.1:0"),
        listening("127.0.0.1:80", "127.0.0.2:80"),
        listening("127.0.0.1:80", admin="127.0.0.1:81"),
        listening("unix:/a", "unix:/b"),
        replace(Config(), admin=None),
    ],
)
def test_what_only_looks_like_a_contradiction_is_none(config):
    assert list(contradictions(config)) == []
