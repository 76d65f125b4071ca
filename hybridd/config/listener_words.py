"""What is special to one listener, in words behind its address: ``0.0.0.0:443 tls certificate=/etc/shop.pem``.

A word is a field of Words and nothing else: its name, what it may be, what it needs, and a sentence stand there.

Knows:     addresses, the words.
Never:     files, sockets; what a word brings about.
Runs in:   every process; pure.
Raises:    AddressError (a ValueError) whose text is "expected …, got …", with what was probably meant.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from hybridd.config.address import Address, AddressError, Kind, parse_address

CLIENT_CERTIFICATES: Final = ("off", "optional", "required")


@dataclass(frozen=True, slots=True)
class _Word:
    """What is said about a word at its field.

    Attributes:
        value: what stands behind the "=", empty when nothing does.
        choices: what that may be; none: the path of a file.
        also: what other programs call it.
        needs: the word without which it means nothing.
        several: it may be said more than once.
    """

    help: str
    value: str = ""
    choices: tuple[str, ...] = ()
    also: str = ""
    needs: str = ""
    several: bool = False


def _word(default: Any, explanation: str, **said: Any) -> Any:
    return field(default=default, metadata={"word": _Word(explanation, **said)})


@dataclass(frozen=True, slots=True)
class Words:
    """Everything that may be said of one listener; what is not said is as the settings have it."""

    tls: bool = _word(False, "serve with TLS", also="ssl https")
    certificate: tuple[str, ...] = _word(
        (), "in place of tls.certificates", value="FILE", needs="tls", several=True, also="cert crt certfile"
    )
    key: tuple[str, ...] = _word((), "in place of tls.keys", value="FILE", needs="tls", several=True, also="keyfile")
    client_certificates: str = _word(
        "", "in place of the setting of this name", choices=CLIENT_CERTIFICATES, needs="tls", also="verify ssl_verify"
    )
    client_ca: str = _word("", "in place of tls.client_ca", value="FILE", needs="tls", also="ca_file ca_certs")
    proxy_protocol: bool = _word(
        False,
        "every connection begins with a PROXY header, version 1 or 2, of one of trusted_proxies",
        also="send_proxy accept_proxy proxy",
    )

    def __str__(self) -> str:
        return " ".join(self._texts())

    def _texts(self) -> Iterator[str]:
        for name, word in WORDS.items():
            value = getattr(self, name)
            if word.several:
                yield from (f"{name}={one}" for one in value)
            elif value:
                yield name if value is True else f"{name}={value}"


WORDS: Final[dict[str, _Word]] = {one.name: one.metadata["word"] for one in dataclasses.fields(Words)}
NO_WORDS: Final = Words()
EXPLANATION: Final = "; ".join(
    f"{name}{'=' * bool(word.value or word.choices)}{word.value or '|'.join(word.choices)} ({word.help})"
    for name, word in WORDS.items()
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address to serve on, and what is special about it; ``str()`` gives the canonical text."""

    address: Address
    words: Words = NO_WORDS

    def __str__(self) -> str:
        return f"{self.address} {self.words}".rstrip()


def parse_endpoint(text: str) -> Endpoint:
    """Return what ``ADDRESS word word=value …`` says, or raise AddressError."""
    first, *words = text.split(" ")
    words = list(filter(None, words))
    try:
        address = parse_address(first)
    except AddressError as error:
        suggestion = " ".join((error.suggestion, *words)) if error.suggestion else ""
        raise AddressError(text, error.expected, suggestion) from None
    if not words:
        return Endpoint(address)
    return Endpoint(address, _read(text, address, words))


def words_of(names: Sequence[str], endpoints: Sequence[Endpoint]) -> list[Words]:
    """Return the words of each bound listener; ``names`` are their addresses as configured.

    A name may stand for several listeners (of a host, of a socket unit); only port 0 can be wanted twice, and then each
    of them is one listener, in their order.
    """
    said: dict[str, list[Words]] = defaultdict(list)
    for endpoint in endpoints:
        said[str(endpoint.address)].append(endpoint.words)
    return [(said[name].pop(0) if len(said[name]) > 1 else said[name][0]) if said[name] else NO_WORDS for name in names]


def _read(text: str, address: Address, words: Sequence[str]) -> Words:
    found: dict[str, Any] = {}
    for written in words:
        name, equals, value = written.partition("=")
        word = WORDS.get(name)
        if word is None:
            raise _unknown(text, address, written, name)
        if bool(equals) != bool(word.value or word.choices):
            raise AddressError(text, f"{name} without a value" if equals else _form(name, word))
        _check_value(text, name, word, value)
        if word.several:
            found[name] = (*found.get(name, ()), value)
        elif name in found:
            raise AddressError(text, f"{name} once")
        else:
            found[name] = value if equals else True
    for name in found:
        if WORDS[name].needs and WORDS[name].needs not in found:
            suggestion = f"{address} {WORDS[name].needs} {' '.join(words)}"
            raise AddressError(text, f"{WORDS[name].needs} beside {name}, which means nothing without", suggestion)
    return Words(**found)


def _form(name: str, word: _Word) -> str:
    return f"{name}={'|'.join(word.choices) or word.value}"


def _check_value(text: str, name: str, word: _Word, value: str) -> None:
    if word.choices and value not in word.choices:
        meant = next(iter(get_close_matches(value, word.choices, n=1)), "")
        suggestion = text.replace(f"{name}={value}", f"{name}={meant}") if meant else ""
        raise AddressError(text, _form(name, word), suggestion)
    if word.value and (not value or not value.isprintable() or value.endswith("/")):
        raise AddressError(text, _form(name, word))


def _unknown(text: str, address: Address, written: str, name: str) -> AddressError:
    """Say which word was meant, if that can be told."""
    synonyms = {other: one for one, word in WORDS.items() for other in (one, *word.also.split())}
    plain = name.lower().replace("-", "_").removeprefix("ssl_").removeprefix("tls_") or name
    close = get_close_matches(plain, synonyms, n=1, cutoff=0.6)
    suggestion = ""
    if close:
        suggestion = text.replace(f" {written}", f" {synonyms[close[0]]}{written.removeprefix(name)}")
    blank = "; the path of a socket has no blanks" if address.kind is Kind.UNIX else ""
    return AddressError(text, f"an address and perhaps {', '.join(WORDS)} behind it{blank}", suggestion)
