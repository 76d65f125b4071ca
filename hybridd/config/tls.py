"""TLS: the section ``tls`` of the settings, and what of it and of a listener's words holds for one listener.

Knows:     kinds of values.
Never:     files, OpenSSL: whether a certificate is one is asked where it is read (net/tls_material.py).
Runs in:   every process; values only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from hybridd.config.declaration import setting
from hybridd.config.kind import Kind, Raw, Refused
from hybridd.config.listener_words import CLIENT_CERTIFICATES, Endpoint, Words
from hybridd.config.words import choice, own_file, several

NO_FILE: Final = "none"

MODERN: Final = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
    ":ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
    ":ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)
"""For TLS 1.2: what Mozilla's "intermediate" has (wiki.mozilla.org/Security/Server_Side_TLS), less its DHE."""


def _pem() -> Kind:
    """Return the kind of a file with certificates or a key, or the word none."""
    expected = "the path of a PEM file, or none"

    def read(raw: Raw) -> str:
        text = raw.text
        if not text or not text.isprintable() or text.endswith("/") or text.lower() in {"off", "-"}:
            raise Refused(expected, raw, NO_FILE if text.lower() == "off" else "")
        return text

    return Kind("FILE|none", expected, read, str, {"type": "string", "minLength": 1})


def _version() -> Kind:
    # YAML reads a fraction in 1.2.
    return replace(choice("1.2", "1.3"), schema={"enum": ["1.2", "1.3", 1.2, 1.3]})


def _ciphers() -> Kind:
    expected = "a cipher list of OpenSSL, see ciphers(1)"

    def read(raw: Raw) -> str:
        if not raw.text or not raw.text.isprintable() or " " in raw.text:
            raise Refused(expected, raw)
        return raw.text

    return Kind("LIST", expected, read, str, {"type": "string", "minLength": 1})


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificates and rules of all listeners with the word tls, but for what their own words say."""

    certificates: tuple[str, ...] = setting(
        (NO_FILE,),
        several(_pem()),
        "The certificates, each a PEM file with the certificate, then those of the authorities between it and a root."
        " Clients get the one that has the name they ask for (SNI, also *.example.org); who asks for none of them, or"
        " for none at all, gets the first.",
        flags="--certfile",
        also="certificate cert ssl_certificate ssl_cert tls_cert ssl_certfile",
    )
    keys: tuple[str, ...] = setting(
        (NO_FILE,),
        several(_pem()),
        "The private keys, in the order of the certificates; none: they stand in the same files.",
        flags="--keyfile",
        also="key ssl_certificate_key ssl_key tls_key private_key ssl_keyfile",
    )
    minimum_version: str = setting(
        "1.2",
        _version(),
        "The oldest version of TLS that is spoken.",
        also="ssl_protocols ssl_version tls_version min_version",
    )
    ciphers: str = setting(
        MODERN,
        _ciphers(),
        "The ciphers of TLS 1.2; those of 1.3 are all good and not chosen here.",
        flags="--ciphers",
        also="ssl_ciphers cipher",
    )
    client_certificates: str = setting(
        "off",
        choice(*CLIENT_CERTIFICATES),
        "Whether clients show a certificate of client_ca: off, they are not asked; optional, they may, and a wrong one"
        " is refused; required, they must. The application is told whose it is.",
        also="verify ssl_verify_client cert_reqs verify_mode",
    )
    client_ca: str = setting(
        "",
        own_file(),
        "The authorities whose certificates clients may show, in one PEM file.",
        flags="--ca-certs",
        also="ssl_client_certificate ca_certs ca_file",
    )


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that one listener's TLS is made from; listeners with the same rules share it."""

    certificates: tuple[str, ...]
    keys: tuple[str, ...]
    minimum_version: str
    ciphers: str
    client_certificates: str
    client_ca: str
    protocols: tuple[str, ...] = ("http/1.1",)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The file of each certificate with that of its key."""
        return tuple(zip(self.certificates, self.keys or self.certificates, strict=True))


def rules_of(words: Words, tls: Tls, *, raw: bool) -> Rules:
    """Return what holds for a listener with these words; ``raw``: what is spoken there is none of our business."""
    own = bool(words.certificate)
    return Rules(
        words.certificate or _files(tls.certificates),
        words.key if own else _files(tls.keys),
        tls.minimum_version,
        tls.ciphers,
        words.client_certificates or tls.client_certificates,
        words.client_ca or tls.client_ca,
        () if raw else ("http/1.1",),
    )


def contradictions(listen: Sequence[Endpoint], tls: Tls) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what is wrong together: the keys concerned, the one to blame first, and the sentence."""
    certificates, keys = _files(tls.certificates), _files(tls.keys)
    if keys and len(keys) != len(certificates):
        text = f"expected a key for each of tls.certificates ({len(certificates)}), got {len(keys)}"
        yield ("tls.keys", "tls.certificates"), text
    if (certificates or tls.client_certificates != "off") and not any(endpoint.words.tls for endpoint in listen):
        text = "expected the word tls behind an address, for tls is configured, got none"
        yield ("listen", "tls.certificates"), f"{text}; did you mean {listen[0]} tls"
    for endpoint in listen:
        words = endpoint.words
        if not words.tls:
            continue
        if words.key and len(words.key) != len(words.certificate):
            text = f"expected as many key= as certificate=, got {len(words.key)} and {len(words.certificate)}"
            yield ("listen",), f"{text} in {endpoint}"
            continue
        if not words.certificate and not certificates:
            text = "expected a certificate, in tls.certificates or as certificate=FILE behind the address"
            yield ("listen", "tls.certificates"), f"{text}, got none for {endpoint}"
        mode = words.client_certificates or tls.client_certificates
        if mode != "off" and not (words.client_ca or tls.client_ca):
            text = f"expected tls.client_ca, the authorities of client certificates, which are {mode} for {endpoint}"
            yield ("tls.client_ca", "tls.client_certificates", "listen"), f"{text}; got none"


def _files(names: Sequence[Any]) -> tuple[str, ...]:
    return tuple(name for name in names if name != NO_FILE)
