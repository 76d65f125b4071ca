"""One scrape of /metrics, to be asked for values.

Knows:     the Prometheus text format, through the client library's own parser.
Runs in:   the test process.
"""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families


class Metrics:
    """The samples of one scrape; ``text`` is what was scraped."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.kinds: dict[str, str] = {}
        self.samples: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
        for family in text_string_to_metric_families(text):
            self.kinds[family.name] = family.type
            for sample in family.samples:
                self.samples[sample.name, frozenset(sample.labels.items())] = sample.value

    def value(self, name: str, **labels: str) -> float:
        """Return one sample; KeyError when it does not exist."""
        return self.samples[name, frozenset(labels.items())]

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of the samples of ``name`` that have these labels (and perhaps others)."""
        wanted = set(labels.items())
        found = [value for (sample, has), value in self.samples.items() if sample == name and wanted <= has]
        if not found:
            raise KeyError(name)
        return sum(found)

    def names(self) -> set[str]:
        """Return the names of all samples."""
        return {name for name, _ in self.samples}

    def fallen_since(self, earlier: Metrics) -> list[str]:
        """Return the counters and parts of histograms that are lower than in ``earlier``, or lost."""
        growing = {"counter", "histogram"}
        fallen = []
        for (name, labels), before in earlier.samples.items():
            family = name
            for suffix in ("_total", "_bucket", "_count", "_sum", "_created"):
                if name.endswith(suffix) and earlier.kinds.get(name.removesuffix(suffix)) in growing:
                    family = name.removesuffix(suffix)
            if earlier.kinds.get(family) not in growing or name.endswith("_created"):
                continue
            after = self.samples.get((name, labels))
            if after is None or after < before:
                fallen.append(f"{name}{dict(labels)}: {before} then {after}")
        return fallen
