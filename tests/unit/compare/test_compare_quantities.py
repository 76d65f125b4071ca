import pytest

from hybridd.compare.quantities import (
    count_text,
    counted,
    mebibytes_text,
    microseconds_text,
    seconds_text,
    times_text,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"), (0.000_18, "180 µs"), (0.0042, "4.2 ms"), (0.00996, "10 ms"), (0.0421, "42 ms"),
        (0.9996, "1000 ms"), (1.0, "1.00 s"), (3.018, "3.02 s"),
    ],
)  # fmt: skip
def test_times(seconds, text):
    assert seconds_text(seconds) == text


def test_costs_sizes_counts_and_factors():
    assert [microseconds_text(value) for value in (None, 13.24e-6, 1.4e-3)] == ["-", "13.2 µs", "1,400 µs"]
    assert [mebibytes_text(value) for value in (None, 0, 1536 * 1024)] == ["-", "0.0 MiB", "1.5 MiB"]
    assert [count_text(value) for value in (None, 0, 21_899.6)] == ["-", "0", "21,900"]
    assert [times_text(value) for value in (1.04, 9.94, 47.4)] == ["1.0", "9.9", "47"]
    assert [counted(1, "process", "processes"), counted(2, "process", "processes")] == ["1 process", "2 processes"]
