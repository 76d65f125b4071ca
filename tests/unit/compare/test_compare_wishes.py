import pytest

from hybridd.compare.patterns import PATTERNS
from hybridd.compare.wishes import Routes, Visit, Wishes, expected_seconds, missing, server_arguments, visits

BY_NAME = {pattern.name: pattern for pattern in PATTERNS}
ALL = ("crowd", "load", "demonstration", "crash")


def test_a_pattern_with_one_worker_is_started_twice():
    first, full = visits(BY_NAME["pool"], Wishes())
    assert first == Visit(1, ALL)
    assert (full.workers, full.experiments) == (1, ("backlog",))
    assert "--backlog" in full.settings


def test_load_is_measured_on_one_worker_and_the_rest_on_all():
    load, others, full = visits(BY_NAME["prefork"], Wishes(workers=5))
    assert load == Visit(1, ("load",))
    assert others == Visit(5, ("crowd", "demonstration", "crash"))
    assert full.workers == 5


def test_several_workers_that_are_one_need_no_start_of_their_own():
    assert [visit.workers for visit in visits(BY_NAME["hybrid"], Wishes(workers=1))] == [1, 1]


@pytest.mark.parametrize(
    ("routes", "experiments", "said"),
    [
        (Routes(), [*ALL, "backlog"], ""),
        (Routes("/", "/slow", "", own=True), ["crowd", "load", "demonstration", "backlog"], "--crash-path"),
        (Routes("/", "", "", own=True), ["crowd", "load"], "--sleep-path and --crash-path"),
        (Routes("/", "", "/boom", own=True), ["crowd", "load"], "--sleep-path"),
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
    total = sum(
        expected_seconds(name, pattern, wishes)
        for pattern in PATTERNS
        for visit in visits(pattern, wishes)
        for name in visit.experiments
    )
    assert total < 150
