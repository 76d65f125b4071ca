"""What a reload changes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hybridd.config.address import parse_address
from hybridd.config.declaration import Schema, setting
from hybridd.config.difference import compare, difference
from hybridd.config.settings import Config, Timeouts
from hybridd.config.words import directory


@dataclass(frozen=True, slots=True)
class Vault:
    """A vault."""

    password: str = setting("", directory(), "What opens it.", secret=True)


OLD = Config()


def test_nothing_differs():
    found = difference(OLD, Config())
    assert (found.needs_restart, found.sentence) == ((), "no setting differs")


def test_what_a_reload_changes():
    found = difference(OLD, replace(OLD, workers=4, application="shop:app", timeouts=Timeouts(head=20.0)))
    assert found.needs_restart == ()
    assert found.sentence == (
        'a reload changes application ("" to shop:app), workers (auto to 4) and timeouts.head (15s to 20s)'
    )


def test_what_a_reload_cannot_change_and_why():
    found = difference(OLD, replace(OLD, admin=None, threads=8))
    assert found.needs_restart == ("admin",)
    assert found.sentence == (
        "a reload changes threads (32 to 8); admin (127.0.0.1:9815 to off) needs an upgrade or a restart,"
        " because the master binds its own sockets once, when it starts"
    )


def test_reasons_are_said_once():
    found = difference(OLD, replace(OLD, admin=parse_address("unix:/a"), control="off"))
    assert found.sentence == (
        "admin (127.0.0.1:9815 to unix:/a) and control (auto to off) need an upgrade or a restart,"
        " because the master binds its own sockets once, when it starts"
    )


def test_a_secret_is_not_said():
    found = compare(Schema(Vault), Vault("old"), Vault("new"))
    assert found.sentence == "a reload changes password (a secret to another)"
