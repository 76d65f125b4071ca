from __future__ import annotations

import pytest

from hybridd.worker.births import Born, Failed, Loaded, Order, Reopen, Unborn, decode, encode, make_channel


@pytest.mark.parametrize(
    "message", [Order(4194304, 3, 0.5), Reopen(), Loaded(1.25), Failed("Zeile 1\nÄ"), Born(4194304, 77), Unborn(1, "")]
)
def test_what_is_sent_is_what_arrives(message):
    ours, theirs = make_channel()
    with ours, theirs:
        theirs.send(encode(message))
        theirs.send(encode(Reopen()))
        assert decode(ours.recv(1000)) == message  # packets keep their bounds


def test_the_masters_end_never_waits():
    ours, theirs = make_channel()
    with ours, theirs, pytest.raises(BlockingIOError):
        ours.recv(1)
