"""Add up what the processes of an application say of its metrics: one family from many files.

The modes of a gauge are prometheus_client's: ``sum``, ``min``, ``max`` and ``mostrecent`` are over all processes that
there were, with ``live`` before them over those that live; ``all`` and ``liveall`` have a series per process.  The one
difference: with ``all`` too a process takes its series with it when it dies.  Else every worker that ever lived would
have one for ever, and a scrape would cost more with every recycling.

Knows:     keys, rules, what makes a family valid.
Never:     files.
Runs in:   the process that gathers (application_metrics.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import accumulate
from typing import Final

from hybridd.ops.value_files import Entry


class Rule(Enum):
    """How the values of several processes become one."""

    SUM = "sum"
    MIN = "min"
    MAX = "max"
    NEWEST = "newest"
    EACH = "each"


RULES: Final[Mapping[str, Rule]] = {
    "counter": Rule.SUM,
    "histogram": Rule.SUM,
    "summary": Rule.SUM,
    "gauge_sum": Rule.SUM,
    "gauge_min": Rule.MIN,
    "gauge_max": Rule.MAX,
    "gauge_mostrecent": Rule.NEWEST,
    "gauge_all": Rule.EACH,
    "gauge_livesum": Rule.SUM,
    "gauge_livemin": Rule.MIN,
    "gauge_livemax": Rule.MAX,
    "gauge_livemostrecent": Rule.NEWEST,
    "gauge_liveall": Rule.EACH,
}
"""By prefix of the file."""

LASTING: Final = frozenset(
    {"counter", "histogram", "summary", "gauge_sum", "gauge_min", "gauge_max", "gauge_mostrecent"}
)
"""Prefixes of what stays when its process dies."""

_SUFFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    "counter": ("_total",),
    "gauge": ("",),
    "summary": ("_count", "_sum"),
    "histogram": ("_bucket", "_count", "_sum"),
}
_METRIC_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_NAME: Final = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")

Labels = tuple[tuple[str, str], ...]
Value = tuple[float, float]
"""Value and time stamp."""


class Refusal(Enum):
    """Why something of the application's is left out of /metrics; the value is a label."""

    RESERVED = "reserved_name"
    CLASH = "clash"
    INVALID = "invalid"
    TOO_MANY = "too_many_series"
    DAMAGED = "damaged_file"
    TOO_LARGE = "file_too_large"
    FAILED = "failed"


@dataclass(slots=True)
class Family:
    """One metric of the application; ``samples`` by name and sorted labels."""

    name: str
    prefix: str
    help: str
    samples: dict[tuple[str, Labels], Value] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The type of the metric."""
        return self.prefix.partition("_")[0]

    def claims(self) -> set[str]:
        """Return all sample names that only this family may have."""
        return {self.name, *(self.name + suffix for suffix in _SUFFIXES[self.kind])}


@dataclass(frozen=True, slots=True)
class Key:
    """What a key says."""

    family: str
    sample: str
    labels: Labels
    help: str


class Merger:
    """Takes entries file by file: those of the living first, for a family is what they say it is."""

    def __init__(self) -> None:
        self.families: dict[str, Family] = {}
        self.refused: dict[str, Refusal] = {}  # family → why
        self._keys: dict[bytes, Key | None] = {}

    def add(self, prefix: str, entries: Iterable[Entry], process: str = "") -> None:
        """Take the entries of a file; ``process`` is the label of a series that is a process's own."""
        rule = RULES[prefix]
        further: Labels = (("pid", process),) if rule is Rule.EACH else ()
        keys, families = self._keys, self.families
        for raw, value, timestamp in entries:
            key = keys[raw] if raw in keys else self._read(raw)
            if key is None:
                continue
            family = families.get(key.family)
            if family is None:
                family = families[key.family] = Family(key.family, prefix, key.help)
            elif family.prefix != prefix:
                self.refused.setdefault(f"{key.family} as {prefix}", Refusal.CLASH)
                continue
            labels = key.labels
            if further:
                labels = tuple(sorted((*(label for label in labels if label[0] != "pid"), *further)))
            series = key.sample, labels
            known = family.samples.get(series)
            family.samples[series] = (value, timestamp) if known is None else _one(rule, known, (value, timestamp))

    def _read(self, raw: bytes) -> Key | None:
        key = self._keys[raw] = read_key(raw)
        return key


def combine(rule: Rule, into: dict[bytes, Value], entries: Iterable[Entry]) -> None:
    """Add entries to those with the same key."""
    for key, value, timestamp in entries:
        known = into.get(key)
        into[key] = (value, timestamp) if known is None else _one(rule, known, (value, timestamp))


def _one(rule: Rule, one: Value, other: Value) -> Value:
    match rule:
        case Rule.SUM:
            return one[0] + other[0], 0.0
        case Rule.MIN:
            return min(one, other)
        case Rule.MAX:
            return max(one, other)
        case Rule.NEWEST:
            return one if one[1] >= other[1] else other
        case Rule.EACH:
            return other


def read_key(raw: bytes) -> Key | None:
    """Return what a key says; None for one that is none."""
    try:
        family, sample, labels, text = json.loads(raw)
        if not (isinstance(family, str) and isinstance(sample, str) and isinstance(text, str)):
            return None
        pairs = tuple(sorted(labels.items()))
        return Key(family, sample, pairs, text) if all(isinstance(value, str) for _, value in pairs) else None
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def is_valid(family: Family) -> bool:
    """Whether a family can be exposed without harm to the others."""
    names = {family.name + suffix for suffix in _SUFFIXES[family.kind]}
    return (
        _METRIC_NAME.fullmatch(family.name) is not None
        and all(
            sample in names and all(_LABEL_NAME.fullmatch(label) for label, _ in labels)
            for sample, labels in family.samples
        )
        and _is_encodable([family.help, *(value for _, labels in family.samples for _, value in labels)])
    )


def _is_encodable(texts: list[str]) -> bool:
    """Whether no half of a surrogate pair is among it, as in a file name that is not UTF-8 (os.fsdecode)."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return False
    return True


def cumulated(family: Family) -> list[tuple[str, Labels, float]]:
    """Return the samples to expose: those of a histogram with buckets that include the smaller ones, and a count.

    Raises:
        ValueError: a bucket has no bound that is a number.
    """
    if family.kind != "histogram":
        return [(name, labels, value) for (name, labels), (value, _) in family.samples.items()]
    buckets: dict[Labels, list[tuple[float, str, float]]] = {}
    sums: dict[Labels, float] = {}
    for (name, labels), (value, _) in family.samples.items():
        if name.endswith("_bucket"):
            bound = dict(labels).get("le", "")
            others = tuple(label for label in labels if label[0] != "le")
            buckets.setdefault(others, []).append((float(bound), bound, value))
        elif name.endswith("_sum"):
            sums[labels] = value
    found = []
    for labels, parts in buckets.items():
        parts.sort()
        totals = list(accumulate(value for *_, value in parts))
        for (_, bound, _), total in zip(parts, totals, strict=True):
            found.append((f"{family.name}_bucket", (*labels, ("le", bound)), total))
        found.append((f"{family.name}_count", labels, totals[-1]))
        found.append((f"{family.name}_sum", labels, sums.get(labels, 0.0)))
    return found


def select(families: Iterable[Family], most: int, reserved: Iterable[str]) -> tuple[list[Family], dict[str, Refusal]]:
    """Return the families to expose, and why the others are not: by name.

    Args:
        families: all that there are; of two that would have the same sample names the first one wins.
        most: series in all; the largest families are left out until the rest fits, for a family with a label that
            takes any value grows without bound while the others are as they were.
        reserved: how names of the server's own metrics begin.
    """
    ours = tuple(reserved)
    chosen: list[Family] = []
    refused: dict[str, Refusal] = {}
    claimed: set[str] = set()
    for family in families:
        claims = family.claims()
        if family.name.startswith(ours):
            refused[family.name] = Refusal.RESERVED
        elif not is_valid(family):
            refused[family.name] = Refusal.INVALID
        elif claims & claimed:
            refused[family.name] = Refusal.CLASH
        else:
            claimed |= claims
            chosen.append(family)
    total = sum(len(family.samples) for family in chosen)
    for family in sorted(chosen, key=lambda one: (-len(one.samples), one.name)):
        if total <= most:
            break
        total -= len(family.samples)
        refused[family.name] = Refusal.TOO_MANY
    return [family for family in chosen if family.name not in refused], refused
