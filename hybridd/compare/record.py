"""A comparison as JSON, for machines: figures in seconds and bytes, sentences, circumstances.

Never:     writes; returns text.
Runs in:   the command line tool; pure.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from hybridd.compare.figures import Comparison, Row
from hybridd.compare.percentiles import highest, lowest, ratio
from hybridd.compare.sentences import sentence

FORMAT = 1
"""Grows when a field changes its meaning or goes; new fields may come at any time."""


def render(comparison: Comparison) -> str:
    """Return the document."""
    document = {
        "format": FORMAT,
        "complete": comparison.complete,
        "circumstances": dict(comparison.circumstances),
        "patterns": [_row(row, comparison) for row in comparison.rows],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _row(row: Row, comparison: Comparison) -> dict[str, Any]:
    found = asdict(row)
    pattern = found.pop("pattern")
    if row.load is not None and found["load"] is not None:
        loads = [one.load for one in comparison.rows if one.load is not None]
        found["load"]["limited_by_client"] = row.load.limited
        judged = not any(load.limited for load in loads)  # else the figures are the client's
        found["load"]["rate_of_best"] = ratio(row.load.rate, highest(load.rate for load in loads)) if judged else None
        found["load"]["cpu_of_best"] = ratio(row.load.cpu, lowest(load.cpu for load in loads))
    return {"pattern": pattern["name"], **found, "sentence": sentence(row, comparison.rows)}
