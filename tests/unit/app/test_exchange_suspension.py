"""An exchange whose client is slow, or goes."""

from __future__ import annotations

import contextvars

import pytest

from tests.apps import big_body, legacy_write, streaming
from tests.support.outlet import RecordingOutlet, make_exchange


def falls_behind(outlet: RecordingOutlet) -> None:
    outlet.behind = True


def test_it_rests_when_the_client_is_behind_and_goes_on_later():
    outlet = RecordingOutlet(falls_behind)
    exchange = make_exchange(streaming.application, outlet, query="count=3&size=1")
    assert exchange.step() is False
    assert outlet.parts == [b"A"]
    assert exchange.step() is False  # still behind: nothing more is asked for
    assert outlet.parts == [b"A"]
    outlet.behind = False
    assert exchange.step() is False
    assert outlet.parts == [b"A", b"B"]
    outlet.behind = False
    assert exchange.step() is False
    outlet.behind = False
    before = streaming.closed
    assert exchange.step() is True
    assert outlet.calls == ["start", "send", "send", "finish"]
    assert streaming.closed == before + 1


def test_nobody_waits_for_a_client_that_has_been_given_everything():
    outlet = RecordingOutlet(falls_behind)
    exchange = make_exchange(big_body.application, outlet, query="size=10&as=generator-with-length")
    assert exchange.step() is True
    assert outlet.calls == ["whole"]


def test_write_never_waits_but_the_iterable_behind_it_does():
    outlet = RecordingOutlet(falls_behind)
    exchange = make_exchange(legacy_write.application, outlet, query="count=5&size=1")
    assert exchange.step() is False
    assert outlet.body == b"wwwww"
    outlet.behind = False
    assert exchange.step() is False
    outlet.behind = False
    assert exchange.step() is True
    assert outlet.body == b"wwwwwreturned\n"


def test_a_long_list_rests_too():
    outlet = RecordingOutlet(falls_behind)
    exchange = make_exchange(big_body.application, outlet, query="size=300000&as=list")
    steps = 1
    while not exchange.step():
        steps += 1
        outlet.behind = False
    assert steps == 5  # the last part reaches the length: nothing to rest for
    assert len(outlet.body) == 300_000


def test_every_step_can_run_in_the_same_context():
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")

    def application(environ, start_response):
        variable.set("set by the application")
        start_response("200 OK", [])
        return (variable.get().encode() for _ in range(2))

    outlet = RecordingOutlet(falls_behind)
    context = contextvars.copy_context()
    exchange = make_exchange(application, outlet)
    assert context.run(exchange.step) is False
    outlet.behind = False
    assert context.run(exchange.step) is False
    assert outlet.parts == [b"set by the application"] * 2


def test_a_client_that_goes_ends_the_iteration():
    def leaves(outlet):
        outlet.gone = len(outlet.parts) == 3

    before = streaming.closed
    outlet = RecordingOutlet(leaves)
    assert make_exchange(streaming.application, outlet, "/endless").step() is True
    assert len(outlet.parts) == 3
    assert outlet.calls == ["start", "send", "send"]  # nobody to tell that it is over
    assert streaming.closed == before + 1


def test_a_client_that_goes_while_the_application_thinks():
    outlet = RecordingOutlet()

    def application(environ, start_response):
        start_response("200 OK", [])
        outlet.gone = True
        return streaming.Parts([b"never asked for"])

    before = streaming.closed
    assert make_exchange(application, outlet).step() is True
    assert outlet.calls == []
    assert streaming.closed == before + 1


def test_write_tells_the_application_that_the_client_has_gone(caplog):
    def leaves(outlet):
        outlet.gone = len(outlet.parts) == 2

    outlet = RecordingOutlet(leaves)
    before = legacy_write.gone
    assert make_exchange(legacy_write.application, outlet, "/endless").step() is True
    assert legacy_write.gone == before + 1
    assert not caplog.records  # which is no error of its own


def test_abandoning_a_resting_exchange_closes_it():
    outlet = RecordingOutlet(falls_behind)
    exchange = make_exchange(streaming.application, outlet, "/endless")
    assert exchange.step() is False
    before = streaming.closed
    outlet.gone = True
    exchange.abandon()
    exchange.abandon()
    assert exchange.step() is True
    assert streaming.closed == before + 1
    assert outlet.calls == ["start"]


def test_abandoning_a_fresh_exchange_runs_nothing():
    def application(environ, start_response):
        pytest.fail("the application ran")

    outlet = RecordingOutlet()
    exchange = make_exchange(application, outlet)
    exchange.abandon()
    assert exchange.step() is True
    assert (outlet.calls, outlet.windows) == ([], 0)


def test_close_may_raise_when_abandoned(caplog):
    class Raises:
        def __iter__(self):
            return iter([b"a", b"b"])

        def close(self):
            raise OSError("in close")

    def application(environ, start_response):
        start_response("200 OK", [])
        return Raises()

    outlet = RecordingOutlet(falls_behind)
    exchange = make_exchange(application, outlet)
    exchange.step()
    exchange.abandon()
    assert "OSError: in close" in caplog.text
