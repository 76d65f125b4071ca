"""The certificates of each generation: read by the master, before it gives up root's rights, and at every reload again.

What a worker serves with it inherits ready-made, so that neither needs rights of its own for keys that only root may
read, and all workers of a generation encrypt session tickets with the same keys.  A reload reads as whoever the master
is by then: when it may not, or when something does not fit, nothing is applied.

Knows:     which files; which generation has what.
Never:     what is in them (net/tls_material.py, imported only where a listener has the word tls).
Runs in:   the master, its only thread; ``read`` also in the command line tool.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hybridd.config.files import UnreadableError, read_bytes
from hybridd.config.settings import Config
from hybridd.config.tls import Rules, rules_of
from hybridd.errors import ConfigurationError
from hybridd.ops.accounts import Identity
from hybridd.ops.privileges import acting_as

if TYPE_CHECKING:
    import ssl

    from hybridd.net.tls_material import Certificate, Pair


READ_LATER: Final = (
    "let the user that hybridd runs as read it (on Debian: group ssl-cert, chmod 640), or have systemd hand it over"
    " (LoadCredential=)"
)


class CertificatesError(Exception):
    """What is wrong with the files, every sentence of it."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


@dataclass(frozen=True, slots=True)
class Certificates:
    """What one generation serves with.

    Attributes:
        contexts: for each kind of TLS listener what its connections begin with.
        found: the certificates, by the files they are in.
    """

    contexts: Mapping[Rules, ssl.SSLContext] = field(default_factory=dict)
    found: Mapping[str, Certificate] = field(default_factory=dict)

    def remarks(self, now: float) -> Iterator[str]:
        """Yield what to warn of."""
        for file, certificate in self.found.items():
            if remark := certificate.remark(now):
                yield f"the certificate of {certificate.subject} in {file} {remark}"


NONE = Certificates()


def rules_in(config: Config) -> dict[str, Rules]:
    """Return what holds for each TLS listener, by its text."""
    return {
        str(one): rules_of(one.words, config.tls, raw=bool(config.protocol)) for one in config.listen if one.words.tls
    }


def read(config: Config, directory: Path) -> Certificates:
    """Read everything that the TLS listeners of a configuration need; relative files begin at ``directory``.

    Raises:
        CertificatesError: with all that is wrong.
    """
    rules = dict.fromkeys(rules_in(config).values())
    if not rules:
        return NONE
    from hybridd.net import tls_material  # noqa: PLC0415 - OpenSSL takes 4 MB and 20 ms

    reader = _Reader(directory)
    for one in rules:
        reader.look_at(one)
    if reader.problems:
        raise CertificatesError(list(dict.fromkeys(reader.problems)))
    contexts = {
        one: tls_material.make_context(
            one, [reader.pairs[pair] for pair in one.pairs], reader.files.get(one.client_ca, b"")
        )
        for one in rules
    }
    return Certificates(contexts, reader.found)


def at_start(config: Config, directory: Path) -> Certificates:
    """Read them as ``read`` does; what is wrong is wrong with the configuration."""
    try:
        return read(config, directory)
    except CertificatesError as error:
        raise ConfigurationError(error.problems) from None


def unreadable_later(config: Config, directory: Path, identity: Identity) -> Iterator[str]:
    """Yield which files a reload will not be able to read, when root's rights are given up."""
    every = rules_in(config).values()
    files = [file for rules in every for file in (*rules.certificates, *rules.keys, rules.client_ca) if file]
    for file in dict.fromkeys(files):
        with acting_as(identity):
            readable = os.access(directory / file, os.R_OK, effective_ids=True)
        if not readable:
            yield f"a reload will be refused: user {identity.name} may not read {file}; {READ_LATER}"


class _Reader:
    """Collects what is in the files, and what is wrong with them."""

    def __init__(self, directory: Path) -> None:
        self.problems: list[str] = []
        self.files: dict[str, bytes] = {}
        self.pairs: dict[tuple[str, str], Pair] = {}
        self.found: dict[str, Certificate] = {}
        self._directory = directory

    def look_at(self, rules: Rules) -> None:
        """Read and check what one kind of listener needs."""
        from hybridd.net import tls_material  # noqa: PLC0415 - see ``read``

        try:
            tls_material.check_rules(rules)
        except tls_material.MaterialError as error:
            self.problems.append(f"tls.ciphers: {error}")
        for pair in rules.pairs:
            self._look_at_pair(*pair)
        if rules.client_certificates != "off" and (pem := self._read("client_ca", rules.client_ca)) is not None:
            self._try(rules.client_ca, lambda: tls_material.check_authorities(pem))

    def _look_at_pair(self, certificate: str, key: str) -> None:
        from hybridd.net import tls_material  # noqa: PLC0415 - see ``read``

        pem, key_pem = self._read("certificate", certificate), self._read("key", key)
        if pem is None or key_pem is None or (certificate, key) in self.pairs:
            return
        before = len(self.problems)
        self._try(certificate, lambda: self.found.setdefault(certificate, tls_material.read_certificate(pem)))
        if len(self.problems) == before:
            pair = tls_material.Pair(pem, key_pem)
            self._try(key, lambda: tls_material.check_key(pair))
            self.pairs[certificate, key] = pair

    def _try(self, file: str, check: Callable[[], object]) -> None:
        try:
            check()
        except ValueError as error:
            self.problems.append(f"{file} {error}")

    def _read(self, what: str, file: str) -> bytes | None:
        if file in self.files:
            return self.files[file]
        try:
            data = self.files[file] = read_bytes(self._directory / file)
        except UnreadableError as error:
            advice = f"; {READ_LATER}" if os.geteuid() != 0 and "ermission" in str(error) else ""
            self.problems.append(f"{file} ({what}): {error}{advice}")
            return None
        return data


class CertificatesOfGenerations:
    """What each generation that may have workers serves with."""

    def __init__(self, first: Certificates, directory: Path) -> None:
        self._of = {1: first}
        self._directory = directory

    def read(self, config: Config) -> Certificates:
        """Read again; raises CertificatesError, and nothing has changed."""
        return read(config, self._directory)

    def add(self, generation: int, certificates: Certificates) -> None:
        """Give them to a new generation."""
        self._of[generation] = certificates

    def of(self, generation: int) -> Certificates:
        """Return what this generation has."""
        return self._of[generation]

    def forget(self, needed: set[int]) -> None:
        """Drop those of generations that have and will get no workers."""
        self._of = {generation: one for generation, one in self._of.items() if generation in needed}
