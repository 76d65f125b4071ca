import pytest

from hybridd.compare.patterns import PATTERNS
from hybridd.compare.wishes import UNDER_LOAD, Routes, Visit, Wishes, missing, server_arguments, total_seconds, visits

BY_NAME = {pattern.name: pattern for pattern in PATTERNS}
ALL = ("crowd", "demonstration", "crash")


def test_a_pattern_with_one_worker_is_started_twice():
    first, full = visits(BY_NAME["pool"], Wishes())
    assert first == Visit(1, ALL)
    assert (full.workers, full.experiments) == (1, ("backlog",))
    assert "--backlog" in full.settings


def test_a_pattern_that_has_several_workers_has_as_many_as_wished():
    assert [visit.workers for visit in visits(BY_NAME["prefork"], Wishes(workers=5))] == [5, 5]


def test_load_is_measured_on_one_worker():
    assert Visit(1, ("load",)) == UNDER_LOAD


@pytest.mark.parametrize(
    ("routes", "experiments", "said"),
    [
        (Routes(), [*ALL, "backlog"], ""),
        (Routes("/", "/slow", "", own=True), ["crowd", "demonstration", "backlog"], "--crash-path"),
        (Routes("/", "", "", own=True), ["crowd"], "--sleep-path and --crash-path"),
        (Routes("/", "", "/boom", own=True), ["crowd"], "--sleep-path"),
    ],
)
def test_only_what_the_routes_allow_is_measured(routes, experiments, said):
    planned = visits(BY_NAME["serial"], Wishes(routes=routes))
    assert [name for visit in planned for name in visit.experiments] == experiments
    assert said in missing(routes)
    assert bool(said) is bool(missing(routes))


def test_a_route_of_the_users_sleeps_as_it_does_unless_it_can_be_told():
    assert Routes().sleeping(0.1) == "/sleep?seconds=0.1"
    assert Routes().nap(0.1, 2.0) == 0.1
    fixed = Routes("/", "/slow", "", own=True)
    assert (fixed.sleeping(0.1), fixed.nap(0.1, 2.0)) == ("/slow", 2.0)


def test_a_server_is_told_its_pattern_last():
    wishes = Wishes(arguments=("shop:app", "--set", "threads=4"))
    assert server_arguments(BY_NAME["pool"], Visit(1, ALL, ("--backlog", "8")), wishes) == [
        "shop:app", "--set", "threads=4", "--pattern", "pool", "--workers", "1", "--backlog", "8",
    ]  # fmt: skip


def test_a_run_with_the_defaults_is_expected_to_end_within_three_minutes():
    wishes = Wishes()
    assert total_seconds(wishes) < 150
