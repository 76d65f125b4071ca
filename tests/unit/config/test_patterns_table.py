"""The table of patterns, and what it makes of a configuration."""

from __future__ import annotations

import pytest

from hybridd.config.loading import load
from hybridd.config.patterns import DISPATCHES, ONE, PATTERNS, PER_CPU, implied, name_of
from hybridd.config.settings import SCHEMA


def loaded(**flags):
    return load([], {}, {key.replace("__", "."): value for key, value in flags.items()})


@pytest.mark.parametrize(
    ("pattern", "pair"),
    {
        "serial": (1, "serial"),
        "process": (1, "fork"),
        "thread": (1, "thread"),
        "prefork": (0, "serial"),
        "pool": (1, "pool"),
        "reactor": (1, "reactor"),
        "hybrid": (0, "hybrid"),
    }.items(),
)
def test_a_pattern_is_a_pair(pattern, pair):
    config = loaded(pattern=pattern).config
    assert (config.workers, config.dispatch) == pair
    assert name_of(*pair) == pattern


def test_every_dispatch_is_in_a_pattern_and_every_default_is_a_setting():
    assert {pattern.dispatch for pattern in PATTERNS.values()} == set(DISPATCHES)
    for dispatch in DISPATCHES.values():
        for key, value in dispatch.defaults.items():
            setting = SCHEMA.settings[key]
            assert setting.default != value
            assert setting.kind.text(value)


def test_several_workers_without_a_name():
    assert name_of(2, "thread") is None
    assert name_of(3, "serial") == "prefork"


@pytest.mark.parametrize(
    ("flags", "values"),
    [
        ({"pattern": "thread", "workers": "4"}, {"workers": 4, "dispatch": "thread"}),
        ({"pattern": "thread", "workers": "auto"}, {"workers": PER_CPU}),
        ({"pattern": "serial", "dispatch": "pool"}, {"workers": ONE, "dispatch": "pool", "timeouts.head": 15.0}),
        ({"dispatch": "serial"}, {"workers": PER_CPU, "timeouts.head": 2.0, "timeouts.keep_alive": 0.0}),
        ({"pattern": "serial", "timeouts.head": "9s"}, {"timeouts.head": 9.0, "timeouts.keep_alive": 0.0}),
        ({"pattern": "process", "timeouts.keep_alive": "9s"}, {"timeouts.keep_alive": 9.0}),
    ],
)
def test_what_is_said_wins_over_the_pattern(flags, values):
    config = loaded(**{key.replace(".", "__"): value for key, value in flags.items()}).config
    assert {key: SCHEMA.get(config, key) for key in values} == values


def test_the_origin_of_a_value_names_the_pattern_or_the_dispatch():
    origins = loaded(pattern="serial").origins
    assert str(origins["workers"]) == str(origins["timeouts.head"]) == "pattern serial"
    assert str(loaded(dispatch="fork").origins["timeouts.keep_alive"]) == "dispatch fork"
    assert str(loaded().origins["workers"]) == "default"


def test_the_default_pattern_implies_nothing():
    assert list(implied("hybrid", None)) == []


def test_a_wrong_pattern_implies_nothing_and_is_refused_once():
    with pytest.raises(
        Exception, match=r"^--set pattern: expected serial, process, .* got sync; did you mean prefork$"
    ):
        loaded(pattern="sync")


def test_a_reload_may_change_the_pattern(tmp_path):
    file = tmp_path / "hybridd.yaml"
    file.write_text("pattern: thread\n")
    before = load([file], {}, {})
    file.write_text("pattern: serial\n")
    after = before.reload().config
    assert (after.dispatch, after.timeouts.keep_alive) == ("serial", 0.0)
