"""The dashboard in a real browser: what it shows, that nothing becomes markup, when it looks and when it does not."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import asdict
from math import inf

import pytest

from hybridd.top.figures import picture
from tests.support.browser import Browser
from tests.support.looks import busy_look, call, look, worker
from tests.support.server import ServerProcess
from tests.support.waiting import pass_time, wait_until

SERVICE = {"application": "service:app", "admin": "127.0.0.1:0"}
MARKUP = "/<img src=x onerror=alert(1)>&amp;<b>"
FURTHER = {  # what a look for `hybridd top` need not have
    "pattern": "hybrid",
    "generation": 1,
    "trial": None,
    "reload": {"successful": True, "reason": None, "age": None},
    "upgrade": {"successor": None, "failure": None, "age": None},
    "deaths": {"by_cause": {}, "kept": []},
    "listeners": [{"address": "127.0.0.1:1", "words": "", "accept_queue": None}],
}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture
def server(serve: Callable[..., ServerProcess], browser: Browser) -> ServerProcess:
    """A server whose dashboard is open and has been answered."""
    server = serve(SERVICE, wait=False)
    server.admin = server.wait_log(r"admin on (127\.0\.0\.1:\d+)")[1]
    server.wait_ready()
    browser.open(f"http://{server.admin}/")
    browser.wait_text("#state", "running")
    return server


def looks(browser: Browser) -> int:
    browser.value("0")  # what has happened until now is read
    return sum(address.endswith("/status") for address in browser.asked)


def shown(browser: Browser, now: dict[str, object], selector: str) -> str:
    """Return how an element reads when the page shows this look, before a real one takes its place."""
    expression = f"show(null, {json.dumps(now)}), document.querySelector({json.dumps(selector)}).innerText"
    return str(browser.value(expression))


def test_it_shows_how_the_server_is_and_asks_nobody_else(server, browser):
    for _ in range(5):
        server.fetch("/")
    assert browser.text("#what") == "service:app"
    assert browser.text("#sentence") == server.status()["status"]
    pids = browser.value("[...document.querySelectorAll('#workers tr')].map(row => row.cells[1].innerText)")
    assert pids == [str(worker["pid"]) for worker in server.workers()]
    seen = look_at_requests(server, browser)
    assert float(seen.replace(",", "")) > 0
    assert not browser.complaints
    assert {address.rpartition("/")[0] for address in browser.asked if not address.startswith("data:")} == {
        f"http://{server.admin}"
    }


def look_at_requests(server: ServerProcess, browser: Browser) -> str:
    """Ask until the tile of requests has a figure; return that."""

    def figure() -> str:
        server.fetch("/")
        text = browser.text("#requests strong")
        return text if text not in {"-", "0"} else ""

    return wait_until(figure, within=20, what=lambda: f"requests: {browser.complaints}")


def test_what_comes_from_outside_is_text(server, browser):
    now = look(
        [worker(threads=32, busy_for=None, calls=[call(MARKUP + "\u202e\n\x1b[2J")])],
        **{**FURTHER, "status": MARKUP, "application": MARKUP},
    )
    assert MARKUP + "\\u{202e}\n\\u{1b}[2J" in shown(browser, now, "#running")
    assert shown(browser, now, "#sentence") == MARKUP
    assert shown(browser, now, "#what") == MARKUP
    assert browser.value("document.querySelectorAll('img, b').length") == 0


def test_a_defect_of_the_script_could_not_make_markup_either(server, browser):
    refused = "try { document.body.innerHTML = '<b>x</b>'; 'done' } catch (error) { error.name }"
    assert browser.value(refused) == "TypeError"
    assert browser.value("try { eval('1') } catch (error) { error.name }") == "EvalError"


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (busy_look(0.0), busy_look(1.5)),
        (look([worker(0)]), look([worker(1, requests=8, accepted=2, durations=[4, 3, 0, 1], duration_sum=2.0)], 62.0)),
        (look([worker(durations=[0, 0, 0, 9], requests=9)]), look([worker(durations=[1, 0, 0, 9], requests=10)], 61.0)),
        (look([worker(cpu_seconds=None)]), look([worker(cpu_seconds=0.25)], 61.0)),
    ],
)
def test_its_figures_are_those_of_hybridd_top(server, browser, before, now):
    asked = f"paces({json.dumps(before)}, {json.dumps(now)})"
    found = json.loads(browser.value(f"JSON.stringify({asked}, (_, it) => it === Infinity ? 'inf' : it)"))
    expected = picture(before, now)
    for pace, wanted in [
        (found["all"], expected.totals.pace),
        *zip(found["each"], (one.pace for one in expected.workers), strict=True),
    ]:
        figures = {name: inf if value == "inf" else value for name, value in pace.items()}
        assert figures == pytest.approx(asdict(wanted), nan_ok=False)


def test_a_death_and_a_refused_reload_are_told(server, browser):
    pid = server.workers()[0]["pid"]
    os.kill(pid, signal.SIGKILL)
    assert f"pid={pid}" in browser.wait_text("#deaths", "SIGKILL")
    assert browser.text("#causes") == "signal 1"
    server.configure({**SERVICE, "threads": 0})
    server.signal(signal.SIGHUP)
    assert "threads" in browser.wait_text("#reload", "refused")
    assert not browser.complaints


def test_a_master_that_does_not_answer_is_shown_as_such_until_it_does(server, browser):
    server.signal(signal.SIGSTOP)
    try:
        browser.wait_text("#sentence", "The master has not answered for")
        assert browser.text("#state") == "no answer"
        assert browser.value("document.body.className") == "lost"
        assert len(browser.text("#workers").splitlines()) == 2, "the last figures stay"
    finally:
        server.signal(signal.SIGCONT)
    browser.wait_text("#state", "running")
    assert browser.value("document.body.className") == ""


def test_a_master_that_is_gone_is_shown_as_such(server, browser):
    server.stop()
    browser.wait_text("#state", "no answer")


def test_a_hidden_page_does_not_look(server, browser):
    with browser.hidden():
        wait_until(lambda: not browser.value("asking"), within=10, what="the look under way is over")
        before = looks(browser)
        pass_time(3.0)
        assert looks(browser) == before
    wait_until(lambda: looks(browser) > before + 1, within=10, what="it looks again, and goes on")
