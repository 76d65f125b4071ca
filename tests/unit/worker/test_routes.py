import pytest

from hybridd.worker import routes as routes_module
from hybridd.worker.effort import Effort
from hybridd.worker.routes import FAST, FORGIVEN, SLOW, Routes, Verdict, route_of, weigh

WAITED = Effort(0.5)
COMPUTED = Effort(0.5, on_cpu=0.4)
UNCLEAR = Effort(0.040, on_cpu=0.010, others_on_cpu=0.030)
BESIDE_THREE = 4
"""Rivals: three other Calls and the leader."""


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "GET /"),
        ("/orders", "GET /orders"),
        ("/orders/17/items/3", "GET /orders/*/items"),
        ("/orders/17", "GET /orders/*"),
        ("*", "GET /"),
        ("/a/b/c/d/e", "GET /a/b/c"),
        ("//x", "GET //x"),
    ],
)
def test_route_is_method_and_first_segments_without_identifiers(path: str, route: str) -> None:
    assert route_of("GET", path) == route


def test_nothing_is_known_at_first() -> None:
    assert Routes().judge("GET", "/orders/1") is Verdict.FAST


@pytest.mark.parametrize(
    ("effort", "rivals", "verdict"),
    [
        pytest.param(Effort(0.5), 1, Verdict.BLOCKS, id="waits for a database"),
        pytest.param(Effort(0.020, 0.018), 1, Verdict.COMPUTES, id="computes alone"),
        pytest.param(Effort(0.100, 0.030, 0.0, 0.030), 2, Verdict.BLOCKS, id="computes 30 ms, waits 70, two of it"),
        pytest.param(Effort(0.050, 0.010, 0.036, 0.036), 4, Verdict.COMPUTES, id="four compute on one CPU"),
        pytest.param(Effort(0.040, 0.010, 0.0, 0.030), 4, None, id="four compute on four CPUs, or each waits 30 ms"),
        pytest.param(Effort(0.050, 0.0001, 0.0, 0.050), 17, Verdict.BLOCKS, id="waits while the leader is never idle"),
        pytest.param(Effort(0.500, 0.020, 0.0, 0.480), 2, Verdict.BLOCKS, id="has begun to wait beside a busy leader"),
        pytest.param(Effort(0.100, 0.005, 0.0, 0.095), 20, None, id="twenty use a whole CPU, and each waits 95 ms"),
        pytest.param(Effort(0.060, 0.010, 0.045), 1, Verdict.COMPUTES, id="computes, and others have the CPU"),
        pytest.param(Effort(0.200, 0.020, 0.060, 0.060), 4, None, id="four compute, and others have the CPU"),
        pytest.param(Effort(0.055, 0.0001, 0.005, 0.020), 4, Verdict.BLOCKS, id="waits, and others have the CPU"),
        pytest.param(Effort(0.020, 0.010, 0.011), 1, Verdict.COMPUTES, id="clocks that do not agree"),
    ],
)
def test_to_sleep_is_to_wait_unless_others_can_have_had_the_interpreter_lock(effort, rivals, verdict) -> None:
    assert weigh(effort, rivals) is verdict


def test_a_route_that_blocked_is_known_for_all_its_identifiers_and_only_for_its_method() -> None:
    routes = Routes()
    routes.observe("GET", "/orders/1", WAITED, 1)
    assert routes.judge("GET", "/orders/2") is Verdict.BLOCKS
    assert routes.judge("POST", "/orders/2") is Verdict.FAST
    assert routes.judge("GET", "/other") is Verdict.FAST


def test_a_route_that_used_a_cpu_all_the_time_computes() -> None:
    routes = Routes()
    routes.observe("GET", "/report", COMPUTED, 1)
    assert routes.judge("GET", "/report") is Verdict.COMPUTES
    routes.observe("GET", "/report", WAITED, 1)
    assert routes.judge("GET", "/report") is Verdict.BLOCKS


@pytest.mark.parametrize(("known", "verdict"), [(COMPUTED, Verdict.COMPUTES), (WAITED, Verdict.BLOCKS)])
def test_what_may_have_been_both_changes_nothing_that_is_known(known, verdict) -> None:
    routes = Routes()
    routes.observe("GET", "/report", known, 1)
    for _ in range(100):
        routes.observe("GET", "/report", UNCLEAR, BESIDE_THREE)
    assert routes.judge("GET", "/report") is verdict


def test_a_route_of_which_nothing_is_known_and_that_may_be_both_computes_until_it_is_clear() -> None:
    routes = Routes()
    routes.observe("GET", "/report", UNCLEAR, BESIDE_THREE)
    assert routes.judge("GET", "/report") is Verdict.COMPUTES
    routes.observe("GET", "/report", WAITED, 1)
    assert routes.judge("GET", "/report") is Verdict.BLOCKS


def test_a_step_that_was_taken_over_is_a_guess_that_the_first_measured_one_replaces() -> None:
    routes = Routes()
    routes.suspect("GET", "/report", SLOW)
    assert routes.judge("GET", "/report") is Verdict.BLOCKS
    routes.observe("GET", "/report", UNCLEAR, BESIDE_THREE)
    assert routes.judge("GET", "/report") is Verdict.COMPUTES
    routes.suspect("GET", "/report", SLOW)
    assert routes.judge("GET", "/report") is Verdict.COMPUTES, "a guess changes nothing that is known"


def test_a_step_that_was_taken_over_and_ended_at_once_is_no_reason_for_suspicion() -> None:
    routes = Routes()
    routes.suspect("GET", "/quick", SLOW / 2)
    assert not routes.slow


def test_a_route_is_forgiven_after_enough_fast_steps_in_a_row() -> None:
    routes = Routes()
    routes.observe("GET", "/x", Effort(SLOW), 1)
    for _ in range(FORGIVEN - 1):
        routes.observe("GET", "/x", Effort(FAST), 1)
    routes.observe("GET", "/x", Effort((FAST + SLOW) / 2), 1)  # neither slow nor fast: the row is broken
    for _ in range(FORGIVEN - 1):
        routes.observe("GET", "/x", Effort(FAST), 1)
    assert routes.judge("GET", "/x") is Verdict.BLOCKS
    routes.observe("GET", "/x", Effort(FAST), 1)
    assert routes.judge("GET", "/x") is Verdict.FAST


def test_fast_steps_of_unknown_routes_leave_no_trace() -> None:
    routes = Routes()
    for number in range(100):
        routes.observe("GET", f"/{chr(97 + number % 26)}", Effort(0.0), 1)
    assert not routes.slow


def test_what_is_remembered_of_paths_is_no_longer_than_they_should_be() -> None:
    held = routes_module._remembered.cache_info().currsize
    assert route_of("GET", "/a/17/" + 1000 * "x") == "GET /a/*/" + 1000 * "x"
    assert routes_module._remembered.cache_info().currsize == held


def test_memory_is_bounded_and_forgets_the_least_recently_used() -> None:
    routes = Routes(capacity=2)
    routes.observe("GET", "/a", Effort(1.0), 1)
    routes.observe("GET", "/b", Effort(1.0), 1)
    assert routes.judge("GET", "/a") is Verdict.BLOCKS
    routes.observe("GET", "/c", Effort(1.0), 1)
    assert routes.judge("GET", "/b") is Verdict.FAST
    assert routes.judge("GET", "/a") is Verdict.BLOCKS
    assert routes.judge("GET", "/c") is Verdict.BLOCKS
