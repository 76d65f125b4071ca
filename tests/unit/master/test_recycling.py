"""Who is to be replaced though it serves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hybridd.config.settings import Config, Recycle
from hybridd.master.children import Child, Phase, Why
from hybridd.master.recycling import Figures, judge

MIB = 1 << 20


def child(pid: int = 100) -> Child:
    return Child(0, pid, 1, Phase.READY, born=0.0, since=0.0)


def mark(config: Config, served=0, resident=0, *, shared=0, now=100.0, pid=100):
    return judge(config, child(pid), Figures(served, resident, shared), now)


def with_limits(**limits) -> Config:
    return replace(Config(), recycle=Recycle(**limits))


def test_by_default_nobody_is():
    assert mark(Config(), 10**9, 10**12, now=10**8) is None


@pytest.mark.parametrize(
    ("config", "figures", "reason"),
    [
        (with_limits(max_requests=500), {"served": 500}, "500 requests"),
        (with_limits(max_age=50.0), {}, "lived 100s"),
        (with_limits(max_rss=64 * MIB), {"resident": 64 * MIB}, "64MiB of memory (recycle.max_rss, rss)"),
        (
            with_limits(max_rss=64 * MIB, memory="pss"),
            {"resident": 90 * MIB, "shared": 70 * MIB},
            "70MiB of memory (recycle.max_rss, pss)",
        ),
    ],
)
def test_who_has_had_enough(config, figures, reason):
    found = mark(config, **figures)
    assert found is not None
    assert (found.pid, found.why) == (100, Why.RECYCLE)
    assert reason in found.reason


@pytest.mark.parametrize(
    ("config", "figures"),
    [
        (with_limits(max_requests=500), {"served": 499}),
        (with_limits(max_age=200.0), {}),
        (with_limits(max_rss=64 * MIB), {"resident": 64 * MIB - 1}),
        (with_limits(max_rss=64 * MIB, memory="pss"), {"resident": 90 * MIB, "shared": 60 * MIB}),
    ],
)
def test_who_has_not(config, figures):
    assert mark(config, **figures) is None


def test_a_share_that_is_not_known_yet_recycles_nobody():
    assert mark(with_limits(max_rss=64 * MIB, memory="pss"), resident=90 * MIB, shared=0) is None


def test_chance_spreads_the_limits_and_is_the_same_for_a_worker_each_time():
    config = with_limits(max_requests=1000, max_requests_jitter=500)

    def limit(pid: int) -> int:
        return next(served for served in range(1000, 1501) if mark(config, served, pid=pid))

    limits = [limit(pid) for pid in range(100, 108)]
    assert limits == [limit(pid) for pid in range(100, 108)]
    assert len(set(limits)) > 4
    assert max(limits) - min(limits) > 200
