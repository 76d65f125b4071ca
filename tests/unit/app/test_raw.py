from __future__ import annotations

import pytest

from hybridd.app.raw import load_protocol_factory
from hybridd.errors import BootError
from tests.apps import echo_tcp


@pytest.fixture(autouse=True)
def _import_system(monkeypatch):
    monkeypatch.syspath_prepend(".")


def refused(spec: str, *, factory: bool = False) -> str:
    with pytest.raises(BootError) as info:
        load_protocol_factory(spec, factory=factory)
    return str(info.value)


def test_a_protocol_class_is_its_own_factory():
    assert load_protocol_factory("tests.apps.echo_tcp:Echo") is echo_tcp.Echo


def test_a_function_that_makes_protocols():
    assert isinstance(load_protocol_factory("tests.apps.echo_tcp:make_echo")(), echo_tcp.Echo)


def test_a_function_that_makes_a_factory():
    assert load_protocol_factory("tests.apps.echo_tcp:make_factory()") is echo_tcp.Echo
    assert load_protocol_factory("tests.apps.echo_tcp:make_factory", factory=True) is echo_tcp.Echo


def test_buffered_protocols_are_not_supported():
    assert "Buffered is an asyncio.BufferedProtocol, which is not supported" in refused("tests.apps.echo_tcp:Buffered")


def test_something_else():
    text = refused("tests.apps.echo_tcp:NotOne")
    assert (
        "it makes NotOne objects without connection_made and connection_lost; an asyncio.Protocol is expected" in text
    )


def test_methods_that_would_never_run():
    assert "Coroutines.data_received is an async function and would never run" in refused(
        "tests.apps.echo_tcp:Coroutines"
    )


def test_a_factory_that_would_never_run():
    assert "the factory is an async function" in refused("tests.apps.echo_tcp:make_later")


def test_a_factory_that_fails():
    text = refused("tests.apps.echo_tcp:Raises")
    assert "making a protocol failed: LookupError: no database today\nTraceback" in text
    assert "echo_tcp.py" in text
    assert "raw.py" not in text


def test_a_misspelt_name():
    assert "(did you mean 'Echo'?)" in refused("tests.apps.echo_tcp:Ecoh")
