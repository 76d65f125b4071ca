"""The folder: files of the living beside those of the dead, which are retired; also when somebody is killed at it."""

from __future__ import annotations

import os
from collections.abc import Iterable

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from hybridd.ops import value_readings
from hybridd.ops.value_merging import Refusal
from hybridd.ops.value_readings import lives, read
from tests.support.value_files import Process


def only(*pids):
    return lambda pid: pid in pids


def total(folder, sample, alive: Iterable[int] = (), **labels):
    """What our look and the library's own say; they must agree."""
    reading = read(str(folder), 1000, only(*alive))
    assert not reading.refused
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))
    return registry.get_sample_value(sample, labels)


def files(folder):
    return {path.name for path in folder.iterdir()} - {"lock"}


def test_the_dead_are_retired_and_count_on(tmp_path):
    Process(tmp_path, 7).count(3)
    Process(tmp_path, 8).count(4)
    assert total(tmp_path, "jobs_total", [7, 8]) == 7
    assert files(tmp_path) == {"counter_7.db", "counter_8.db"}
    assert total(tmp_path, "jobs_total", [8]) == 7
    assert files(tmp_path) == {"counter_8.db", "counter_retired.db"}
    Process(tmp_path, 9).count(5)
    assert total(tmp_path, "jobs_total", []) == 12
    assert files(tmp_path) == {"counter_retired.db"}


def test_two_hundred_deaths_leave_one_file_of_each_kind(tmp_path):
    for pid in range(1, 201):
        Process(tmp_path, pid).count(1).level("max", pid).level("liveall", 1)
        if pid % 50 == 0:
            read(str(tmp_path), 1000, only())
    assert total(tmp_path, "jobs_total") == 200
    assert total(tmp_path, "level") == 200
    assert files(tmp_path) == {"counter_retired.db", "gauge_max_retired.db"}
    assert (tmp_path / "counter_retired.db").stat().st_size < 4096


@pytest.mark.parametrize(("mode", "value"), [("sum", 10), ("min", 3), ("max", 7), ("mostrecent", 3)])
def test_gauges_that_outlive_their_process(tmp_path, mode, value):
    Process(tmp_path, 7).level(mode, 3, timestamp=20)
    Process(tmp_path, 8).level(mode, 7, timestamp=10)
    assert total(tmp_path, "level") == value
    assert files(tmp_path) == {f"gauge_{mode}_retired.db"}


@pytest.mark.parametrize("mode", ["all", "liveall", "livesum", "livemin", "livemax", "livemostrecent"])
def test_gauges_that_go_with_their_process(tmp_path, mode):
    Process(tmp_path, 7).level(mode, 3, timestamp=20)
    Process(tmp_path, 8).level(mode, 7, timestamp=10)
    labels = {"pid": "8"} if mode.endswith("all") else {}
    assert total(tmp_path, "level", [8], **labels) == 7
    assert files(tmp_path) == {f"gauge_{mode}_8.db"}


def test_a_histogram_and_a_summary_outlive_their_process(tmp_path):
    for pid in (7, 8):
        Process(tmp_path, pid).observe({"0.1": 1, "1.0": 2, "+Inf": 0}, 1.5)
        Process(tmp_path, pid).say("summary", {"size_count": 2, "size_sum": 30})
    for _ in range(2):  # adding up does not add up again
        assert total(tmp_path, "time_bucket", le="1.0") == 6
        assert total(tmp_path, "time_count") == 6
        assert total(tmp_path, "time_sum") == 3
        assert total(tmp_path, "size_sum") == 60


def test_whoever_is_killed_between_two_steps_leaves_nothing_that_counts_twice(tmp_path, monkeypatch):
    Process(tmp_path, 7).count(3)
    Process(tmp_path, 8).count(4)
    with monkeypatch.context() as patch:
        patch.setattr(value_readings, "_remove", lambda folder, graves: None)  # killed before it
        read(str(tmp_path), 1000, only(8))
    assert files(tmp_path) == {"counter_7.db", "counter_8.db", "counter_retired.db"}
    assert total(tmp_path, "jobs_total", [8]) == 7
    with monkeypatch.context() as patch:
        patch.setattr(value_readings, "_remove", lambda folder, graves: None)
        read(str(tmp_path), 1000, only())
    (tmp_path / "counter_retired.db.new").write_bytes(b"of one who was killed while he wrote")
    assert total(tmp_path, "jobs_total") == 7
    assert files(tmp_path) == {"counter_retired.db"}


def test_a_new_process_with_an_old_number_counts(tmp_path):
    Process(tmp_path, 7).count(3)
    read(str(tmp_path), 1000, only())
    Process(tmp_path, 7).count(2)
    assert total(tmp_path, "jobs_total") == 5


def test_files_that_are_none_take_nobody_with_them(tmp_path):
    Process(tmp_path, 7).count(3)
    (tmp_path / "counter_1.db").symlink_to("/etc/passwd")
    (tmp_path / "counter_2.db").mkdir()
    os.mkfifo(tmp_path / "counter_3.db")
    (tmp_path / "counter_4.db").write_bytes(b"\xff" * 100)
    (tmp_path / "counter_5.db").touch()
    (tmp_path / "notes.txt").touch()
    reading = read(str(tmp_path), 1000, only(1, 2, 3, 4, 5, 7))
    assert reading.refused == {Refusal.DAMAGED: 4}
    assert [entries[0][1] for name, entries in reading.living if name.pid == 7] == [3]
    assert read(str(tmp_path), 1000, only()).retired["counter"][0][1] == 3
    assert files(tmp_path) == {"counter_2.db", "counter_retired.db", "notes.txt"}


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with (tmp_path / "counter_7.db").open("wb") as file:
        file.write((1 << 30).to_bytes(4, "little"))
        file.truncate(1 << 30)  # sparse
    assert read(str(tmp_path), 1000, only(7)).refused == {Refusal.TOO_LARGE: 1}


def test_of_the_dead_no_more_is_kept_than_is_shown(tmp_path):
    process = Process(tmp_path, 7).count(3, "few")
    for n in range(20):
        process.count(1, "many", n=str(n))
    assert [value for _, value, _ in read(str(tmp_path), 10, only()).retired["counter"]] == [3]


def test_who_lives():
    assert lives(os.getpid())
    assert not lives((1 << 22) + 1)  # above the largest number that a process can have
