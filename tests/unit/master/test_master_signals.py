from __future__ import annotations

import signal

from hybridd.master.signals import BY_NUMBER, SIGNALS, table


def test_every_promised_signal_is_in_the_table_once():
    promised = {"TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "TTIN", "TTOU", "WINCH", "CHLD"}
    assert {understood.name for understood in SIGNALS} == promised
    assert len(SIGNALS) == len(BY_NUMBER) == len(promised)


def test_only_signals_that_ask_for_nothing_have_no_event():
    assert {understood.name for understood in SIGNALS if understood.event is None} == {"WINCH", "CHLD"}


def test_what_cannot_be_caught_or_is_a_fault_is_left_alone():
    assert BY_NUMBER.keys().isdisjoint({signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV, signal.SIGABRT, signal.SIGPIPE})


def test_the_manual_has_a_row_for_each():
    lines = table().splitlines()
    assert len(lines) == 2 + len(SIGNALS)
    for understood in SIGNALS:
        assert any(line.startswith(f"| `{understood.name}` | {understood.help}") for line in lines)
