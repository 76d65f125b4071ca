"""Settings found in a tree of dataclasses."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from hybridd.config.declaration import Schema, setting
from hybridd.config.quantities import integer


@dataclass(frozen=True, slots=True)
class Inner:
    """Things inside."""

    depth: int = setting(3, integer(1, 9), "How deep.", restart="it is dug once")


@dataclass(frozen=True, slots=True)
class Outer:
    """Things outside."""

    width: int = setting(5, integer(1, 9), "How wide.", flags="--width -x", also="breadth")
    inner: Inner = Inner()


SCHEMA = Schema(Outer)


def test_everything_comes_from_one_declaration():
    assert list(SCHEMA.settings) == ["width", "inner.depth"]
    width, depth = SCHEMA.settings.values()
    assert (width.section, width.name, width.variable) == ("", "width", "HYBRIDD_WIDTH")
    assert (depth.section, depth.name, depth.variable) == ("inner", "depth", "HYBRIDD_INNER__DEPTH")
    assert width.default == 5
    assert width.kind.expected == "a whole number from 1 to 9"
    assert width.declaration.flags == ("--width", "-x")
    assert width.declaration.also == ("breadth",)
    assert depth.declaration.restart == "it is dug once"
    assert SCHEMA.by_variable["HYBRIDD_INNER__DEPTH"] is depth


def test_sections_have_their_help_from_their_class():
    assert [(section.key, section.help) for section in SCHEMA.sections] == [
        ("", "Things outside."),
        ("inner", "Things inside."),
    ]
    assert SCHEMA.section_names == ("inner",)


def test_values_by_key_become_dataclasses_and_defaults_fill_the_rest():
    built = SCHEMA.build({"inner.depth": 7})
    assert built == Outer(5, Inner(7))
    assert SCHEMA.get(built, "inner.depth") == 7
    assert SCHEMA.build({}) == Outer()


def test_values_cannot_be_changed():
    with pytest.raises(AttributeError):
        Outer().width = 6
