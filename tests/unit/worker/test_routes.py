import pytest

from hybridd.worker import routes as routes_module
from hybridd.worker.routes import FAST, FORGIVEN, SLOW, Routes, Verdict, route_of


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


def test_a_route_that_blocked_is_known_for_all_its_identifiers_and_only_for_its_method() -> None:
    routes = Routes()
    routes.observe("GET", "/orders/1", 0.5, 0.0)
    assert routes.judge("GET", "/orders/2") is Verdict.BLOCKS
    assert routes.judge("POST", "/orders/2") is Verdict.FAST
    assert routes.judge("GET", "/other") is Verdict.FAST


def test_a_route_that_used_a_cpu_all_the_time_computes() -> None:
    routes = Routes()
    routes.observe("GET", "/report", 0.5, 0.4)
    assert routes.judge("GET", "/report") is Verdict.COMPUTES
    routes.observe("GET", "/report", 0.5, 0.1)
    assert routes.judge("GET", "/report") is Verdict.BLOCKS


def test_a_route_is_forgiven_after_enough_fast_steps_in_a_row() -> None:
    routes = Routes()
    routes.observe("GET", "/x", SLOW, 0.0)
    for _ in range(FORGIVEN - 1):
        routes.observe("GET", "/x", FAST, 0.0)
    routes.observe("GET", "/x", (FAST + SLOW) / 2, 0.0)  # neither slow nor fast: the row is broken
    for _ in range(FORGIVEN - 1):
        routes.observe("GET", "/x", FAST, 0.0)
    assert routes.judge("GET", "/x") is Verdict.BLOCKS
    routes.observe("GET", "/x", FAST, 0.0)
    assert routes.judge("GET", "/x") is Verdict.FAST


def test_fast_steps_of_unknown_routes_leave_no_trace() -> None:
    routes = Routes()
    for number in range(100):
        routes.observe("GET", f"/{chr(97 + number % 26)}", 0.0, 0.0)
    assert not routes.slow


def test_what_is_remembered_of_paths_is_no_longer_than_they_should_be() -> None:
    held = routes_module._remembered.cache_info().currsize
    assert route_of("GET", "/a/17/" + 1000 * "x") == "GET /a/*/" + 1000 * "x"
    assert routes_module._remembered.cache_info().currsize == held


def test_memory_is_bounded_and_forgets_the_least_recently_used() -> None:
    routes = Routes(capacity=2)
    routes.observe("GET", "/a", 1.0, 0.0)
    routes.observe("GET", "/b", 1.0, 0.0)
    assert routes.judge("GET", "/a") is Verdict.BLOCKS
    routes.observe("GET", "/c", 1.0, 0.0)
    assert routes.judge("GET", "/b") is Verdict.FAST
    assert routes.judge("GET", "/a") is Verdict.BLOCKS
    assert routes.judge("GET", "/c") is Verdict.BLOCKS
