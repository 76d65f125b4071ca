"""What an error of asking means for the operator; the asking itself is an integration test."""

from __future__ import annotations

import http.client

import pytest

from hybridd.cli import scale, stacks, worker
from hybridd.cli.verb import NoAnswerError, explain, new_verb, read_verb, socket_of
from hybridd.errors import UsageError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError(), "does not answer: the master hangs or is stopped"),
        (FileNotFoundError(), "nobody listens on /x; is hybridd running"),
        (ConnectionRefusedError(), "nobody listens on /x"),
        (PermissionError(), "only root and the user that hybridd runs as may ask"),
        (http.client.RemoteDisconnected(), "hung up without an answer"),
        (OSError(5, "Input/output error"), "cannot ask /x: Input/output error"),
        (http.client.BadStatusLine("?"), "does not answer in HTTP"),
    ],
)
def test_errors_in_words(error, said):
    assert said in explain("/x", error)


@pytest.mark.parametrize("arguments", [["3", "--control", "/x"], ["--control", "/x", "3"]])
def test_a_word_may_stand_before_or_behind_the_options(arguments):
    given, words = read_verb(new_verb("scale N", "d"), arguments, most=1)
    assert (socket_of(given), words) == ("/x", ["3"])


@pytest.mark.parametrize("arguments", [["--timeout", "0", "4"], ["4", "--timeout", "0"], ["--timeout=0", "4"]])
def test_the_value_of_an_option_is_not_the_word(arguments):
    given, words = read_verb(new_verb("scale N", "d", waits="w"), arguments, most=1)
    assert (given.options.timeout, words) == ("0", ["4"])


def test_the_socket_may_be_off():
    given, _ = read_verb(new_verb("status", "d"), ["--control", "off"])
    with pytest.raises(NoAnswerError, match="control: PATH"):
        socket_of(given)


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [(scale, []), (scale, ["-3"]), (stacks, ["-1"]), (scale, ["1", "2"]), (worker, []), (worker, ["restart"])],
)
def test_what_is_no_number(verb, arguments):
    with pytest.raises(UsageError):
        verb.main(arguments)
