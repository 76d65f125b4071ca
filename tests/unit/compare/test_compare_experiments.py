import pytest

from hybridd.compare.experiments import bystanders_for, crash_requests, round_lengths, summary, to_backlog, to_round
from hybridd.compare.figures import Backlog, Load, Round
from hybridd.compare.wishes import Routes, Wishes


def of(requests=100, *, failures=0, p50=0.001, p99=0.002, cpu=0.01, client_cpu=0.5):
    return Round(requests, failures, 0.5, p50, p99, cpu, client_cpu)


def test_each_figure_is_the_best_of_the_rounds():
    found = summary([of(100, p50=0.003, cpu=0.02), of(200, p99=0.009, failures=2, client_cpu=0.95), of(150, p50=0.002)])
    assert found == Load(rate=400.0, p50=0.001, p99=0.002, cpu=0.01 / 200, failures=2, client_cpu=0.95)
    assert found.limited


def test_a_server_that_answers_nothing_has_no_latency():
    found = summary([of(0, failures=7, p50=None, p99=None)])
    assert found == Load(rate=0.0, p50=None, p99=None, cpu=None, failures=7, client_cpu=0.5)


def test_a_round_is_what_client_and_server_used():
    came = {"requests": 9, "failures": 1, "seconds": 0.5, "p50": 0.1, "p99": 0.2, "client_cpu": 0.3}
    assert to_round(came, 0.04) == Round(9, 1, 0.5, 0.1, 0.2, 0.04, 0.3)


@pytest.mark.parametrize(("duration", "count"), [(4.0, 8), (0.2, 1), (0.5, 1), (1.1, 2)])
def test_a_duration_is_divided_into_rounds(duration, count):
    lengths = round_lengths(Wishes(duration=duration))
    assert len(lengths) == count
    assert sum(lengths) == pytest.approx(duration)


@pytest.mark.parametrize(("nap", "count"), [(0.1, 20), (0.2, 10), (1.0, 4), (10.0, 4), (0.0, 20)])
def test_bystanders_are_fewer_when_they_take_long(nap, count):
    assert bystanders_for(nap) == count


def test_who_crashes_comes_in_the_middle_and_waits_for_the_others():
    requests = crash_requests(Routes(), 0.1, 20)
    assert [path for _, path in requests].index("/crash?seconds=0.1") == 10
    assert [path for _, path in requests].count("/sleep?seconds=0.1") == 20
    assert [delay for delay, _ in requests] == sorted(delay for delay, _ in requests)
    assert requests[10][0] + 0.1 > requests[-1][0]


def test_who_cannot_wait_comes_last():
    requests = crash_requests(Routes("/", "/slow", "/boom", own=True), 1.0, 4)
    assert [path for _, path in requests] == ["/slow"] * 4 + ["/boom"]
    assert requests[4][0] > requests[3][0]


def test_what_clients_of_a_full_server_saw():
    ended = [
        {"fate": "kept", "status": 200, "ended": 0.1},
        {"fate": "closed", "status": 503, "ended": 0.1},
        {"fate": "waiting", "status": 0, "ended": None},
        {"fate": "connecting", "status": 0, "ended": None},
        {"fate": "connecting", "status": 0, "ended": None},
        {"fate": "refused", "status": 0, "ended": None},
        {"fate": "broken", "status": 0, "ended": None},
    ]
    assert to_backlog(ended, 1.0) == Backlog(7, 1.0, answered=1, turned_away=1, waiting=1, silent=2, refused=2)


def test_wrk_knows_whole_seconds_only():
    assert round_lengths(Wishes(duration=4.0, load="wrk")) == [1.0] * 4
