"""The settings of one file; the messages stand in wrong/, held by test_loading_wrong.py."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from hybridd.config.declaration import Schema, setting
from hybridd.config.document import parse
from hybridd.config.file_layer import FileLayer
from hybridd.config.files import UnreadableError
from hybridd.config.quantities import integer
from hybridd.config.settings import SCHEMA
from hybridd.config.words import directory, several


@dataclass(frozen=True, slots=True)
class Door:
    """A door."""

    password: str = setting("", directory(), "What opens it.", secret=True)
    height: int = setting(2, integer(1, 9), "How high.")


@dataclass(frozen=True, slots=True)
class House:
    """A house."""

    doors: tuple[str, ...] = setting((), several(directory()), "Where they lead.")
    front: Door = Door()


FILES = {"/run/secret": "open sesame\n", "/run/bad": "two\nlines\n"}


def read_secret(path):
    if path not in FILES:
        raise UnreadableError("cannot read it: No such file or directory")
    return FILES[path]


HOUSE = Schema(House)


def layer(text, environment=None, schema=HOUSE):
    return FileLayer(schema, "f.yaml", environment or {}, read_secret).read(parse(text))


def problems(text, environment=None, schema=HOUSE):
    return [str(problem) for problem in layer(text, environment, schema).problems]


def test_values_have_the_place_of_their_key_as_origin():
    found = layer("workers: 3\ntimeouts:\n  head: 5s\n", schema=SCHEMA)
    assert found.values == {"workers": 3, "timeouts.head": 5.0}
    assert {key: str(origin) for key, origin in found.origins.items()} == {
        "workers": "f.yaml:1:1",
        "timeouts.head": "f.yaml:3:3",
    }
    assert found.problems == []


@pytest.mark.parametrize("text", ["", "# nothing\n", "front:\n", "front:\n  # height: 3\n", "front: {}\n", "{}\n"])
def test_empty_files_and_sections_say_nothing(text):
    found = layer(text)
    assert (found.values, found.problems) == ({}, [])


def test_a_list_or_one_value():
    assert layer("doors: /a\n").values == {"doors": ("/a",)}
    assert layer("doors:\n  - /a\n  - /b\n").values == {"doors": ("/a", "/b")}
    assert layer("doors: ${D}\n", {"D": "/a,/b"}).values == {"doors": ("/a", "/b")}


def test_a_number_may_come_from_the_environment():
    assert layer("front: {height: '${H:-4}'}").values == {"front.height": 4}
    assert layer("front:\n  height: ${H}\n", {"H": "7"}).values == {"front.height": 7}


def test_each_wrong_item_of_a_list_is_told_at_its_place():
    assert problems("doors: [[x], 1, ok, ~]") == [
        "f.yaml:1:9: doors: expected the path of a directory, got a list",
        "f.yaml:1:14: doors: expected the path of a directory, got 1 (which YAML reads as a number); put it in quotes",
        "f.yaml:1:21: doors: expected the path of a directory, got nothing; remove the key to have the default",
    ]


def test_a_wrong_value_gives_no_value():
    found = layer("front: {height: 99}\n")
    assert found.values == {}
    assert found.problems[0].about == "front.height"
    assert not found.problems[0].blinding


def test_problems_stand_in_the_order_of_the_file():
    lines = [problem.origin.mark.line for problem in layer("a: 1\nfront: {height: 0}\nfront: 1\nb: 2\n").problems]
    assert lines == sorted(lines)
    assert len(lines) == 4


def test_a_file_that_cannot_be_parsed_blinds():
    assert [problem.blinding for problem in layer("a: [").problems] == [True]
    assert [problem.blinding for problem in layer("front: {height: 3, height: 4}").problems] == [False]


def test_a_secret_is_never_shown():
    (told,) = problems('front: {password: "two\\nlines"}')
    assert told == "f.yaml:1:19: front.password: expected the path of a directory, got a value that is not shown"


def test_a_secret_may_stand_in_a_file_of_its_own():
    assert layer("front: {password_file: /run/secret}").values == {"front.password": "open sesame"}
    assert layer("front: {password_file: '${P}'}", {"P": "/run/secret"}).values == {"front.password": "open sesame"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "front: {password_file: /run/none}",
            "f.yaml:1:9: front.password_file: /run/none: cannot read it: No such file or directory",
        ),
        (
            "front: {password_file: /run/bad}",
            "f.yaml:1:9: front.password: expected the path of a directory, got a value that is not shown",
        ),
        (
            "front: {password: x, password_file: /run/secret}",
            "f.yaml:1:22: front.password: expected one of password and password_file, got both",
        ),
        (
            "front: {password_file: '${NONE}'}",
            "f.yaml:1:9: front.password: the environment variable NONE is not set; ${NONE:-default} does without it",
        ),
        (
            "front: {height_file: /run/secret}",
            "f.yaml:1:9: front.height_file: unknown setting; did you mean front.height",
        ),
    ],
)
def test_a_wrong_file_of_a_secret_is_told(text, told):
    assert problems(text) == [told]
