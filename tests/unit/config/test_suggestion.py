"""Which setting was meant."""

from __future__ import annotations

import pytest

from hybridd.config.settings import SCHEMA
from hybridd.config.suggestion import suggest_setting, suggest_word


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("worker", "workers"), ("WORKERS", "workers"), ("wrokers", "workers"), ("timeouts.haed", "timeouts.head"),
        ("timeouts.keepalive", "timeouts.keep_alive"), ("timeouts_head", "timeouts.head"),
        ("keep-alive", "timeouts.keep_alive"), ("limits.head", "timeouts.head"), ("bind", "listen"),
        ("t", "timeouts.worker"),
        ("timeout", "timeouts.worker"), ("loglevel", "log.level"), ("log.levle", "log.level"),
        ("accesslog.file", "access_log.file"), ("worker_class", "pattern"), ("graceful", "timeouts.graceful"),
        ("worker_connections", "limits.connections"), ("limits.max_connections", "limits.connections"),
        ("flavour", None), ("", None), ("....", None),
    ],
)  # fmt: skip
def test_a_setting_is_found_by_what_was_probably_meant(written, meant):
    found = suggest_setting(SCHEMA, written)
    assert (found.key if found else None) == meant


def test_words_of_other_programs_are_not_settings_of_ours():
    """A synonym that equals a key would never be reached, and one of two settings would hide the other's."""
    words = [word.lstrip("-").replace("-", "_") for one in SCHEMA.settings.values() for word in one.declaration.also]
    assert len(words) == len(set(words))
    assert not set(words) & set(SCHEMA.settings)


def test_a_word_is_found():
    commands = ("run", "check", "print-config", "health")
    assert suggest_word("rnu", commands) == "run"
    assert suggest_word("print_config", commands) == "print-config"
    assert suggest_word("printconfig", commands) == "print-config"
    assert suggest_word("heatlh", commands) == "health"
    assert suggest_word("shop.wsgi:app", commands) == ""
