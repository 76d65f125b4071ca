"""The declarations themselves, and the delivered configurations."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from hybridd.config.document import Mapping, parse
from hybridd.config.kind import Raw
from hybridd.config.loading import load
from hybridd.config.patterns import PATTERNS
from hybridd.config.settings import MOST_WORKERS, SCHEMA, Config

CONFIG = Path(__file__).resolve().parents[3] / "config"


@pytest.mark.parametrize("setting", SCHEMA.settings.values(), ids=SCHEMA.settings)
def test_a_default_is_a_value_that_may_be_given(setting):
    assert setting.kind.convert(Raw(setting.kind.text(setting.default))) == setting.default


@pytest.mark.parametrize("setting", SCHEMA.settings.values(), ids=SCHEMA.settings)
def test_a_declaration_is_complete(setting):
    assert re.fullmatch(r"[A-Z].*\.", setting.declaration.help, re.DOTALL)
    assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", setting.key)
    assert all(re.fullmatch(r"-[a-zA-Z]|--[a-z]+(-[a-z]+)*", flag) for flag in setting.declaration.flags)
    assert not setting.declaration.flags or setting.declaration.flags[0].startswith("--")


def test_no_two_settings_share_a_flag_or_a_variable():
    flags = [flag for setting in SCHEMA.settings.values() for flag in setting.declaration.flags]
    assert len(flags) == len(set(flags))
    assert not {"-c", "--config", "--set", "-h", "--help", "--json", "--strict", "--load", "--live"} & set(flags)
    assert len(SCHEMA.by_variable) == len(SCHEMA.settings)


def test_the_defaults_that_are_promised():
    config = Config()
    assert [str(address) for address in config.listen] == ["0.0.0.0:8080"]
    assert str(config.admin) == "127.0.0.1:9815"
    assert (config.backlog, config.workers, config.threads, config.pattern) == (2048, 0, 32, "hybrid")
    timeouts = config.timeouts
    assert (timeouts.head, timeouts.body, timeouts.keep_alive, timeouts.write, timeouts.queue) == (15, 30, 75, 30, 10)
    assert (timeouts.handler, timeouts.graceful, timeouts.boot, timeouts.worker) == (0, 30, 60, 30)
    limits = config.limits
    assert (limits.request_line, limits.headers, limits.header_bytes) == (8192, 100, 32768)
    assert (limits.body, limits.connections) == (64 * 1024 * 1024, 10_000)
    assert (config.reload.settle, config.shutdown.drain_delay, config.shutdown.idle_grace) == (2, 0, 2)
    assert (config.shutdown.linger, config.crash.restarts, config.crash.window) == (0.3, 10, 60)


def test_workers_of_two_generations_fit_the_scoreboard():
    assert MOST_WORKERS * 2 <= 1024


def test_a_configuration_can_be_compared_and_hashed():
    assert Config() == Config()
    assert hash(Config()) == hash(Config())


def written_keys(text):
    """Return the keys of the settings that stand in a YAML text, in their order."""
    document = parse(text)
    assert document.faults == ()
    for entry in document.root.entries:
        if isinstance(entry.value, Mapping):
            yield from (f"{entry.key}.{inner.key}" for inner in entry.value.entries)
        else:
            yield entry.key


def test_the_delivered_configuration_has_every_setting_with_its_default(tmp_path):
    """Also those that are commented out: ``#key: value``, without a space."""
    file = tmp_path / "hybridd.yaml"
    file.write_text(re.sub(r"(?m)^( *)#(?=[a-z_]+: )", r"\1", (CONFIG / "hybridd.yaml").read_text()))
    assert list(written_keys(file.read_text())) == list(SCHEMA.settings)
    assert load([file], {}, {}).config == Config()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_delivered_configuration_leaves_a_pattern_its_own_way(pattern):
    assert load([CONFIG / "hybridd.yaml"], {}, {"pattern": pattern}).config == load([], {}, {"pattern": pattern}).config


def test_each_setting_of_the_delivered_configuration_is_explained():
    """A comment stands before the setting, or before the group of settings that it is in."""
    lines = (CONFIG / "hybridd.yaml").read_text().splitlines()
    explained = False
    for line in lines:
        if line.lstrip().startswith("#"):
            explained = True
        elif not line.strip():
            explained = False
        elif not line.endswith(":"):
            assert explained, f"nothing explains {line!r}"


@pytest.mark.parametrize("name", ["development.yaml", "container.yaml"])
def test_the_other_delivered_configurations_are_valid_and_say_only_what_differs(name):
    text = (CONFIG / name).read_text()
    config = load([CONFIG / name], {}, {}).config
    assert config != Config()
    same = [key for key in written_keys(text) if SCHEMA.get(config, key) == SCHEMA.get(Config(), key)]
    assert set(same) <= {"listen"}


def test_the_configuration_of_a_container_lets_prometheus_in():
    assert load([CONFIG / "container.yaml"], {}, {}).config.admin.wildcard


def test_every_section_is_a_dataclass_with_a_sentence():
    for one in fields(Config):
        if is_dataclass(one.default) and "declaration" not in one.metadata and type(one.default).__name__ != "Address":
            assert type(one.default).__doc__.strip().endswith(".")
