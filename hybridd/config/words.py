"""Kinds of values that are words: choices, MODULE:NAME, directories, files, addresses, and lists of them.

Knows:     addresses.
Never:     whether a file or module exists; names of settings, the environment.
Runs in:   every process; pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hybridd.config.address import EXPECTED as AN_ADDRESS
from hybridd.config.address import Address, AddressError, parse_address
from hybridd.config.kind import Kind, Raw, Reading, Refused, closest

_REFERENCE = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
REFERENCE_PATTERN = rf"{_REFERENCE}:{_REFERENCE}"


def _written(expected: str, raw: Raw, words: tuple[str, ...] = ()) -> str:
    """Return the text, or raise Refused when YAML reads something else in it."""
    if raw.reading in (Reading.PLAIN, Reading.STRING) or raw.text in words:
        return raw.text
    if raw.reading is Reading.NOTHING:
        raise Refused(expected, raw, advice="remove the key to have the default")
    if raw.reading is Reading.BOOLEAN and raw.text.lower() in ("no", "false", "off") and "off" in words:
        raise Refused(expected, raw, "off")
    raise Refused(expected, f"{raw} (which YAML reads as {raw.reading.value})", advice="put it in quotes")


@dataclass(frozen=True, slots=True)
class Choice(Kind):
    """One of some words."""

    words: tuple[str, ...]

    @property
    def metavar(self) -> str:
        return "|".join(self.words)

    @property
    def expected(self) -> str:
        return " or ".join(filter(None, (", ".join(self.words[:-1]), self.words[-1])))

    def read(self, raw: Raw) -> str:
        if raw.text not in self.words:
            raise Refused(self.expected, raw, closest(raw.text, self.words))
        return raw.text

    def text(self, value: str) -> str:
        return value

    def schema(self) -> dict[str, object]:
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Reference(Kind):
    """``module:attribute``, or nothing."""

    metavar_text: str
    example: str

    @property
    def metavar(self) -> str:
        return self.metavar_text

    @property
    def expected(self) -> str:
        return f"{self.metavar_text} such as {self.example}"

    def read(self, raw: Raw) -> str:
        text = _written(self.expected, raw)
        if not text or re.fullmatch(REFERENCE_PATTERN, text):
            return text
        raise Refused(self.expected, raw, self._meant(text))

    def _meant(self, text: str) -> str:
        """Return what somebody meant who named a file, only a module, or wrote a call."""
        module, _, name = text.partition(":")
        module = module.removeprefix("./").removesuffix(".py").replace("/", ".")
        return f"{module}:{name.partition('(')[0] or self.example.partition(':')[2]}"

    def text(self, value: str) -> str:
        return value

    def schema(self) -> dict[str, object]:
        return {"type": "string", "pattern": f"^({REFERENCE_PATTERN})?$"}


@dataclass(frozen=True, slots=True)
class Directory(Kind):
    """The path of a directory, or nothing.  Kept as text: a switched symbolic link is followed anew."""

    @property
    def metavar(self) -> str:
        return "DIR"

    @property
    def expected(self) -> str:
        return "the path of a directory"

    def read(self, raw: Raw) -> str:
        text = _written(self.expected, raw)
        if "\0" in text:
            raise Refused(self.expected, raw)
        return text

    def text(self, value: str) -> str:
        return value

    def schema(self) -> dict[str, object]:
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class File(Kind):
    """The path of a file to append to, ``-`` for a standard stream, perhaps ``off``."""

    stream: str
    off: bool = False

    @property
    def metavar(self) -> str:
        return "FILE|-|off" if self.off else "FILE|-"

    @property
    def expected(self) -> str:
        return f"the path of a file, - ({self.stream}){' or off' if self.off else ''}"

    def read(self, raw: Raw) -> str:
        text = _written(self.expected, raw, ("off",) if self.off else ())
        if not text or "\0" in text or text.endswith("/"):
            raise Refused(self.expected, raw)
        return text

    def text(self, value: str) -> str:
        return value

    def schema(self) -> dict[str, object]:
        return {"type": "string", "minLength": 1}


@dataclass(frozen=True, slots=True)
class AddressOf(Kind):
    """An address, perhaps ``off`` (None)."""

    off: bool = False

    @property
    def metavar(self) -> str:
        return "ADDRESS|off" if self.off else "ADDRESS"

    @property
    def expected(self) -> str:
        return f"{AN_ADDRESS}{', or off' if self.off else ''}"

    def read(self, raw: Raw) -> Address | None:
        if self.off and raw.text == "off":
            return None
        if raw.reading is Reading.BOOLEAN and self.off:
            raise Refused(self.expected, raw, "off" if raw.text.lower() in ("no", "false") else "")
        if raw.reading is Reading.NOTHING:
            raise Refused(self.expected, raw)
        try:
            return parse_address(raw.text)
        except AddressError as error:
            expected = self.expected if error.expected == AN_ADDRESS else error.expected
            raise Refused(expected, raw, error.suggestion) from None

    def text(self, value: Address | None) -> str:
        return "off" if value is None else str(value)

    def schema(self) -> dict[str, object]:
        return {"type": "string", "minLength": 3}


@dataclass(frozen=True, slots=True)
class Several(Kind):
    """One or more values of a kind; a list in YAML, separated by commas elsewhere."""

    item: Kind

    @property
    def metavar(self) -> str:
        return self.item.metavar

    @property
    def expected(self) -> str:
        return self.item.expected

    def read(self, raw: Raw) -> tuple[object, ...]:
        parts = raw.text.split(",") if raw.reading is Reading.PLAIN else [raw.text]
        return tuple(self.item.convert(Raw(part.strip(), raw.reading, raw.quoted)) for part in parts)

    def text(self, value: tuple[object, ...]) -> str:
        return ",".join(map(self.item.text, value))

    def schema(self) -> dict[str, object]:
        item = self.item.schema()
        return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1, "uniqueItems": True}]}
