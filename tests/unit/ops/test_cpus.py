from __future__ import annotations

import pytest

from hybridd.ops.cpus import cpus, quota_v1, quota_v2


@pytest.mark.parametrize(
    ("affinity", "quotas", "expected"),
    [
        (8, [], 8),
        (8, [4.0], 4),
        (8, [1.5], 2),  # a part of a CPU as a whole one
        (8, [0.25], 1),
        (2, [16.0], 2),
        (8, [4.0, 2.0, 6.0], 2),  # the tightest of the groups around us
        (1, [0.001], 1),
    ],
)
def test_the_smallest_limit_counts(affinity, quotas, expected):
    assert cpus(affinity, quotas) == expected


@pytest.mark.parametrize(
    ("text", "quota"),
    [
        ("150000 100000\n", 1.5),
        ("50000 100000\n", 0.5),
        ("max 100000\n", None),
        ("", None),
        ("100000", None),
        ("100000 0\n", None),
    ],
)
def test_version_2(text, quota):
    assert quota_v2(text) == quota


@pytest.mark.parametrize(
    ("quota_us", "period_us", "quota"),
    [
        ("200000\n", "100000\n", 2.0),
        ("-1\n", "100000\n", None),
        ("", "", None),
        ("200000\n", "0\n", None),
        ("0\n", "100000\n", None),
    ],
)
def test_version_1(quota_us, period_us, quota):
    assert quota_v1(quota_us, period_us) == quota
