"""All layers together: precedence, origins, several files, loading again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from hybridd.config.address import parse_address
from hybridd.config.declaration import Schema, setting
from hybridd.config.listener_words import parse_endpoint
from hybridd.config.loading import Flag, Origin, Source, Sources, find, gather, load
from hybridd.config.problem import Mark
from hybridd.config.settings import SCHEMA, Config
from hybridd.config.words import directory
from hybridd.errors import ConfigurationError, ExitCode


@pytest.fixture
def file(tmp_path):
    """Write a file and return its name, relative to tmp_path."""

    def write(text, name="hybridd.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        return Path(name)

    return write


def problems(files, environment=None, flags=None, directory=None):
    with pytest.raises(ConfigurationError) as caught:
        load(files, environment or {}, flags or {}, directory)
    assert caught.value.exit_code is ExitCode.CONFIGURATION
    return list(caught.value.problems)


def test_without_anything_there_are_the_defaults():
    loaded = load([], {}, {})
    assert loaded.config == Config()
    assert set(loaded.origins) == set(SCHEMA.settings)
    assert set(loaded.origins.values()) == {Origin()}
    assert loaded.warnings == ()


@pytest.mark.parametrize(
    ("layers", "value", "origin"),
    [
        ("", 32, "default"),
        ("yaml", 4, "hybridd.yaml:1:1"),
        ("yaml variable", 5, "HYBRIDD_THREADS"),
        ("yaml variable flag", 6, "--threads"),
        ("yaml flag", 6, "--threads"),
        ("variable", 5, "HYBRIDD_THREADS"),
        ("flag", 6, "--threads"),
    ],
)
def test_the_strongest_layer_counts_and_is_the_origin(file, tmp_path, layers, value, origin):
    files = [file("threads: 4\n")] if "yaml" in layers else []
    environment = {"HYBRIDD_THREADS": "5"} if "variable" in layers else {}
    flags = {"threads": [Flag("--threads", "6")]} if "flag" in layers else {}
    loaded = load(files, environment, flags, tmp_path)
    assert loaded.config.threads == value
    assert str(loaded.origins["threads"]) == origin


def test_an_origin_knows_its_source(file, tmp_path):
    loaded = load([file("log:\n  level: debug\n")], {"WEB_CONCURRENCY": "3"}, {"chdir": "/"}, tmp_path)
    assert loaded.origins["log.level"] == Origin(Source.FILE, "hybridd.yaml", Mark(2, 3))
    assert loaded.origins["workers"] == Origin(Source.ENVIRONMENT, "WEB_CONCURRENCY")
    assert loaded.origins["chdir"] == Origin(Source.FLAG, "--set chdir")


def test_a_later_file_wins_setting_by_setting_and_a_list_as_a_whole(file, tmp_path):
    one = file("workers: 2\nlisten: [unix:/a, unix:/b]\ntimeouts: {head: 5s, body: 6s}\n", "a.yaml")
    two = file("threads: 3\nlisten: unix:/c\ntimeouts: {body: 7s}\n", "b.yaml")
    config = load([one, two], {}, {}, tmp_path).config
    assert (config.workers, config.threads) == (2, 3)
    assert config.listen == (parse_endpoint("unix:/c"),)
    assert (config.timeouts.head, config.timeouts.body) == (5.0, 7.0)


def test_a_directory_is_its_yaml_files_in_order(file, tmp_path):
    file("workers: 2\nthreads: 2\n", "conf.d/10.yaml")
    file("workers: 3\n", "conf.d/20.yaml")
    file("workers: 9\n", "conf.d/30.yml")
    loaded = load([Path("conf.d")], {}, {}, tmp_path)
    assert (loaded.config.workers, loaded.config.threads) == (3, 2)
    assert str(loaded.origins["workers"]) == "conf.d/20.yaml:1:1"
    assert loaded.warnings == ("conf.d/30.yml: is not read, its name does not end in .yaml",)


def test_all_problems_of_all_sources_are_told_at_once_in_their_order(file, tmp_path):
    one = file("workers: x\n", "a.yaml")
    two = file("threads: y\n", "b.yaml")
    assert problems(
        [one, two, Path("none.yaml")],
        {"HYBRIDD_BACKLOG": "z", "HYBRIDD_NONSENSE": "1", "WEB_CONCURRENCY": "w"},
        {"log.level": [Flag("--log-level", "loud")]},
        tmp_path,
    ) == [
        "a.yaml:1:10: workers: expected a whole number from 1 to 512, or auto, got x",
        "b.yaml:1:10: threads: expected a whole number from 1 to 1024, got y",
        "none.yaml: cannot read it: No such file or directory",
        "WEB_CONCURRENCY: expected a whole number from 1 to 512, or auto, got w",
        "HYBRIDD_BACKLOG: expected a whole number from 1 to 65535, got z",
        "HYBRIDD_NONSENSE: unknown variable",
        "--log-level: expected debug, info, warning or error, got loud",
    ]


def test_a_wrong_value_is_told_even_if_a_stronger_layer_replaces_it(file, tmp_path):
    assert len(problems([file("workers: x\n")], {"HYBRIDD_WORKERS": "2"}, {}, tmp_path)) == 1


def test_a_contradiction_names_where_both_sides_come_from(file, tmp_path):
    assert problems([file("application: a:b\n")], {}, {"protocol": [Flag("--protocol", "c:d")]}, tmp_path) == [
        "--protocol: expected either application or protocol, got both (application is from hybridd.yaml:1:1)"
    ]
    assert problems([], {"HYBRIDD_ADMIN": "127.0.0.1:8080"}) == [
        "HYBRIDD_ADMIN: expected an address of its own, got 127.0.0.1:8080 while listen has 0.0.0.0:8080"
    ]
    assert problems([], {}, {"listen": [Flag("-b", "127.0.0.1:9815")]}) == [
        "-b: expected an address of its own, got 127.0.0.1:9815 while listen has 127.0.0.1:9815"
    ]


def test_a_wrong_setting_is_not_also_told_as_a_contradiction():
    assert len(problems([], {"HYBRIDD_ADMIN": "127.0.0.1:8080", "HYBRIDD_LISTEN": "8080"})) == 1


def test_the_command_line_can_take_back_what_a_file_says(file, tmp_path):
    loaded = load([file("application: a:b\n")], {}, {"application": "", "protocol": "c:d"}, tmp_path)
    assert (loaded.config.application, loaded.config.protocol) == ("", "c:d")


def test_loading_again_sees_what_has_changed_and_nothing_else(file, tmp_path):
    name = file("workers: 2\n")
    environment = {"HYBRIDD_THREADS": "3"}
    loaded = load([name], environment, {"backlog": "5"}, tmp_path)
    file("workers: 4\n")
    environment["HYBRIDD_THREADS"] = "9"
    again = loaded.reload()
    assert (again.config.workers, again.config.threads, again.config.backlog) == (4, 3, 5)
    assert again.sources == loaded.sources


def test_a_failed_loading_again_leaves_the_old_one_usable(file, tmp_path):
    name = file("workers: 2\n")
    loaded = load([name], {}, {}, tmp_path)
    file("workers: [\n")
    with pytest.raises(ConfigurationError):
        loaded.reload()
    file("workers: 3\n")
    assert loaded.config.workers == 2
    assert loaded.reload().config.workers == 3


def test_relative_files_stay_where_they_were_when_the_directory_changes(file, tmp_path, monkeypatch):
    name = file("workers: 2\n")
    monkeypatch.chdir(tmp_path)
    loaded = load([name], {}, {})
    monkeypatch.chdir("/")
    assert loaded.reload().config.workers == 2


def test_the_environment_is_not_shown_in_a_log_by_accident():
    assert "hunter2" not in repr(load([], {"PASSWORD": "hunter2"}, {}))


@dataclass(frozen=True, slots=True)
class Vault:
    """A vault."""

    password: str = setting("", directory(), "What opens it.", secret=True)


def test_the_file_of_a_secret_is_read_relative_to_where_files_begin(file, tmp_path):
    file("sesame\n", "secret")
    sources = Sources((file("password_file: secret\n"),), {}, {}, tmp_path)
    assert gather(Schema(Vault), sources).values == {"password": "sesame"}


def test_one_setting_is_found_even_if_others_are_wrong(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = file("workers: x\nworkers: 3\nadmin: unix:/a\nhtreads: 2\n")
    assert find("admin", [name], {}, {}) == parse_address("unix:/a")
    assert find("admin", [name], {"HYBRIDD_ADMIN": "off"}, {}) is None
    assert find("admin", [], {}, {}) == Config().admin


@pytest.mark.parametrize("text", ["admin: no\n", "admin: [\n", "\x00"])
def test_one_setting_is_not_guessed_when_it_cannot_be_known(file, tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError):
        find("admin", [file(text)], {}, {})


def test_one_setting_of_a_file_that_is_not_there_is_not_guessed(tmp_path):
    with pytest.raises(ConfigurationError):
        find("admin", [tmp_path / "none.yaml"], {}, {})
