from __future__ import annotations

import signal

import pytest

from hybridd.master.children import Child, Patience, Phase, Why
from hybridd.master.deaths import PLANNED, REPLACED, Cause, Remains, cause_of, certify, last_line


def child(phase=Phase.READY, why=Why.NONE, *, served=True):
    return Child(
        slot=3,
        pid=417,
        generation=2,
        phase=phase,
        born=100.0,
        since=100.0,
        patience=Patience(boot=60.0),
        served_since=101.0 if served else None,
        why=why,
    )


def died(worker, status=0, **remains):
    return certify(worker, Remains(status, **remains), 112.5)


@pytest.mark.parametrize(
    ("worker", "remains", "cause"),
    [
        (child(), Remains(7), Cause.EXIT),
        (child(), Remains(0), Cause.EXIT),
        (child(Phase.BOOTING, served=False), Remains(70), Cause.BOOT),
        (child(Phase.BOOTING, served=False), Remains(-signal.SIGSEGV), Cause.SIGNAL),
        (child(), Remains(-signal.SIGKILL), Cause.SIGNAL),
        (child(), Remains(-signal.SIGKILL, oom=True), Cause.OOM),
        (child(), Remains(-signal.SIGSEGV, oom=True), Cause.SIGNAL),  # somebody else was out of memory
        (child(Phase.ABORTED, Why.HUNG), Remains(-signal.SIGABRT), Cause.HUNG),
        (child(Phase.KILLED, Why.HUNG), Remains(-signal.SIGKILL, oom=True), Cause.HUNG),
        (child(Phase.ABORTED, Why.BOOT, served=False), Remains(-signal.SIGABRT), Cause.BOOT),
        (child(Phase.DRAINING, Why.RELOAD), Remains(0), Cause.RELOAD),
        (child(Phase.KILLED, Why.RELOAD), Remains(-signal.SIGKILL), Cause.DEADLINE),
        (child(Phase.DRAINING, Why.SCALE), Remains(0), Cause.SCALE),
        (child(Phase.DRAINING, Why.LEFT), Remains(0), Cause.ASKED),
        (child(Phase.QUITTING, Why.STOP), Remains(0), Cause.STOP),
        (child(Phase.KILLED, Why.STOP, served=False), Remains(-signal.SIGKILL), Cause.STOP),
        (child(Phase.DRAINING, Why.REFUSED, served=False), Remains(-signal.SIGTERM), Cause.REFUSED),
    ],
)
def test_each_death_has_one_cause(worker, remains, cause):
    assert cause_of(worker, remains) is cause


def test_the_sentence_names_the_worker_and_its_end():
    assert died(child(), 7).sentence == "worker=3 gen=2 pid=417 exited with status 7"
    assert died(child(), -9).sentence == "worker=3 gen=2 pid=417 was killed by SIGKILL"
    oom = died(child(), -9, oom=True).sentence
    assert oom == "worker=3 gen=2 pid=417 was killed by SIGKILL: its control group is out of memory"


def test_what_the_worker_said_itself_is_for_who_asked_and_not_for_the_log_again():
    certificate = died(child(Phase.BOOTING, served=False), 70, boot_error="Traceback\n  File\nImportError: no x\n")
    assert certificate.sentence == "worker=3 gen=2 pid=417 could not boot and exited with status 70"
    assert certificate.reason == f"{certificate.sentence}: ImportError: no x"


def test_a_boot_that_took_too_long_names_the_setting():
    certificate = died(child(Phase.ABORTED, Why.BOOT, served=False), -6)
    assert "did not become ready within 60 s (timeouts.boot)" in certificate.reason


def test_calls_in_flight_are_named_up_to_a_few():
    calls = [f"GET /{number} (1.0 s, request {number})" for number in range(7)]
    certificate = died(child(), -9, calls=calls)
    assert certificate.sentence.endswith("GET /4 (1.0 s, request 4) and 2 more")
    assert certificate.fields["calls"] == ", ".join(calls)


def test_the_record_has_the_figures():
    fields = died(child(), 7, requests=12, connections=3, resident=1000, peak=2000).fields
    assert fields == {
        "cause": "exit",
        "status": 7,
        "uptime": 12.5,
        "requests": 12,
        "connections": 3,
        "rss": 1000,
        "peak_rss": 2000,
    }


def test_only_a_well_worker_is_killed_from_outside():
    assert died(child(), -signal.SIGKILL).from_outside
    assert not died(child(), -signal.SIGKILL, oom=True).from_outside
    assert not died(child(), -signal.SIGSEGV).from_outside
    assert not died(child(Phase.BOOTING, served=False), -signal.SIGKILL).from_outside
    assert not died(child(Phase.KILLED, Why.HUNG), -signal.SIGKILL).from_outside


def test_causes_are_replaced_or_not_news_or_both():
    assert {cause for cause in Cause if cause not in REPLACED} <= PLANNED


def test_the_last_line_of_nothing_is_nothing():
    assert last_line("") == last_line("\n \n") == ""
