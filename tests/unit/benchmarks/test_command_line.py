"""The options of benchmarks/run."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.command_line import choose_peers, parse, plan
from benchmarks.peers.catalogue import SUBJECT
from benchmarks.scenarios.catalogue import Unknown


def names(words):
    return [peer.name for peer in choose_peers(words)]


def test_peers_are_chosen_by_parts_of_their_names_and_the_subject_is_always_there():
    assert names("gthread, BJOERN") == [SUBJECT, "gunicorn gthread", "bjoern"]
    assert names("gunicorn") == [SUBJECT, "gunicorn sync", "gunicorn gthread", "gunicorn gevent"]


def test_an_unknown_peer_is_named():
    with pytest.raises(Unknown, match="'apache'"):
        choose_peers("bjoern,apache")


def test_only_a_complete_run_is_published():
    assert plan(parse([])).folder is not None
    for incomplete in (["--scenario", "a"], ["--peers", "bjoern"], ["--rounds", "3"], ["--options=--handlers threads"]):
        assert plan(parse(incomplete)).folder is None


def test_unless_a_folder_is_asked_for():
    assert plan(parse(["--scenario", "a", "--write", "/tmp/x"])).folder == Path("/tmp/x")


@pytest.mark.parametrize("wrong", [["--rounds", "0"], ["--seconds", "-1"], ["--nonsense"]])
def test_wrong_options_end_with_status_2(wrong, capsys):
    with pytest.raises(SystemExit) as ended:
        parse(wrong)
    assert ended.value.code == 2
    assert capsys.readouterr().err
