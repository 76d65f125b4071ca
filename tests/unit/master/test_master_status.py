from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hybridd.config.settings import Config
from hybridd.master import events
from hybridd.master.children import TICKETS, Drain, Patience, Why
from hybridd.master.crash_policy import CrashPolicy
from hybridd.master.deaths import REPLACED, Remains, certify
from hybridd.master.fold import fold
from hybridd.master.state import State, first_state
from hybridd.master.status import History, Sources, facts, name_of, readiness, report, sentence
from hybridd.master.vitals import Vitals
from hybridd.ops.scoreboard import Scoreboard
from hybridd.worker import words

NOW = 10.0


def after(state: State, *happened: events.Event) -> State:
    for event in happened:
        state = fold(state, event, NOW)
    return state


def start(workers: int = 2) -> State:
    return first_state(workers, Patience(), CrashPolicy(restarts=2), drain_delay=0.0, slots=8)


def running(workers: int = 2) -> State:
    state = after(start(workers), events.Spawned(0, 100, 1), events.BecameReady(100), events.Promoted(1))
    for slot in range(1, workers):
        state = after(state, events.Spawned(slot, 100 + slot, 1), events.BecameReady(100 + slot))
    return state


def degraded() -> State:
    state = running()
    for pid in (200, 201):
        state = after(state, events.Spawned(5, pid, 1), events.Died(pid, True, "x"))
    return state


READ = events.ConfigurationRead(2, Patience(), CrashPolicy())


@pytest.mark.parametrize(
    ("state", "name", "said"),
    [
        (start(), "starting", "starting: 0 of 2 workers ready"),
        (running(), "running", "running: 2 of 2 workers ready, generation 1"),
        (running(1), "running", "running: 1 of 1 worker ready, generation 1"),
        (
            after(running(), events.ReloadAsked(), READ),
            "reloading",
            "reloading: 2 of 2 workers ready, generation 1, 2 is on trial",
        ),
        (
            after(running(), events.ReloadAsked(), events.ConfigurationRefused("what?")),
            "running",
            "running: 2 of 2 workers ready, generation 1; last reload refused: what?",
        ),
        (
            degraded(),
            "degraded",
            "degraded: 2 of 2 workers ready, generation 1; 2 or more workers crashed within 60 s",
        ),
        (after(running(), events.StopAsked()), "stopping", "stopping: 2 workers left"),
    ],
)
def test_one_word_and_one_sentence_for_every_state(state, name, said):
    assert (name_of(state, NOW), sentence(state, NOW)) == (name, said)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (start(), (False, "not ready: no worker is ready yet")),
        (running(), (True, "ready: 2 of 2 workers")),
        (after(running(), events.Died(100, False, "x")), (True, "ready: 1 of 2 workers")),
        (after(running(1), events.Died(100, False, "x")), (False, "not ready: no worker is ready")),
        (after(running(), events.StopAsked()), (False, "not ready: hybridd is stopping")),
        (
            degraded(),
            (True, "ready: 2 of 2 workers; degraded: 2 or more workers crashed within 60 s"),
        ),
    ],
)
def test_readiness_has_a_reason(state, expected):
    assert readiness(state, NOW) == expected


@pytest.fixture
def sources():
    scoreboard = Scoreboard.create(words.LAYOUT, rows=8)
    return Sources(scoreboard, Vitals(scoreboard), History(started=0.0, reload_timestamp=1000.0), tuple, (), None)


def test_the_report_is_json_and_has_every_worker(sources):
    row = sources.scoreboard.claim(1)
    row.words[words.HEARTBEAT] = int(9.5e9)
    row.words[words.CONNECTIONS] = 7
    found = json.loads(json.dumps(report(running(), Config(application="shop:app"), sources, NOW)))
    assert found["state"] == "running"
    assert found["application"] == "shop:app"
    assert [worker["slot"] for worker in found["workers"]] == [0, 1]
    assert found["workers"][0]["heartbeat_age"] is None
    assert found["workers"][1]["heartbeat_age"] == 0.5
    assert found["workers"][1]["connections"] == 7
    assert found["workers"][1]["calls"] == []
    assert found["workers"][1]["busy_for"] is None
    assert found["deaths"] == {"total": 0, "by_cause": {}, "last": None, "kept": []}
    assert found["reload"]["successful"] is True


def test_the_manual_names_all_of_the_report(sources):
    page = (Path(__file__).resolve().parents[3] / "docs" / "operations.md").read_text()
    manual = page.partition("\n### Status\n")[2].partition("\n### ")[0]
    found = report(running(1), Config(), sources, NOW)
    for name in [*found, *found["workers"][0]]:
        assert re.search(rf"`{name}(\[\])?`", manual), f"{name} is in /status, and not in docs/operations.md"


def test_the_report_has_what_two_looks_can_be_compared_by(sources):
    row = sources.scoreboard.claim(0)
    row.store(words.LAYOUT.start("http_duration"), [3, 0, 1, *[0] * 9, 1_500_000_000])
    row.words[words.CONNECTIONS_ACCEPTED] = 9
    row.words[words.BUSY_SINCE] = int(8.5e9)
    words.write_call(
        row, 0, words.CallState.QUEUED, int(9e9), int(8e9), request_id="7f", method="GET", path="/caf\xc3\xa9"
    )
    words.write_call(row, 5, words.CallState.RUNNING, int(4e9), 0, request_id="7e", method="PUT", path="/")
    found = json.loads(json.dumps(report(running(1), Config(), sources, NOW)))
    [worker] = found["workers"]
    assert len(found["duration_bounds"]) + 1 == len(worker["durations"])
    assert (worker["durations"][:3], worker["duration_sum"], worker["accepted"]) == ([3, 0, 1], 1.5, 9)
    assert worker["busy_for"] == 1.5
    assert worker["calls"] == [
        {"state": "running", "age": 6.0, "method": "PUT", "path": "/", "request": "7e"},
        {"state": "queued", "age": 1.0, "method": "GET", "path": "/café", "request": "7f"},
    ]


def test_deaths_are_counted_and_the_last_is_told(sources):
    state = after(running(), events.Signalled(Drain(100, Why.RELOAD)))
    history = sources.history
    history.note_death(certify(state.children[100], Remains(0), NOW), 1.5, replaced=True)
    history.note_death(certify(state.children[101], Remains(-9), NOW), 2.0, replaced=False)
    found = report(state, Config(), sources, NOW)["deaths"]
    assert (found["total"], found["by_cause"]) == (2, {"reload": 1, "signal": 1})
    assert found["last"]["what"] == "worker=1 gen=1 pid=101 was killed by SIGKILL"
    assert dict(history.restarts) == {**dict.fromkeys(REPLACED, 0), "reload": 1}
    assert history.reaped_cpu == {0: 1.5, 1: 2.0}


def test_what_the_metrics_are_told_has_every_label_from_the_start(sources):
    found = facts(start(), sources, NOW)
    assert set(found.restarts) == set(REPLACED)
    assert sum(found.workers.values()) == 0
    assert {"booting", "ready", "draining"} < set(found.workers)
    assert facts(running(), sources, NOW).pids == {0: 100, 1: 101}
    assert found.degraded == {"crashes": False, "refused_code": False}
    assert facts(degraded(), sources, NOW).degraded == {"crashes": True, "refused_code": False}


def test_how_much_memory_a_worker_really_costs_is_told_as_far_as_it_is_known(sources):
    sources.vitals.scales.weights = {100: 5000, 101: 0}
    assert facts(running(), sources, NOW).proportional == {0: 5000}
    assert [worker["pss"] for worker in report(running(), Config(), sources, NOW)["workers"]] == [5000, None]


def test_a_worker_that_is_not_born_yet_has_no_pid(sources):
    state = after(start(), events.Spawned(0, TICKETS, 1))
    assert report(state, Config(), sources, NOW)["workers"][0]["pid"] == 0
