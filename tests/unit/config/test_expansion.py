"""Environment variables in the values of a file."""

from __future__ import annotations

import pytest

from hybridd.config.expansion import ExpansionError, escape, expand

ENVIRONMENT = {"NAME": "value", "EMPTY": "", "NESTED": "${NAME}", "_x1": "u"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("", ""),
        ("plain", "plain"),
        ("${NAME}", "value"),
        ("a${NAME}b${NAME}", "avaluebvalue"),
        ("${_x1}", "u"),
        ("${EMPTY}", ""),
        ("${EMPTY:-x}", "x"),
        ("${NONE:-}", ""),
        ("${NONE:-a b:-c}", "a b:-c"),
        ("${NAME:-x}", "value"),
        ("${NESTED}", "${NAME}"),
        ("$NAME", "$NAME"),
        ("$", "$"),
        ("$$", "$$"),
        ("$${NAME}", "${NAME}"),
        ("$$${NAME}", "$${NAME}"),
        ("{NAME}", "{NAME}"),
    ],
)
def test_expansion(text, expanded):
    assert expand(text, ENVIRONMENT) == expanded


@pytest.mark.parametrize("text", ["${", "${}", "${NAME", "${1X}", "${A B}", "${NAME:=x}", "${NAME:+x}", "${a-b}"])
def test_what_cannot_be_expanded_is_refused(text):
    with pytest.raises(ExpansionError, match=r"^expected \$\{NAME\} or \$\{NAME:-default\}, got \$\{"):
        expand(f"before {text}", ENVIRONMENT)


def test_a_variable_that_is_not_set_is_refused_with_the_way_out():
    with pytest.raises(ExpansionError, match=r"^the environment variable NONE is not set; \$\{NONE:-default\} does"):
        expand("${NONE}", ENVIRONMENT)


@pytest.mark.parametrize("text", ["plain", "${NAME}", "$${NAME}", "$", "${", "a${b}c${d"])
def test_an_escaped_text_expands_to_itself(text):
    assert expand(escape(text), {}) == text
