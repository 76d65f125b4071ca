"""What the environment and the command line say."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from hybridd.config.declaration import Schema, setting
from hybridd.config.files import UnreadableError
from hybridd.config.listener_words import parse_endpoint
from hybridd.config.settings import SCHEMA
from hybridd.config.text_layers import Flag, environment_layer, flag_layer
from hybridd.config.words import directory


@dataclass(frozen=True, slots=True)
class Vault:
    """A vault."""

    password: str = setting("", directory(), "What opens it.", secret=True)


def read_secret(path):
    if path == "/run/secret":
        return "sesame\n"
    raise UnreadableError("cannot read it: No such file or directory")


def environment(schema=SCHEMA, **variables):
    return environment_layer(schema, variables, read_secret)


def told(layer):
    return [str(problem) for problem in layer.problems]


def test_variables_are_named_after_the_keys():
    layer = environment(
        HYBRIDD_WORKERS="3", HYBRIDD_TIMEOUTS__KEEP_ALIVE="60s", HYBRIDD_LISTEN="unix:/a,unix:/b", PATH="/"
    )
    assert layer.values == {
        "workers": 3,
        "timeouts.keep_alive": 60.0,
        "listen": (parse_endpoint("unix:/a"), parse_endpoint("unix:/b")),
    }
    assert str(layer.origins["workers"]) == "HYBRIDD_WORKERS"
    assert told(layer) == []


def test_a_blank_variable_says_nothing_but_is_mentioned():
    layer = environment(HYBRIDD_WORKERS=" ")
    assert (layer.values, told(layer)) == ({}, [])
    assert layer.warnings == ["HYBRIDD_WORKERS: is blank and says nothing"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("HYBRIDD_WORKER", "; did you mean HYBRIDD_WORKERS"),
        ("HYBRIDD_TIMEOUTS_HEAD", "; did you mean HYBRIDD_TIMEOUTS__HEAD"),
        ("HYBRIDD_TIMEOUTS__HAED", "; did you mean HYBRIDD_TIMEOUTS__HEAD"),
        ("HYBRIDD_BIND", "; did you mean HYBRIDD_LISTEN"),
        ("HYBRIDD_LOG_LEVEL", "; did you mean HYBRIDD_LOG__LEVEL"),
        ("HYBRIDD_PORT", "; did you mean HYBRIDD_LISTEN"),
        ("HYBRIDD_FLAVOUR", ""),
        ("HYBRIDD_", ""),
    ],
)
def test_an_unknown_variable_is_a_problem(name, meant):
    assert told(environment(**{name: "1"})) == [f"{name}: unknown variable{meant}"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("HYBRIDD_SERVICE_HOST", "10.0.0.1"),
        ("HYBRIDD_SERVICE_PORT", "8080"),
        ("HYBRIDD_SERVICE_PORT_HTTP", "8080"),
        ("HYBRIDD_PORT", "tcp://10.0.0.1:8080"),
        ("HYBRIDD_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ("HYBRIDD_PORT_8080_TCP_PROTO", "tcp"),
        ("HYBRIDD_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("HYBRIDD_METRICS_SERVICE_HOST", "10.0.0.1"),
        ("HYBRIDD_METRICS_PORT_9815_TCP_PORT", "9815"),
        ("HYBRIDD_METRICS_PORT", "tcp://10.0.0.1:9815"),
    ],
)
def test_what_kubernetes_says_about_a_service_of_our_name_is_not_for_us(name, text):
    layer = environment(**{name: text})
    assert (layer.values, told(layer)) == ({}, [])


def test_a_wrong_value_names_its_variable():
    assert told(environment(HYBRIDD_TIMEOUTS__HEAD="15")) == [
        "HYBRIDD_TIMEOUTS__HEAD: expected a duration such as 15s, from 100ms to 1h, got 15; did you mean 15s"
    ]


def test_web_concurrency_is_the_number_of_workers():
    layer = environment(WEB_CONCURRENCY="3")
    assert layer.values == {"workers": 3}
    assert str(layer.origins["workers"]) == "WEB_CONCURRENCY"


def test_our_own_variable_is_stronger_than_web_concurrency():
    layer = environment(WEB_CONCURRENCY="3", HYBRIDD_WORKERS="2")
    assert layer.values == {"workers": 2}
    assert told(environment(WEB_CONCURRENCY="three", HYBRIDD_WORKERS="2")) == []


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_a_blank_web_concurrency_says_nothing(blank):
    layer = environment(WEB_CONCURRENCY=blank)
    assert (layer.values, told(layer), layer.warnings) == ({}, [], [])
    assert environment(WEB_CONCURRENCY="3", HYBRIDD_WORKERS=blank).values == {"workers": 3}


@pytest.mark.parametrize("wrong", ["two", "0", "-1", "1.5", "1000"])
def test_a_wrong_web_concurrency_is_told(wrong):
    (message,) = told(environment(WEB_CONCURRENCY=wrong))
    assert message.startswith(f"WEB_CONCURRENCY: expected a whole number from 1 to 512, or auto, got {wrong}")


def test_a_secret_of_the_environment():
    schema = Schema(Vault)
    assert environment(schema, HYBRIDD_PASSWORD="x").values == {"password": "x"}
    assert environment(schema, HYBRIDD_PASSWORD_FILE="/run/secret").values == {"password": "sesame"}
    assert told(environment(schema, HYBRIDD_PASSWORD="a\nb")) == [
        "HYBRIDD_PASSWORD: expected the path of a directory, got a value that is not shown"
    ]
    assert told(environment(schema, HYBRIDD_PASSWORD_FILE="/none")) == [
        "HYBRIDD_PASSWORD_FILE: /none: cannot read it: No such file or directory"
    ]
    assert told(environment(schema, HYBRIDD_PASSWORD="x", HYBRIDD_PASSWORD_FILE="/run/secret")) == [
        "HYBRIDD_PASSWORD_FILE: expected one of HYBRIDD_PASSWORD and HYBRIDD_PASSWORD_FILE, got both"
    ]


def test_of_flags_the_last_counts_and_lists_grow():
    layer = flag_layer(
        SCHEMA,
        {
            "workers": [Flag("-w", "2"), Flag("--workers", "3")],
            "listen": [Flag("-b", "unix:/a"), Flag("--set listen", "unix:/b,unix:/c")],
        },
    )
    assert layer.values["workers"] == 3
    assert str(layer.origins["workers"]) == "--workers"
    assert [str(one) for one in layer.values["listen"]] == ["unix:/a", "unix:/b", "unix:/c"]


def test_every_wrong_flag_is_told_as_it_was_spelled():
    layer = flag_layer(
        SCHEMA, {"workers": [Flag("-w", "x"), Flag("--workers", "3")], "nope": [Flag("--set nope", "1")]}
    )
    assert told(layer) == [
        "-w: expected a whole number from 1 to 512, or auto, got x",
        "--set nope: unknown setting nope",
    ]
