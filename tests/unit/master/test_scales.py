from __future__ import annotations

from hybridd.master.scales import INTERVAL, Scales


class Machine:
    """Weighs a process at a price in seconds."""

    def __init__(self, price: float = 0.001) -> None:
        self.weighed: list[int] = []
        self.time = 0.0
        self.price = price

    def read(self, pid: int) -> int:
        self.time += self.price
        self.weighed.append(pid)
        return pid * 1000

    def scales(self) -> Scales:
        return Scales(self.read, lambda: self.time)


def rounds(scales: Scales, pids: list[int], count: int, begin: float = 100.0) -> None:
    for number in range(count):
        scales.round(pids, begin + number)


def test_one_at_a_time_each_in_its_turn_and_not_too_often():
    machine = Machine()
    scales = machine.scales()
    rounds(scales, [1, 2, 3], int(INTERVAL))
    assert machine.weighed == [1, 2, 3]
    assert scales.weights == {1: 1000, 2: 2000, 3: 3000}
    rounds(scales, [1, 2, 3], 2, begin=100.0 + INTERVAL)
    assert machine.weighed == [1, 2, 3, 1, 2]


def test_the_dearer_it_is_the_rarer():
    machine = Machine(price=0.05)
    rounds(machine.scales(), [1, 2, 3, 4], 21)
    assert len(machine.weighed) == 21 * 0.01 / 0.05 // 1 + 1
    assert machine.time <= 21 * 0.01 + 0.05


def test_who_has_gone_is_forgotten():
    machine = Machine()
    scales = machine.scales()
    rounds(scales, [1, 2], 2)
    scales.round([2], 102.0)
    assert scales.weights == {2: 2000}
