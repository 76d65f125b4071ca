from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hybridd.app.application import load_application
from hybridd.app.welcome import welcome
from hybridd.errors import BootError
from tests.apps import hello, site_flask

APPS = Path(hello.__file__).parent


@pytest.fixture(autouse=True)
def _kinds(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kinds.py").write_text(
        "async def asynchronous(scope, receive, send): ...\n"
        "def three(scope, receive, send): ...\n"
        "class Asgi:\n    async def __call__(self, scope, receive, send): ...\n"
        "asgi = Asgi()\n"
        "def make(): ...\n"
        "def one(environ): ...\n"
        "def flexible(*args): ...\n"
        "class Wsgi:\n    def __init__(self, environ, start_response): ...\n"
        "class Bare: ...\n"
    )
    yield
    sys.modules.pop("kinds", None)


def refused(spec: str) -> str:
    with pytest.raises(BootError) as info:
        load_application(spec)
    return str(info.value)


def test_no_name_means_the_welcome_application():
    assert load_application("") is welcome


def test_applications_are_returned_as_they_are():
    assert load_application("tests.apps.hello") is hello.application
    assert load_application("tests.apps.hello:Site.application") is hello.application
    assert load_application("tests.apps.site_flask:create_app", factory=True) is site_flask.app


@pytest.mark.parametrize("name", ["flexible", "Wsgi"])
def test_whatever_takes_two_arguments_will_do(name):
    assert load_application(f"kinds:{name}").__name__ == name


def test_what_has_no_signature_is_taken():
    assert load_application("builtins:getattr") is getattr


@pytest.mark.parametrize("name", ["asynchronous", "three", "asgi"])
def test_asgi_applications_are_named(name):
    assert "like an ASGI application; hybridd serves WSGI" in refused(f"kinds:{name}")


def test_a_factory_without_its_parentheses_is_named():
    assert refused("kinds:make").endswith("it takes no arguments, like a factory; write kinds:make() or --factory")


@pytest.mark.parametrize("name", ["one", "Bare"])
def test_other_signatures(name):
    assert refused(f"kinds:{name}").endswith("a WSGI application takes (environ, start_response)")
