"""Kinds of values that are words: choices, MODULE:NAME, directories, files, addresses, and lists of them.

Knows:     addresses.
Never:     whether a file or module exists; names of settings, the environment.
Runs in:   every process; pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hybridd.config.address import EXPECTED as AN_ADDRESS
from hybridd.config.address import LONGEST_UNIX_PATH, Address, AddressError, parse_address
from hybridd.config.kind import NEGATIONS, Kind, Raw, Reading, Refused, closest
from hybridd.config.listener_words import Endpoint, parse_endpoint

# The last one, (uid_t) -1, means "leave as it is" to setresuid(2).
LARGEST_ID = 2**32 - 2
_NUMBER = "0|[1-9][0-9]{0,9}"
_NAME = r"[^\W\d][\w.@\\-]*\$?"  # useradd(8), and what directories (DOMAIN\user, user@domain) make of it

LONGEST_NAME = 253  # RFC 1035 2.3.4, without the root's dot
_HOST = re.compile(r"\.?[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")

_DOTTED = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
# What hybridd.app.loader understands: a module, a name in it, perhaps called with literals.
_REFERENCE = re.compile(rf"{_DOTTED}(?::{_DOTTED}(?:\(.*\))?)?", re.DOTALL)


def choice(*words: str, also: Mapping[str, str] | None = None) -> Kind:
    """Return the kind of one of some words; ``also`` says which of them is meant by words of other programs."""
    expected = " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))

    def read(raw: Raw) -> str:
        if raw.text not in words:
            raise Refused(expected, raw, (also or {}).get(raw.text.lower()) or closest(raw.text, words))
        return raw.text

    return Kind("|".join(words), expected, read, str, {"enum": list(words)})


def reference(metavar: str, example: str) -> Kind:
    """Return the kind of ``module:attribute``, or nothing."""
    expected = f"{metavar} such as {example}"

    def read(raw: Raw) -> str:
        text = _written(expected, raw)
        module, _, name = text.partition(":")
        if not text or (_REFERENCE.fullmatch(text) and not module.endswith(".py")):
            return text
        # Somebody named a file.
        name = name or example.partition(":")[2]
        if module.startswith(("/", "..")):
            folder, _, file_name = module.rpartition("/")
            there = f"with chdir {folder or '/'} it is {file_name.removesuffix('.py')}:{name}"
            is_file = module.endswith(".py")
            raise Refused(expected, raw, advice=there if is_file else "name a module, with chdir for its directory")
        module = module.removeprefix("./").removesuffix(".py").strip("/").replace("/", ".")
        raise Refused(expected, raw, f"{module}:{name}")

    # Simpler than the expression above: editors take JavaScript's expressions, where \w is ASCII.
    return Kind(metavar, expected, read, str, {"type": "string", "pattern": "^([^/:]+(:.+)?)?$"})


def directory() -> Kind:
    """Return the kind of a directory's path, or nothing.  It stays text: a switched symbolic link is followed anew."""
    expected = "the path of a directory"

    def read(raw: Raw) -> str:
        text = _written(expected, raw)
        if text and not text.isprintable():
            raise Refused(expected, raw)
        return text

    return Kind("DIR", expected, read, str, {"type": "string"})


def own_file() -> Kind:
    """Return the kind of the path of one file, or nothing; ``-`` is no file."""
    expected = "the path of a file"

    def read(raw: Raw) -> str:
        text = _written(expected, raw)
        if text and (not text.isprintable() or text.endswith("/") or text == "-"):
            raise Refused(expected, raw)
        return text

    return Kind("FILE", expected, read, str, {"type": "string"})


def own_socket() -> Kind:
    """Return the kind of the path of a unix socket that is made and removed by us, ``auto`` or ``off``."""
    expected = "the path of a unix socket, auto or off"

    def read(raw: Raw) -> str:
        text = _written(expected, raw, off=True)
        if text.startswith("unix:"):
            raise Refused(expected, raw, text.removeprefix("unix:"))
        if not text or not text.isprintable() or text.endswith("/") or len(text.encode()) > LONGEST_UNIX_PATH:
            raise Refused(expected, raw)
        return text

    return Kind("PATH|auto|off", expected, read, str, {"type": "string", "minLength": 1})


def account(what: str) -> Kind:
    """Return the kind of a user or group (``what``): a name, a number, or nothing.  Whether it exists is not asked."""
    expected = f"the name or number of a {what}"

    def read(raw: Raw) -> str:
        text = raw.text if raw.reading is Reading.INTEGER else _written(expected, raw)
        if text and not (re.fullmatch(_NUMBER, text) if text[0].isdigit() else re.fullmatch(_NAME, text)):
            raise Refused(expected, raw)
        if text.isdecimal() and int(text) > LARGEST_ID:
            raise Refused(expected, raw)
        return text

    return Kind(what.upper(), expected, read, str, {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 0}]})


def host() -> Kind:
    """Return the kind of a host's name, of all names below one, or of any."""
    expected = "the name of a host, .NAME for all below it, or *"

    def read(raw: Raw) -> str:
        text = _written(expected, raw)
        if text != "*" and not (len(text) <= LONGEST_NAME and _HOST.fullmatch(text)):
            name = text.partition("://")[2].partition("/")[0] or text
            raise Refused(expected, raw, name.partition(":")[0].removeprefix("*"))
        return text

    return Kind("NAME|.NAME|*", expected, read, str, {"type": "string", "minLength": 1})


def file(stream: str, *, off: bool = False) -> Kind:
    """Return the kind of a file to append to: a path, ``-`` for the named standard stream, perhaps ``off``."""
    expected = f"the path of a file, {f'- ({stream}) or off' if off else f'or - ({stream})'}"

    def read(raw: Raw) -> str:
        text = _written(expected, raw, off=off)
        if not text or not text.isprintable() or text.endswith("/"):
            raise Refused(expected, raw)
        return text

    return Kind("FILE|-|off" if off else "FILE|-", expected, read, str, {"type": "string", "minLength": 1})


def address(*, off: bool = False) -> Kind:
    """Return the kind of an address, perhaps ``off`` (None)."""
    expected = f"{AN_ADDRESS}; or off" if off else AN_ADDRESS

    def read(raw: Raw) -> Address | None:
        if off and raw.text == "off":
            return None
        if off and raw.text.lower() in NEGATIONS:
            raise Refused(expected, raw, "off")
        first, blank, _ = raw.text.partition(" ")
        try:
            if blank and parse_address(first):
                raise Refused("an address without words behind it, which only those of listen have", raw, first)
            return parse_address(raw.text)
        except AddressError as error:
            raise _no_address(expected, raw, error) from None

    def text(value: Address | None) -> str:
        return "off" if value is None else str(value)

    return Kind("ADDRESS|off" if off else "ADDRESS", expected, read, text, {"type": "string", "minLength": 3})


def endpoint() -> Kind:
    """Return the kind of an address to serve on, with what is special about it in words behind it."""

    def read(raw: Raw) -> Endpoint:
        try:
            return parse_endpoint(raw.text)
        except AddressError as error:
            raise _no_address(AN_ADDRESS, raw, error) from None

    return Kind("ADDRESS", AN_ADDRESS, read, str, {"type": "string", "minLength": 3})


def _no_address(expected: str, raw: Raw, error: AddressError) -> Refused:
    general = error.expected == AN_ADDRESS
    return Refused(expected if general else error.expected, raw, error.suggestion)


def several(item: Kind) -> Kind:
    """Return the kind of one or more values of a kind: a list in YAML, separated by commas where there is only text."""

    def read(raw: Raw) -> tuple[object, ...]:
        parts = raw.text.split(",") if raw.reading is Reading.PLAIN else [raw.text]
        return tuple(item.convert(Raw(part.strip(), raw.reading, raw.quoted)) for part in parts)

    def text(values: tuple[object, ...]) -> str:
        return ",".join(map(item.text, values))

    items = {"type": "array", "items": item.schema, "minItems": 1, "uniqueItems": True}
    return Kind(item.metavar, item.expected, read, text, {"anyOf": [item.schema, items]}, item)


def _written(expected: str, raw: Raw, *, off: bool = False) -> str:
    """Return the text, or raise Refused when YAML reads something else in it."""
    if raw.reading in (Reading.PLAIN, Reading.STRING) or (off and raw.text == "off"):
        return raw.text
    if off and raw.reading is Reading.BOOLEAN and raw.text.lower() in NEGATIONS:
        raise Refused(expected, raw, "off")
    raise Refused(expected, f"{raw} (which YAML reads as {raw.reading.value})", advice="put it in quotes")
