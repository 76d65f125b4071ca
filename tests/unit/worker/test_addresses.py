"""Connections counted by address over several workers, in tables that they share."""

from __future__ import annotations

import pytest

from hybridd.worker import addresses
from hybridd.worker.addresses import AddressLimits, Tables, network_of

ONE = ("192.0.2.1", 1000)
TWO = ("192.0.2.2", 1000)


class Workers:
    """Some workers with one set of tables; ``alive``: the slots of those that are there."""

    def __init__(self, number: int = 3, *, most_open: int = 0, most_new: int = 0) -> None:
        self.tables = Tables(number)
        self.most = {"most_open": most_open, "most_new": most_new}
        self.alive = list(range(number))
        self.all = [self.worker(slot) for slot in range(number)]

    def worker(self, slot: int) -> AddressLimits:
        def others() -> list[int]:
            return [one for one in self.alive if one != slot]

        def exempt(address: str) -> bool:
            return address == "192.0.2.99"

        return AddressLimits(self.tables, slot, **self.most, exempt=exempt, others=others)

    def admit(self, times: int, peer: object = ONE, now: float = 1000.0) -> int:
        return sum(self.all[turn % len(self.all)].admit(peer, now) for turn in range(times))


def test_the_limit_holds_over_all_workers():
    workers = Workers(most_open=5)
    assert workers.admit(20) == 5
    assert workers.admit(20, TWO) == 5


def test_who_leaves_makes_room_for_the_next():
    workers = Workers(most_open=5)
    workers.admit(5)
    workers.all[0].left(ONE)
    assert workers.admit(5) == 1


def test_new_connections_are_counted_by_the_second():
    workers = Workers(most_new=4)
    assert workers.admit(10) == 4
    assert workers.admit(10, now=1000.9) == 0
    assert workers.admit(10, now=1001.0) == 4
    assert workers.admit(1, TWO, now=1001.0) == 1


def test_the_connections_of_a_worker_that_died_are_forgotten():
    workers = Workers(most_open=6)
    workers.admit(6)
    workers.alive.remove(0)
    assert workers.all[1].admit(ONE, 1000.0), "two places of six were the dead one's"
    workers.alive.append(0)
    workers.all[0] = workers.worker(0)
    assert workers.admit(6) == 1


def test_trusted_proxies_and_unix_sockets_are_not_limited():
    workers = Workers(most_open=1, most_new=1)
    assert workers.admit(5, ("192.0.2.99", 1)) == 5
    assert workers.admit(5, "") == 5


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::1", True),
    ],
)
def test_what_counts_as_one_address(one, other, same):
    assert (network_of((one, 1)) == network_of((other, 1, 0, 0))) is same


def test_the_table_is_bounded_and_forgets_small_ones_first(monkeypatch):
    monkeypatch.setattr(addresses, "PLACES", 64)
    workers = Workers(1, most_open=50)
    worker = workers.all[0]
    assert sum(worker.admit(ONE, 1000.0) for _ in range(50)) == 50
    for number in range(320):  # five times the places, one connection each
        assert worker.admit((f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 1), 1000.0)
    assert not worker.admit(ONE, 1000.0)


def test_leaving_more_often_than_coming_counts_nothing():
    workers = Workers(1, most_open=1)
    workers.all[0].left(ONE)
    assert workers.admit(3) == 1
