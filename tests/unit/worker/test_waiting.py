"""Which Call is next, among those that wait."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hybridd.worker.routes import Verdict
from hybridd.worker.waiting import Waiting


def call(name: str, *, ready: float = 0.0, computes: bool = False):
    return SimpleNamespace(
        name=name, verdict=Verdict.COMPUTES if computes else Verdict.BLOCKS, request=SimpleNamespace(ready=ready)
    )


def names(waiting: Waiting, *, computing_allowed: bool = True) -> str:
    """Take out all that may run, in their order."""
    found = []
    while (one := waiting.next(computing_allowed=computing_allowed)) is not None:
        found.append(one.name)
    return "".join(found)


@pytest.fixture
def waiting():
    return Waiting()


def test_nobody(waiting):
    assert (len(waiting), bool(waiting)) == (0, False)
    assert waiting.next(computing_allowed=True) is None


def test_new_calls_go_in_the_order_of_their_arrival(waiting):
    for name in "abc":
        waiting.add(call(name))
    assert len(waiting) == 3
    assert names(waiting) == "abc"
    assert len(waiting) == 0


def test_calls_that_have_begun_go_before_new_ones_and_in_order_too(waiting):
    waiting.add(call("n"))
    for name in "abc":
        waiting.add_begun(call(name, ready=9.0))
    waiting.add(call("m"))
    assert names(waiting) == "abcnm"


def test_calls_that_compute_are_held_back_while_enough_do(waiting):
    waiting.add(call("C", ready=1.0, computes=True))
    waiting.add_begun(call("B", ready=0.5, computes=True))
    for name, ready in (("a", 2.0), ("b", 3.0)):
        waiting.add(call(name, ready=ready))
    assert names(waiting, computing_allowed=False) == "ab"
    assert len(waiting) == 2
    assert names(waiting) == "BC"


def test_when_both_kinds_may_run_the_older_request_goes_first(waiting):
    for name, ready, computes in (("a", 1.0, False), ("B", 2.0, True), ("c", 3.0, False), ("D", 4.0, True)):
        waiting.add(call(name, ready=ready, computes=computes))
    assert names(waiting) == "aBcD"


@pytest.mark.parametrize("begun", [False, True])
def test_whether_somebody_would_be_next(waiting, begun):
    add = waiting.add_begun if begun else waiting.add
    assert not waiting.has_next(computing_allowed=True)
    add(call("C", computes=True))
    assert waiting.has_next(computing_allowed=True)
    assert not waiting.has_next(computing_allowed=False)
    add(call("a"))
    assert waiting.has_next(computing_allowed=False)


def test_a_new_call_can_be_taken_out(waiting):
    first, second = call("a"), call("b", computes=True)
    waiting.add(first)
    waiting.add(second)
    waiting.remove(second)
    waiting.remove(first)
    assert len(waiting) == 0
    with pytest.raises(ValueError, match="not in"):
        waiting.remove(first)


def test_one_that_has_begun_cannot(waiting):
    begun = call("a")
    waiting.add_begun(begun)
    with pytest.raises(ValueError, match="not in"):
        waiting.remove(begun)
