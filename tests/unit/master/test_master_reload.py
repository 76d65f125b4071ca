from __future__ import annotations

import pytest

from hybridd.config.loading import load
from hybridd.master import events
from hybridd.master.certificates import NONE
from hybridd.master.listeners import Listeners
from hybridd.master.machine import Machine
from hybridd.master.reload import Configurations

MACHINE = Machine(cpus=4, open_files=1_000_000, somaxconn=4096)


class PlayedListener:
    """The one that the defaults ask for."""

    name = "0.0.0.0:8080"
    number = 0

    def fileno(self):
        return 3


def listeners():
    return Listeners([PlayedListener()])


@pytest.fixture
def file(tmp_path):
    return tmp_path / "hybridd.yaml"


def started(file, text="workers: 2\n"):
    file.write_text(text)
    return Configurations(load([file], {}, {}), lambda: MACHINE, listeners(), NONE)


def test_a_changed_setting_makes_a_generation_and_nothing_else_changes_until_it_is_trusted(file):
    configurations = started(file)
    file.write_text("workers: 2\nthreads: 9\ntimeouts: {boot: 5s, graceful: 7s}\ncrash: {restarts: 3}\n")
    event = configurations.read()
    assert isinstance(event, events.ConfigurationRead)
    assert (event.generation, event.workers) == (2, None)
    assert (event.patience.boot, event.patience.graceful, event.policy.restarts) == (5.0, 7.0, 3)
    assert configurations.of(2).threads == 9
    assert configurations.in_force.threads == 32
    configurations.trust(2)
    assert configurations.in_force.threads == 9


def test_a_changed_number_of_workers_is_named(file):
    configurations = started(file)
    file.write_text("workers: auto\n")
    event = configurations.read()
    assert isinstance(event, events.ConfigurationRead)
    assert event.workers == 4


def test_the_same_number_in_other_words_is_no_change(file):
    configurations = started(file, "workers: auto\n")
    file.write_text("workers: 4\n")
    event = configurations.read()
    assert isinstance(event, events.ConfigurationRead)
    assert event.workers is None


def test_the_machine_is_looked_at_again_for_each_reload(file):
    file.write_text("workers: auto\n")
    machines = iter([MACHINE, Machine(cpus=2, open_files=1_000_000, somaxconn=4096)])
    configurations = Configurations(load([file], {}, {}), lambda: next(machines), listeners(), NONE)
    event = configurations.read()
    assert isinstance(event, events.ConfigurationRead)
    assert (configurations.in_force.workers, event.workers) == (4, 2)


def test_all_problems_of_a_wrong_configuration_are_the_reason(file):
    configurations = started(file)
    file.write_text("wokers: 2\nthreads: many\n")
    event = configurations.read()
    assert isinstance(event, events.ConfigurationRefused)
    assert "hybridd.yaml:1:1" in event.reason
    assert "hybridd.yaml:2:" in event.reason


def test_what_a_reload_cannot_change_is_named_and_nothing_is_applied(file):
    configurations = started(file)
    file.write_text("workers: 3\nadmin: off\n")
    event = configurations.read()
    assert isinstance(event, events.ConfigurationRefused)
    assert "admin (127.0.0.1:9815 to off) needs an upgrade or a restart" in event.reason
    assert "nothing is applied" in event.reason
    assert configurations.in_force.workers == 2


def test_a_listener_that_only_a_start_can_take_over_is_refused(file):
    configurations = started(file)
    file.write_text("listen: ['0.0.0.0:8080', 'systemd:web']\n")
    event = configurations.read()
    assert isinstance(event, events.ConfigurationRefused)
    assert event.reason == (
        "nothing is applied: cannot listen on systemd:web: it can only be taken over when hybridd starts"
    )


def test_a_generation_that_is_given_up_leaves_the_trusted_configuration_for_comparison(file):
    configurations = started(file)
    file.write_text("workers: 2\nthreads: 9\n")
    assert isinstance(configurations.read(), events.ConfigurationRead)
    file.write_text("workers: 2\nthreads: 10\n")
    event = configurations.read()
    assert isinstance(event, events.ConfigurationRead)
    assert event.generation == 3
    configurations.trust(3)
    configurations.forget({3})
    assert configurations.worker_limits().keys() == {3}


def test_limits_are_kept_for_generations_that_still_have_workers(file):
    configurations = started(file)
    file.write_text("timeouts: {worker: 5s}\n")
    configurations.read()
    configurations.trust(2)
    configurations.forget({1, 2})
    assert configurations.worker_limits() == {1: 30.0, 2: 5.0}
