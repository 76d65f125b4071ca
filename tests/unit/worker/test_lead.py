"""The steal window: every order in which its steps can happen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from hybridd.worker.lead import Lead


class Worker:
    """Two Calls and whoever may take the lead from them, one step at a time.

    The leader runs Call A.  The monitor tries once to take the lead from A; when it succeeds, its thread leads and runs
    Call B.  Meanwhile A's thread comes back from its application code.
    """

    def __init__(self) -> None:
        self.lead = Lead()
        self.a, self.b = object(), object()
        self.kept_a: bool | None = None  # what A's thread was told when it came back
        self.stole_a: bool | None = None
        self.kept_b: bool | None = None

    def run_a(self) -> Iterator[None]:
        self.lead.open(self.a)
        yield
        self.kept_a = self.lead.close(self.a)
        yield
        if self.kept_a:  # it leads still, and runs the next Call
            self.lead.open(self.b)
            yield
            self.kept_b = self.lead.close(self.b)

    def steal_a(self) -> Iterator[None]:
        self.stole_a = self.lead.steal(self.a)
        yield
        if self.stole_a:
            self.lead.open(self.b)
            yield
            self.kept_b = self.lead.close(self.b)


def interleavings(steps: Sequence[str], more: Sequence[str]) -> Iterator[list[str]]:
    """Every order of two threads' steps that keeps each thread's own."""
    if not steps or not more:
        yield [*steps, *more]
        return
    for rest in interleavings(steps[1:], more):
        yield [steps[0], *rest]
    for rest in interleavings(steps, more[1:]):
        yield [more[0], *rest]


ORDERS = list(interleavings(["runner"] * 4, ["thief"] * 3))


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "".join(name[0] for name in order))
def test_exactly_one_of_them_leads(order):
    worker = Worker()
    threads = {"runner": worker.run_a(), "thief": worker.steal_a()}
    for name in order:
        next(threads[name], None)
    assert worker.stole_a is not worker.kept_a, "both lead, or nobody"
    assert worker.kept_b is True, "B was never stolen, and A's thread must not take its token"
    assert worker.lead.tokens == []


def test_the_orders_meet_both_outcomes():
    """The exhaustion above would prove little if every order ended the same way."""
    outcomes = set()
    for order in ORDERS:
        worker = Worker()
        threads = {"runner": worker.run_a(), "thief": worker.steal_a()}
        for name in order:
            next(threads[name], None)
        outcomes.add(worker.stole_a)
    assert outcomes == {True, False}


def test_nothing_can_be_stolen_outside_of_the_window():
    lead, token = Lead(), object()
    assert not lead.steal(token)
    lead.open(token)
    assert lead.close(token)
    assert not lead.steal(token)


def test_a_window_can_be_opened_again_and_again():
    """A streamed response enters and leaves application code once for every part."""
    lead, token = Lead(), object()
    for _ in range(3):
        lead.open(token)
        assert lead.close(token)
    lead.open(token)
    assert lead.steal(token)
    assert not lead.close(token)


def test_only_one_thief_succeeds():
    lead, token = Lead(), object()
    lead.open(token)
    assert [lead.steal(token), lead.steal(token)] == [True, False]
