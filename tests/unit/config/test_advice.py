"""What is legal but unwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hybridd.config.address import parse_address
from hybridd.config.advice import RULES, Facts, advise
from hybridd.config.conversion import GIB, MIB
from hybridd.config.listener_words import parse_endpoint
from hybridd.config.loading import load
from hybridd.config.patterns import PATTERNS
from hybridd.config.settings import AccessLog, Config, Limits, Log, Shutdown, Timeouts

USUAL = Facts(cpus=4, somaxconn=4096, descriptors=524_288)


def keys(config, facts=USUAL):
    return [one.key for one in advise(config, facts)]


def test_the_defaults_are_wise_on_a_usual_machine():
    assert advise(Config(), USUAL) == []


def test_nothing_is_said_about_what_is_not_known():
    assert advise(Config(workers=500, backlog=60_000, limits=Limits(connections=1_000_000)), Facts()) == []


@pytest.mark.parametrize(
    ("config", "key", "beginning"),
    [
        (
            Config(timeouts=Timeouts(graceful=120.0)),
            "timeouts.graceful",
            "2m and shutdown.drain_delay let a stop take 2m",
        ),
        (
            Config(shutdown=Shutdown(drain_delay=61.0)),
            "timeouts.graceful",
            "30s and shutdown.drain_delay let a stop take",
        ),
        (Config(timeouts=Timeouts(handler=40.0)), "timeouts.handler", "40s is longer than timeouts.graceful"),
        (Config(timeouts=Timeouts(keep_alive=5.0)), "timeouts.keep_alive", "5s is shorter than the 60s"),
        (Config(timeouts=Timeouts(head=61.0)), "timeouts.head", "61s lets a client"),
        (Config(limits=Limits(body=2 * GIB)), "limits.body", "2GiB in one request"),
        (Config(limits=Limits(body_memory=17 * MIB)), "limits.body_memory", "17MiB of memory"),
        (Config(limits=Limits(response_memory=17 * MIB)), "limits.response_memory", "17MiB of memory"),
        (Config(workers=5), "workers", "5 is more than the CPUs that hybridd may use (4)"),
        (Config(threads=257), "threads", "257 threads"),
        (Config(backlog=5000), "backlog", "5000 is cut to 4096"),
        (Config(limits=Limits(connections=524_200)), "limits.connections", "524200 is more than 524288 open files"),
        (Config(admin=parse_address("0.0.0.0:9815")), "admin", "0.0.0.0:9815 shows"),
        (Config(admin=parse_address("[::]:9815")), "admin", "[::]:9815 shows"),
        (Config(listen=(parse_endpoint("unix:/tmp/a.sock"),)), "listen", "unix:/tmp/a.sock stands in a directory"),
        (Config(listen=(parse_endpoint("unix:a.sock"),)), "listen", "a.sock is relative"),
        (Config(chdir="app"), "chdir", "app is relative"),
        (Config(daemon=True), "log.file", "- is standard error, which a daemon"),
        (Config(daemon=True, log=Log(file="/a")), "access_log.file", "- is standard output, which with a daemon is /a"),
        (Config(umask=0), "umask", "0000 lets everybody write"),
        (Config(pid_file="hybridd.pid"), "pid_file", "hybridd.pid is relative"),
        (Config(log=Log(file="log/a")), "log.file", "log/a is relative"),
        (Config(log=Log(file="/a"), access_log=AccessLog(file="/a")), "access_log.file", "/a is also log.file"),
    ],
)
def test_each_rule_speaks_of_its_setting_and_begins_with_the_value(config, key, beginning):
    (one,) = advise(config, USUAL)
    assert one.key == key
    assert one.text.startswith(beginning)


def of_pattern(pattern, **flags):
    return load([], {}, {"pattern": pattern, **{key.replace("__", "."): value for key, value in flags.items()}}).config


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_is_wise_by_itself(pattern):
    assert advise(of_pattern(pattern), USUAL) == []


@pytest.mark.parametrize(
    ("config", "key", "beginning"),
    [
        (of_pattern("thread", dispatch="serial"), "dispatch", "serial makes pattern thread what pattern serial is"),
        (of_pattern("serial", timeouts__keep_alive="75s"), "dispatch", "serial with timeouts.keep_alive 75s: one idle"),
        (of_pattern("pool", timeouts__keep_alive="75s"), "dispatch", "pool with timeouts.keep_alive 75s: each idle"),
        (of_pattern("reactor", timeouts__handler="9s"), "timeouts.handler", "9s ends no handler with dispatch reactor"),
        (of_pattern("serial", timeouts__handler="9s"), "timeouts.handler", "9s ends no handler with dispatch serial"),
        (of_pattern("pool", handlers="threads"), "handlers", "threads means nothing with dispatch pool"),
        (
            of_pattern("thread", limits__connections="9"),
            "limits.connection_threads",
            "1000 is never reached: limits.connections is 9",
        ),
        (
            of_pattern("process", limits__connections="9"),
            "limits.connection_processes",
            "256 is never reached: limits.connections is 9",
        ),
    ],
)
def test_combinations_that_a_pattern_does_not_go_with(config, key, beginning):
    (one,) = advise(config, USUAL)
    assert one.key == key
    assert one.text.startswith(beginning)


def test_a_free_combination_without_a_name_is_nothing_to_remark_on():
    assert advise(of_pattern("thread", workers="2"), USUAL) == []


def test_directories_that_do_not_exist():
    config = Config(
        chdir="/gone",
        log=Log(file="/gone/log"),
        access_log=AccessLog(file="/here/log"),
        admin=parse_address("unix:/gone/admin.sock"),
    )
    assert keys(config, replace(USUAL, missing=frozenset({"/gone"}))) == ["chdir", "log.file", "admin"]


def test_limits_are_exact():
    assert keys(Config(timeouts=Timeouts(graceful=90.0, keep_alive=60.0, head=60.0, handler=90.0))) == []
    assert keys(Config(workers=4, threads=256, backlog=4096)) == []


def test_every_rule_is_needed(monkeypatch):
    """Each rule is the only one that says something about some configuration above."""
    unwise = replace(
        Config(workers=9, handlers="threads", dispatch="reactor", admin=parse_address("0.0.0.0:1"), chdir="x", umask=0),
        timeouts=Timeouts(graceful=100.0, keep_alive=1.0),
    )
    for rule in RULES:
        assert list(rule(unwise, USUAL))
