"""The command line of `hybridd top`; a terminal is needed for the rest (tests/integration/test_top.py)."""

from __future__ import annotations

import json
from math import inf

import pytest

from hybridd.cli import top
from hybridd.cli.verb import NoAnswerError
from hybridd.errors import UsageError
from hybridd.top.figures import picture
from tests.support.looks import look, worker


@pytest.mark.parametrize(("text", "found"), [("2", 2.0), ("0.5", 0.5), ("500ms", 0.5), ("1m", 60.0)])
def test_a_delay_is_seconds_or_a_duration(text, found):
    assert top.seconds(text) == found


@pytest.mark.parametrize("text", ["0", "-1", "soon", "", "2h"])
def test_other_delays_are_refused(text):
    with pytest.raises(UsageError, match="--delay"):
        top.seconds(text)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://web1:9815/", "web1:9815"),
        ("http://0.0.0.0:9815", "127.0.0.1:9815"),
        ("127.0.0.1:9815", "127.0.0.1:9815"),
        ("unix:/run/admin.sock", "unix:/run/admin.sock"),
    ],
)
def test_an_admin_address_may_be_a_url(url, found):
    assert str(top.admin_address(url)) == found


@pytest.mark.parametrize("url", ["https://web1:9815", "web1", "fd:3", "http://web1"])
def test_other_urls_are_refused(url):
    with pytest.raises(UsageError, match="--admin"):
        top.admin_address(url)


@pytest.mark.parametrize("answer", [[], {}, "x", None, {"pid": 1, "uptime": "x", "workers": []}])
def test_json_of_somebody_else_is_no_answer(answer):
    with pytest.raises(NoAnswerError, match="ours\\?"):
        top.checked(answer, "ours?")


def test_programs_get_no_infinity():
    slow = worker(requests=1, durations=[0, 0, 0, 1], duration_sum=12.0)
    shown = picture(look([worker()], 60.0), look([slow], 61.0))
    assert shown.totals.pace.p99 == inf
    found = json.loads(json.dumps(top.in_json(shown), allow_nan=False))
    assert (found["ok"], found["message"], found["totals"]["pace"]["p99"]) == (True, "running: all ready", None)


def test_without_its_library_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(top, "_is_terminal", lambda: True)
    monkeypatch.setattr(top, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install 'hybridd\[top\]'"):
        top.main(["--control", "/nowhere"])
