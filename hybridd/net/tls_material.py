"""Certificates and keys as they are read: PEM text in, OpenSSL's context out, or a sentence about what is wrong.

A key is handed to OpenSSL in anonymous memory, because ``ssl`` takes it from a file only: it is written to no disk.

Knows:     PEM, ``ssl``.
Never:     which files; who may read them; the clock, which is an argument.
Runs in:   the master, before the workers that serve with it are forked; the command line tool.
"""

from __future__ import annotations

import os
import re
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from hybridd.config.tls import Rules

NEAR: Final = 14 * 86_400.0
"""Seconds before the end of a certificate in which one is warned; who renews automatically does it 30 days before."""

_MODES: Final = {"off": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}
_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_ENCRYPTED: Final = re.compile(rb"-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: *4,ENCRYPTED", re.MULTILINE)
_KEY: Final = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_CERTIFICATE: Final = b"-----BEGIN CERTIFICATE-----"
_HOST: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,253})")

T = TypeVar("T")


class MaterialError(ValueError):
    """What is wrong with a file; the sentence goes on behind its name."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says of itself.

    Attributes:
        names: DNS names and addresses, in small letters; ``*.example.org`` stands for one label more.
        not_before, not_after: seconds since 1970.
    """

    subject: str
    names: tuple[str, ...]
    not_before: float
    not_after: float

    def remark(self, now: float) -> str:
        """Return what to warn of, empty when it is well."""
        left = self.not_after - now
        if left <= 0:
            return f"expired on {_day(self.not_after)}: clients refuse it"
        if self.not_before > now:
            return f"is not valid before {_day(self.not_before)}: clients refuse it until then"
        if left < NEAR:
            days = int(left // 86_400)
            return f"expires on {_day(self.not_after)} (days left: {days}): renew it, then reload hybridd"
        return ""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with those between it and its root, and its key, as they stand in their files."""

    certificate: bytes
    key: bytes


def read_certificate(pem: bytes) -> Certificate:
    """Return what the first certificate in ``pem`` says.

    Raises:
        MaterialError: there is none.
    """
    if _CERTIFICATE not in pem:
        raise MaterialError("has no certificate in it: no line -----BEGIN CERTIFICATE----- (DER is not read)")
    with _in_memory(pem) as path:
        try:
            # What ``getpeercert`` decodes with; the library has no other way to a certificate that is not a peer's.
            said: Mapping[str, Any] = ssl._ssl._test_decode_cert(path)  # type: ignore[attr-defined]  # noqa: SLF001
        except (ssl.SSLError, ValueError):
            raise MaterialError("has a certificate in it that cannot be read") from None
    names = tuple(value.lower() for kind, value in said.get("subjectAltName", ()) if kind in {"DNS", "IP Address"})
    common = tuple(value for part in said.get("subject", ()) for name, value in part if name == "commonName")
    return Certificate(
        (*common, *names, "(no name)")[0],
        names or tuple(value.lower() for value in common[:1]),
        ssl.cert_time_to_seconds(said["notBefore"]),
        ssl.cert_time_to_seconds(said["notAfter"]),
    )


def check_key(pair: Pair) -> None:
    """Make sure that the key is one, can be read without being asked for a passphrase, and is the certificate's.

    Raises:
        MaterialError: it is not; about the file of the key.
    """
    if not _KEY.search(pair.key):
        raise MaterialError("has no private key in it: no line -----BEGIN PRIVATE KEY-----")
    if _ENCRYPTED.search(pair.key):
        raise MaterialError(
            "has a key in it that is encrypted, and nobody is there to type its passphrase: decrypt it (openssl pkey"
            " -in FILE -out NEW) and protect the file by its mode"
        )
    _load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), pair)


def check_rules(rules: Rules) -> None:
    """Make sure that OpenSSL knows the ciphers.

    Raises:
        MaterialError: it does not.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).set_ciphers(rules.ciphers)
    except ssl.SSLError:
        raise MaterialError(f"expected ciphers that OpenSSL has (openssl ciphers -v), got {rules.ciphers}") from None


def check_authorities(pem: bytes) -> None:
    """Make sure that there are authorities of client certificates.

    Raises:
        MaterialError: there is none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if _CERTIFICATE not in pem:
        raise MaterialError("has no certificate in it: no line -----BEGIN CERTIFICATE-----")
    _trust(context, pem)
    if not context.get_ca_certs():
        raise MaterialError("has no certificate of an authority in it (basicConstraints CA:TRUE)")


def make_context(rules: Rules, pairs: Sequence[Pair], authorities: bytes) -> ssl.SSLContext:
    """Return what the connections of a listener begin with: its first certificate, and by name all others.

    The keys that session tickets are encrypted with are made here: workers forked from this process have the same, so
    that a client resumes its session with any of them.
    """
    contexts = [_context(rules, pair, authorities) for pair in pairs]
    by_name: dict[str, ssl.SSLContext] = {}
    for pair, context in zip(pairs, contexts, strict=True):
        for name in read_certificate(pair.certificate).names:
            by_name.setdefault(name, context)

    def choose(session: TlsObject, name: str | None, context: ssl.SSLContext) -> None:
        if name is not None:
            session.requested_name = name if _HOST.fullmatch(name) else ""
            chosen = find(by_name, name)
            if chosen is not None and chosen is not context:
                session.context = chosen

    contexts[0].sni_callback = choose  # type: ignore[assignment]  # of the class that this context makes
    return contexts[0]


def find(by_name: Mapping[str, T], wanted: str) -> T | None:
    """Return what a name or else its wildcard stands for (the whole first label: RFC 6125, 6.4.3); None: nothing."""
    name = wanted.lower().removesuffix(".")
    found = by_name.get(name)
    return found if found is not None else by_name.get(f"*.{name.partition('.')[2]}")


class TlsObject(ssl.SSLObject):
    """A session, which remembers whom its client wanted."""

    requested_name = ""


def _context(rules: Rules, pair: Pair, authorities: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = TlsObject
    context.minimum_version = _VERSIONS[rules.minimum_version]
    context.set_ciphers(rules.ciphers)
    # All ciphers are good: let the client take the one that its processor is quick with (Mozilla's advice).
    context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    if rules.protocols:
        # Who offers only others gets none of them, and the connection goes on: OpenSSL's callback of this library
        # cannot refuse (RFC 7301, 3.2, would have an alert).
        context.set_alpn_protocols(list(rules.protocols))
    _load(context, pair)
    context.verify_mode = _MODES[rules.client_certificates]
    if authorities:
        _trust(context, authorities)
    return context


def _load(context: ssl.SSLContext, pair: Pair) -> None:
    with _in_memory(pair.certificate) as certificate, _in_memory(pair.key) as key:
        try:
            context.load_cert_chain(certificate, key, password=_no_passphrase)
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise MaterialError("has a key in it that is not the certificate's") from None
            raise MaterialError(f"has a key in it that cannot be used: {error.reason or 'it cannot be read'}") from None


def _trust(context: ssl.SSLContext, pem: bytes) -> None:
    try:
        context.load_verify_locations(cadata=pem.decode("ascii", "replace").replace("\ufffd", "?"))
    except ssl.SSLError:
        raise MaterialError("has a certificate in it that cannot be read") from None


def _no_passphrase() -> bytes:
    """Answer in place of the terminal, which OpenSSL would ask."""
    return b""


@contextmanager
def _in_memory(data: bytes) -> Iterator[str]:
    """Give the data as a file that is nowhere: memfd_create(2)."""
    fd = os.memfd_create("hybridd-tls", os.MFD_CLOEXEC)
    try:
        with open(fd, "wb", closefd=False) as file:
            file.write(data)
        yield f"/proc/self/fd/{fd}"
    finally:
        os.close(fd)


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(moment))
