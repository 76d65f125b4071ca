"""Wrong configurations, each with exactly what is said about it.

Each file of wrong/ begins with ``# expect: LINE:COLUMN: message`` for every problem, in their order.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridd.config.loading import Flag, load
from hybridd.errors import ConfigurationError

WRONG = Path(__file__).parent / "wrong"
FILES = sorted(WRONG.glob("*.yaml"))
EXPECT = "# expect: "


def told(files, environment, flags):
    with pytest.raises(ConfigurationError) as caught:
        load(files, environment, flags, WRONG)
    return list(caught.value.problems)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_wrong_file_is_told_exactly(path):
    lines = path.read_bytes().decode(errors="replace").splitlines()
    expected = [f"{path.name}:{line.removeprefix(EXPECT)}" for line in lines if line.startswith(EXPECT)]
    assert told([Path(path.name)], {}, {}) == expected


def test_there_are_enough_of_them():
    assert len(FILES) >= 100


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"HYBRIDD_WORKERS": "many"}, "HYBRIDD_WORKERS: expected a whole number from 1 to 512, or auto, got many"),
        (
            {"HYBRIDD_TIMEOUTS__GRACEFUL": "30"},
            "HYBRIDD_TIMEOUTS__GRACEFUL: expected a duration such as 30s, from 0s to 1d, got 30; did you mean 30s",
        ),
        (
            {"HYBRIDD_LISTEN": "0.0.0.0:80 0.0.0.0:81"},
            (
                "HYBRIDD_LISTEN: expected an address and perhaps tls, certificate, key, client_certificates, client_ca,"
                " proxy_protocol"
                ' behind it, got "0.0.0.0:80 0.0.0.0:81"'
            ),
        ),
        ({"HYBRIDD_TIMEOUT": "30s"}, "HYBRIDD_TIMEOUT: unknown variable; did you mean HYBRIDD_TIMEOUTS__WORKER"),
        ({"HYBRIDD_LOG_LEVEL": "info"}, "HYBRIDD_LOG_LEVEL: unknown variable; did you mean HYBRIDD_LOG__LEVEL"),
        ({"WEB_CONCURRENCY": "two"}, "WEB_CONCURRENCY: expected a whole number from 1 to 512, or auto, got two"),
        (
            {"HYBRIDD_FACTORY": "yes"},
            "HYBRIDD_FACTORY: expected true or false, got yes; did you mean true",
        ),
    ],
)
def test_a_wrong_variable_is_told_exactly(environment, message):
    assert told([], environment, {}) == [message]


@pytest.mark.parametrize(
    ("key", "flag", "message"),
    [
        ("workers", Flag("-w", "0"), "-w: expected a whole number from 1 to 512, or auto, got 0; did you mean auto"),
        (
            "timeouts.worker",
            Flag("-t", "30"),
            "-t: expected a duration such as 30s, from 2s to 1d, got 30; did you mean 30s",
        ),
        (
            "pattern",
            Flag("-k", "gthread"),
            "-k: expected serial, process, thread, prefork, pool, reactor or hybrid, got gthread; did you mean hybrid",
        ),
        (
            "application",
            Flag("MODULE:CALLABLE", "app.py"),
            (
                "MODULE:CALLABLE: expected MODULE:CALLABLE such as shop.wsgi:application, got app.py;"
                " did you mean app:application"
            ),
        ),
        (
            "limits.body",
            Flag("--set limits.body", "1G"),
            "--set limits.body: expected a size such as 64MiB, from 1B to 1TiB, got 1G; did you mean 1GiB",
        ),
    ],
)
def test_a_wrong_flag_is_told_exactly(key, flag, message):
    assert told([], {}, {key: [flag]}) == [message]
