from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from hybridd.ops.accept_queue import AcceptQueue
from hybridd.ops.layout import CounterFamily, GaugeFamily, HistogramFamily, Layout
from hybridd.ops.metric_declarations import declarations
from hybridd.ops.metrics import Machine, MasterFacts, ScoreboardCollector, make_registry, prefers_openmetrics, render
from hybridd.ops.procfs import Process, Stat
from hybridd.ops.scoreboard import Scoreboard

LAYOUT = Layout(
    header=(),
    gauges=("heartbeat", "cats", "dogs"),
    counters=(
        CounterFamily("accepted", "hybridd_accepted_total", "Accepted.", per_slot=True),
        CounterFamily("served", "hybridd_served_total", "Served.", {"kind": ("a", "b"), "size": ("s", "l")}),
        HistogramFamily("waits", "hybridd_waits_seconds", "Waits.", (0.1, 1.0)),
    ),
)
GAUGES = (GaugeFamily("hybridd_pets", "Pets.", "kind", {"cat": lambda words: words[1], "dog": lambda words: words[2]}),)
SERVED, WAITS, ACCEPTED = LAYOUT.start("served"), LAYOUT.start("waits"), LAYOUT.start("accepted")


class World:
    """A master with its scoreboard, its processes and its clock, all made by hand."""

    def __init__(self) -> None:
        size = LAYOUT.header_words + 4 * LAYOUT.row_words
        self.board = Scoreboard(LAYOUT, memoryview(bytearray(size * 8)).cast("Q"), 4)
        self.processes: dict[int, Process] = {}
        self.facts = MasterFacts(workers={"ready": 0}, restarts={"crash": 0, "reload": 0})
        self.moments = iter([5.0, 5.25] * 100)
        self.collector = ScoreboardCollector(self.board, GAUGES, lambda: self.facts, self.machine())

    def machine(self) -> Machine:
        return Machine(
            process=self.processes.get,
            accept_queue={7: AcceptQueue(3, 2048)}.get,
            wall=lambda: 1_700_000_100.0,
            monotonic=lambda: 100.0,
            stopwatch=lambda: next(self.moments),
        )

    def samples(self) -> dict[str, float]:
        """Return ``name{label="value"}`` → value, as a scraper reads them."""
        registry = CollectorRegistry()
        registry.register(self.collector)
        _, body = render(registry, "")
        found = {}
        for family in parse_text(body.decode()):
            for sample in family.samples:
                labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
                found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
        return found


@pytest.fixture
def world() -> World:
    return World()


def process(cpu: float, rss: int = 1000, fds: int | None = 5) -> Process:
    return Process(Stat("S", cpu, 3, 1.0, rss), fds)


def test_every_label_value_exists_from_the_start(world):
    samples = world.samples()
    for kind in ("a", "b"):
        for size in ("s", "l"):
            assert samples[f"hybridd_served_total{{kind={kind},size={size}}}"] == 0
    assert samples["hybridd_worker_restarts_total{cause=reload}"] == 0
    assert samples["hybridd_pets{kind=dog}"] == 0
    assert samples["hybridd_waits_seconds_bucket{le=+Inf}"] == 0


def test_counters_are_summed_over_workers_and_keep_their_labels(world):
    world.board.claim(0).store(SERVED, [1, 2, 3, 4])
    world.board.claim(1).store(SERVED, [10, 20, 30, 40])
    samples = world.samples()
    assert samples["hybridd_served_total{kind=a,size=s}"] == 11
    assert samples["hybridd_served_total{kind=a,size=l}"] == 22
    assert samples["hybridd_served_total{kind=b,size=s}"] == 33


def test_totals_do_not_fall_when_a_worker_dies(world):
    world.board.claim(0).store(SERVED, [1, 2, 3, 4])
    world.board.row(0).words[ACCEPTED] = 9
    before = world.samples()
    world.board.fold(0)
    after = world.samples()
    world.board.claim(0)
    again = world.samples()
    for name in ("hybridd_served_total{kind=b,size=l}", "hybridd_accepted_total{worker=0}"):
        assert 0 < before[name] == after[name] == again[name]


def test_a_metric_by_worker_is_labelled_with_its_slot(world):
    world.board.claim(2).words[ACCEPTED] = 5
    world.board.claim(3).words[ACCEPTED] = 6
    samples = world.samples()
    assert samples["hybridd_accepted_total{worker=2}"] == 5
    assert samples["hybridd_accepted_total{worker=3}"] == 6
    assert "hybridd_accepted_total{worker=0}" not in samples


def test_a_histogram_is_cumulative_and_agrees_with_itself(world):
    world.board.claim(0).store(WAITS, [4, 2, 1, 1_500_000_000])
    samples = world.samples()
    assert samples["hybridd_waits_seconds_bucket{le=0.1}"] == 4
    assert samples["hybridd_waits_seconds_bucket{le=1.0}"] == 6
    assert samples["hybridd_waits_seconds_bucket{le=+Inf}"] == samples["hybridd_waits_seconds_count"] == 7
    assert samples["hybridd_waits_seconds_sum"] == 1.5


def test_gauges_are_those_of_living_workers(world):
    world.board.claim(0).words[1] = 3
    world.board.claim(1).words[1] = 4
    assert world.samples()["hybridd_pets{kind=cat}"] == 7
    world.board.fold(0)
    assert world.samples()["hybridd_pets{kind=cat}"] == 4


def test_what_the_master_knows(world):
    world.facts = MasterFacts(
        workers={"booting": 1, "ready": 2},
        restarts={"crash": 3},
        reload_successful=False,
        reload_timestamp=1.7e9,
        degraded={"crashes": True, "refused_code": False},
        listeners={"0.0.0.0:80": 7, "unix:/run/x": 8},
    )
    samples = world.samples()
    assert samples["hybridd_workers{state=ready}"] == 2
    assert samples["hybridd_worker_restarts_total{cause=crash}"] == 3
    assert samples["hybridd_config_last_reload_successful"] == 0
    assert samples["hybridd_config_last_reload_success_timestamp_seconds"] == 1.7e9
    assert samples["hybridd_degraded{reason=crashes}"] == 1
    assert samples["hybridd_degraded{reason=refused_code}"] == 0
    assert samples["hybridd_listener_accept_queue{listener=0.0.0.0:80}"] == 3
    assert samples["hybridd_listener_accept_queue_limit{listener=0.0.0.0:80}"] == 2048
    assert "hybridd_listener_accept_queue{listener=unix:/run/x}" not in samples
    assert samples["hybridd_metrics_collect_duration_seconds"] == 0.25


def test_the_processes_of_workers(world):
    world.board.claim(0)
    world.processes[77] = process(cpu=2.5, rss=4096, fds=9)
    world.facts = MasterFacts(workers={}, restarts={}, pids={0: 77}, proportional={0: 2048})
    samples = world.samples()
    assert samples["hybridd_worker_proportional_memory_bytes{worker=0}"] == 2048
    assert samples["hybridd_worker_resident_memory_bytes{worker=0}"] == 4096
    assert samples["hybridd_worker_open_fds{worker=0}"] == 9
    assert samples["hybridd_worker_cpu_seconds_total{worker=0}"] == 2.5


def test_cpu_time_of_the_reaped_is_kept(world):
    world.board.claim(0)
    world.processes[78] = process(cpu=0.25)
    world.facts = MasterFacts(workers={}, restarts={}, pids={0: 78}, reaped_cpu={0: 2.5})
    assert world.samples()["hybridd_worker_cpu_seconds_total{worker=0}"] == 2.75
    world.facts = MasterFacts(workers={}, restarts={}, reaped_cpu={0: 2.75})
    world.board.fold(0)
    assert world.samples()["hybridd_worker_cpu_seconds_total{worker=0}"] == 2.75


def test_a_process_that_vanishes_or_hides_its_descriptors(world):
    world.board.claim(0)
    world.board.claim(1)
    world.processes[78] = process(cpu=1.0, fds=None)
    world.facts = MasterFacts(workers={}, restarts={}, pids={0: 77, 1: 78})
    samples = world.samples()
    assert "hybridd_worker_resident_memory_bytes{worker=0}" not in samples
    assert "hybridd_worker_open_fds{worker=1}" not in samples
    assert samples["hybridd_worker_resident_memory_bytes{worker=1}"] == 1000


def test_a_heartbeat_is_told_in_wall_clock_time(world):
    world.board.claim(0).words[0] = 98_500_000_000  # 1.5 s ago
    world.board.claim(1)
    samples = world.samples()
    assert samples["hybridd_worker_heartbeat_timestamp_seconds{worker=0}"] == 1_700_000_098.5
    assert "hybridd_worker_heartbeat_timestamp_seconds{worker=1}" not in samples


def test_what_is_described_is_what_is_collected(world):
    def names(families):
        return [(family.name, family.type, family.documentation) for family in families]

    assert names(world.collector.describe()) == names(world.collector.collect())
    assert all(not family.samples for family in world.collector.describe())
    assert len(world.collector.describe()) == len(declarations(LAYOUT, GAUGES))


def test_registering_does_not_collect(world):
    def fail() -> MasterFacts:
        raise AssertionError("collected")

    CollectorRegistry().register(ScoreboardCollector(world.board, GAUGES, fail, world.machine()))


def test_openmetrics_is_valid_for_its_parser(world):
    world.board.claim(0).store(SERVED, [1, 2, 3, 4])
    registry = CollectorRegistry()
    registry.register(world.collector)
    content_type, body = render(registry, "application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert body.endswith(b"# EOF\n")
    families = {family.name: family for family in parse_openmetrics(body.decode())}
    assert families["hybridd_served"].type == "counter"


def test_the_registry_has_the_master_process_too(world):
    content_type, body = render(make_registry(world.collector), "")
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    for name in (
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_open_fds",
        "hybridd_build_info",
    ):
        assert b"\n# TYPE " + name.encode() in b"\n" + body


PROMETHEUS_2 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"  # noqa: E501
PROMETHEUS_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"  # noqa: E501


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (PROMETHEUS_2, True),
        (PROMETHEUS_3, True),
        ("application/openmetrics-text", True),
        ("Application/OpenMetrics-Text ; Version=1.0.0", True),
        ("", False),
        ("*/*", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("text/plain;version=0.0.4;q=1,application/openmetrics-text;q=0.5", False),
        ("application/openmetrics-text;version=2.0.0", False),
        ("application/openmetrics-text;version=abc", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=high", False),
        (",;,=,;;", False),
    ],
)
def test_who_gets_openmetrics(accept, expected):
    assert prefers_openmetrics(accept) is expected
