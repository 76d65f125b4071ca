from __future__ import annotations

from hybridd.ops.title import connection_title, master_title, worker_title


def test_the_master():
    assert master_title("shop:app", 3, "running") == "hybridd: master [shop:app] gen 3, running"
    assert master_title("", 1, "starting") == "hybridd: master gen 1, starting"


def test_a_worker():
    assert worker_title(2, 3, "ready", connections=118, calls=4) == "hybridd: worker 2 gen 3, 118 connections, 4 calls"
    assert worker_title(2, 3, "draining", connections=1, calls=0).startswith("hybridd: worker 2 gen 3 draining, 1 ")


def test_the_process_of_one_connection():
    assert connection_title(2, 3, ("10.0.0.1", 4711)) == "hybridd: worker 2 gen 3, connection from 10.0.0.1:4711"
    assert connection_title(2, 3, "") == "hybridd: worker 2 gen 3, connection from a unix socket"
