"""Certificates for tests, made by openssl(1) when they are needed: nothing of them is kept, nothing expires.

Knows:     openssl's command line; the names of files.
Never:     keys that are worth anything.
Runs in:   the test process, or any that asks first: whoever comes second finds the files.
"""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

_CONFIG = """\
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
O = Tests
[leaf]
subjectAltName = {names}
basicConstraints = critical, CA:FALSE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[ca]
default_ca = only
[only]
database = {folder}/index
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
organizationName = optional
"""
"""What RFC 5280 wants of both is there: since 3.13 Python's clients are strict (VERIFY_X509_STRICT)."""


@dataclass(frozen=True)
class Made:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path

    @property
    def both(self) -> Path:
        """One file with the two of them."""
        file = self.certificate.with_suffix(".both.pem")
        file.write_bytes(self.key.read_bytes() + self.certificate.read_bytes())
        return file

    def settings(self) -> dict[str, list[str]]:
        """Return what the section ``tls`` says of it."""
        return {"certificates": [str(self.certificate)], "keys": [str(self.key)]}


class Authority:
    """A root in a folder, and what it signs."""

    def __init__(self, folder: Path, name: str = "Test Root") -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index").touch()
        self.root = self._files("root")
        self._configure(name, "DNS:unused")
        self._key(self.root.key)
        self._openssl(
            *("req", "-x509", "-new", "-key", self.root.key, "-out", self.root.certificate, "-days", "2"),
            *("-config", self._config, "-extensions", "authority"),
        )

    def sign(
        self, name: str, names: str = "", *, begins: timedelta = timedelta(-1), ends: timedelta = timedelta(100)
    ) -> Made:
        """Return a certificate for ``name`` (``names``: DNS:…, IP:…) that is valid between two moments from now."""
        made = self._files(name.replace("*", "any"))
        self._configure(name, names or f"DNS:{name}")
        self._key(made.key)
        request = made.key.with_suffix(".csr")
        self._openssl("req", "-new", "-key", made.key, "-out", request, "-config", self._config)
        now = datetime.now(UTC)
        moments = [f"{now + moment:%Y%m%d%H%M%SZ}" for moment in (begins, ends)]
        self._openssl(
            *("ca", "-batch", "-notext", "-in", request, "-out", made.certificate, "-config", self._config),
            *("-cert", self.root.certificate, "-keyfile", self.root.key, "-extensions", "leaf"),
            *("-startdate", moments[0], "-enddate", moments[1]),
        )
        return made

    def client_context(self, shown: Made | None = None) -> ssl.SSLContext:
        """Return what a client begins with that trusts this root, and perhaps shows a certificate."""
        context = ssl.create_default_context(cafile=str(self.root.certificate))
        if shown is not None:
            context.load_cert_chain(shown.certificate, shown.key)
        return context

    @property
    def _config(self) -> Path:
        return self._folder / "openssl.cnf"

    def _files(self, name: str) -> Made:
        return Made(self._folder / f"{name}.pem", self._folder / f"{name}.key")

    def _configure(self, name: str, names: str) -> None:
        self._config.write_text(_CONFIG.format(name=name, names=names, folder=self._folder))

    def _key(self, file: Path) -> None:
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", file)

    @staticmethod
    def _openssl(*arguments: object) -> None:
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"openssl {arguments}: {done.stderr}"
