"""What people see of /status."""

from __future__ import annotations

import pytest

from hybridd.cli.status import age, deaths, overview

ANSWER = {
    "status": "running: 1 of 1 worker ready",
    "version": "1.0",
    "pid": 7,
    "uptime": 65.0,
    "application": "shop:app",
    "listeners": [{"address": "0.0.0.0:8080"}],
    "admin": ["127.0.0.1:9815"],
    "fork_servers": [{"pid": 9, "generation": 2, "state": "ready", "rss": 70 << 20}],
    "deaths": {
        "by_cause": {"oom": 1},
        "kept": [{"age": 3.0, "what": "worker=0 was killed", "uptime": 7.0, "requests": 5, "rss": 3 << 20}],
    },
    "workers": [
        {
            "slot": 0,
            "pid": 8,
            "generation": 2,
            "state": "draining",
            "why": "reload",
            "uptime": 4.5,
            "rss": 52 << 20,
            "pss": None,
            "connections": 3,
            "calls_running": 1,
            "calls_queued": 0,
            "requests": 99,
        }
    ],
}


def test_the_overview():
    assert overview(ANSWER).splitlines() == [
        "running: 1 of 1 worker ready",
        "hybridd 1.0, pid 7, up 1m05s: shop:app",
        "listening on 0.0.0.0:8080",
        "admin on 127.0.0.1:9815",
        "fork server of generation 2: pid 9, ready, 70M",
        "ended workers: 1 oom (hybridd status --deaths)",
        "",
        "slot  pid  gen              state  up  rss  pss  connections  running  queued  requests",
        "   0    8    2  draining (reload)  4s  52M    -            3        1       0        99",
    ]


def test_deaths():
    assert deaths(ANSWER) == "3s ago: worker=0 was killed; lived 7s, 5 requests, 3M"
    assert deaths({"deaths": {"kept": []}}) == "no worker has ended yet"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.9, "0s"), (59, "59s"), (184, "3m04s"), (7500, "2h05m"), (273600, "3d04h")]
)
def test_ages(seconds, text):
    assert age(seconds) == text
