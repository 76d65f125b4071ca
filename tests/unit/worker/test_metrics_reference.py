from __future__ import annotations

import re
from pathlib import Path

from hybridd.http.counts import BUCKETS
from hybridd.ops.metric_declarations import declarations
from hybridd.worker import words
from hybridd.worker.metrics_reference import page
from tests.support.promised_metrics import PROMISED

PAGE = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"

DECLARED = declarations(words.LAYOUT, words.GAUGES)


def test_the_page_is_true():
    assert PAGE.read_text("utf-8") == page(DECLARED, BUCKETS), (
        "run: python -m hybridd.worker.metrics_reference > docs/metrics.md"
    )


def test_every_promised_metric_exists():
    assert {one.metric for one in DECLARED} >= PROMISED


def test_names_are_unique():
    assert len({one.metric for one in DECLARED}) == len(DECLARED)


def test_names_follow_the_conventions():
    for one in DECLARED:
        assert re.fullmatch(r"hybridd_[a-z_]+", one.metric)
        assert one.metric.endswith("_total") == (one.kind == "counter"), one.metric
        assert one.help.endswith("."), one.metric
        assert "|" not in one.help


def test_no_label_is_a_pid_a_path_or_a_client():
    assert {label for one in DECLARED for label in one.labels}.isdisjoint(
        {"pid", "path", "client", "peer", "host", "le"}
    )
