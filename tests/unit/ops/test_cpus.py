from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from hybridd.ops.cgroup import Group
from hybridd.ops.cpus import cpus, quota_v1, quota_v2, read_quotas


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


@pytest.mark.parametrize(
    ("version", "outer", "inner"),
    [
        (1, {"cpu.cfs_quota_us": "400000", "cpu.cfs_period_us": "100000"}, {"cpu.cfs_quota_us": "-1"}),
        (2, {"cpu.max": "400000 100000"}, {"cpu.max": "max 100000"}),
    ],
)
def test_a_quota_around_our_group_counts_too(tmp_path, version, outer, inner):
    folder = tmp_path / "inner"
    folder.mkdir()
    for place, files in ((tmp_path, outer), (folder, inner)):
        for name, text in files.items():
            (place / name).write_text(text + "\n")
    assert read_quotas(Group(version, PurePosixPath(folder), PurePosixPath(tmp_path))) == [4.0]
