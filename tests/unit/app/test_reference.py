from __future__ import annotations

import re

import pytest

from hybridd.app.reference import parse_reference


def test_a_module_and_an_attribute():
    reference = parse_reference("mysite.wsgi:application")
    assert (reference.module, reference.attributes, reference.called) == ("mysite.wsgi", ("application",), False)


def test_dotted_attributes():
    assert parse_reference("mysite:site.wsgi.app").attributes == ("site.wsgi.app",)


def test_a_bare_module_means_its_usual_names():
    assert parse_reference("mysite").attributes == ("application", "app")
    assert parse_reference("mysite", factory=True).attributes == ("create_app", "make_app")
    assert parse_reference("mysite", factory=True).called


def test_a_call_with_literal_arguments():
    reference = parse_reference("mysite:make.app('test', 3, debug=True, hosts=['a'])")
    assert reference.called
    assert reference.attributes == ("make.app",)
    assert reference.arguments == ("test", 3)
    assert reference.keywords == {"debug": True, "hosts": ["a"]}


def test_factory_calls_without_arguments():
    reference = parse_reference("mysite:make", factory=True)
    assert (reference.called, reference.arguments, reference.keywords) == (True, (), {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "expected module:attribute"),
        (":app", "expected module:attribute"),
        ("mysite:", "expected module:attribute"),
        ("my-site:app", "'my-site' is not a module name"),
        ("mysite.:app", "'mysite.' is not a module name"),
        ("mysite/wsgi.py:app", "'mysite/wsgi.py' is a file; name the module: mysite.wsgi:app"),
        ("./wsgi.py", "'./wsgi.py' is a file; name the module: wsgi:application"),
        ("mysite:app + 1", "is not a name, a dotted name or a call"),
        ("mysite:app[0]", "is not a name, a dotted name or a call"),
        ("mysite:1", "is not a name, a dotted name or a call"),
        ("mysite:make(", "is not a name, a dotted name or a call"),
        ("mysite:make()()", "is not a name, a dotted name or a call"),
        ("mysite:make(os.environ)", "must be literals"),
        ("mysite:make(**{})", "must be literals"),
        ("mysite:make(x=open('f'))", "must be literals"),
    ],
)
def test_what_is_not_a_reference(text, expected):
    with pytest.raises(ValueError, match=re.escape(expected)):
        parse_reference(text)
