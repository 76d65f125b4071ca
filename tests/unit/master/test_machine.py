from __future__ import annotations

from dataclasses import replace

from hybridd.config.settings import Config
from hybridd.master.machine import Machine, fit, shortcomings

AMPLE = Machine(cpus=6, open_files=1_000_000, somaxconn=4096)


def test_auto_means_one_worker_per_cpu_and_a_number_means_itself():
    assert fit(Config(workers=0), AMPLE).workers == 6
    assert fit(Config(workers=2), AMPLE).workers == 2


def test_an_ample_machine_grants_every_wish():
    config = Config(workers=3)
    assert fit(config, AMPLE) == config
    assert list(shortcomings(config, AMPLE)) == []


def test_connections_are_lowered_to_what_the_open_files_allow_and_that_is_said_once():
    machine = replace(AMPLE, open_files=1024)
    config = Config(workers=1)
    fitted = fit(config, machine)
    assert 500 < fitted.limits.connections < 1024
    (said,) = shortcomings(config, machine)
    assert f"from 10000 to {fitted.limits.connections}" in said
    assert list(shortcomings(fitted, machine)) == []


def test_a_backlog_that_the_system_cuts_is_said():
    (said,) = shortcomings(Config(), replace(AMPLE, somaxconn=128))
    assert "backlog is 2048" in said
    assert "128" in said
    assert list(shortcomings(Config(), replace(AMPLE, somaxconn=None))) == []


def test_a_thread_for_each_connection_takes_two_open_files_of_each():
    machine = replace(AMPLE, open_files=1024)
    one, two = (fit(Config(dispatch=dispatch), machine).limits.connections for dispatch in ("hybrid", "thread"))
    assert two == one // 2
