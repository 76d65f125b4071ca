"""What the application is told of a TLS connection: the variables of mod_ssl, with the names in the form of nginx.

None of them begins with HTTP_, so no field of a request can be in their place; on a plain connection there are none.

Knows:     ``ssl.SSLObject``, as far as it is asked here.
Never:     whether a certificate is good: an unverified one does not come so far.
Runs in:   the leader, once per connection with a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_KEYWORDS: Final = {  # RFC 4514, section 3, and emailAddress, which mod_ssl and nginx know as well
    "commonName": "CN", "localityName": "L", "stateOrProvinceName": "ST", "organizationName": "O",
    "organizationalUnitName": "OU", "countryName": "C", "streetAddress": "STREET", "domainComponent": "DC",
    "userId": "UID", "emailAddress": "emailAddress",
}  # fmt: skip
_SPECIAL: Final = frozenset('"+,;<>\\')

Name = tuple[tuple[tuple[str, str], ...], ...]


def tls_variables(session: Any) -> dict[str, str]:
    """Return what to add to the environ of every request of this session; ``session`` is its ``ssl_object``."""
    cipher = session.cipher()
    variables = {
        "HTTPS": "on",
        "SSL_PROTOCOL": session.version() or "",
        "SSL_CIPHER": cipher[0] if cipher else "",
        "SSL_CLIENT_VERIFY": "NONE",
    }
    if session.requested_name:
        variables["SSL_TLS_SNI"] = session.requested_name
    certificate = session.getpeercert()
    if certificate:
        variables |= client_variables(certificate, session.getpeercert(binary_form=True))
    return variables


def client_variables(certificate: Mapping[str, Any], der: bytes) -> dict[str, str]:
    """Return what is said of a client's certificate, which OpenSSL has verified."""
    pem = _pem(der)
    return {
        "SSL_CLIENT_VERIFY": "SUCCESS",
        "SSL_CLIENT_S_DN": spell(certificate.get("subject", ())),
        "SSL_CLIENT_I_DN": spell(certificate.get("issuer", ())),
        "SSL_CLIENT_M_SERIAL": certificate.get("serialNumber", ""),
        "SSL_CLIENT_V_START": certificate.get("notBefore", ""),
        "SSL_CLIENT_V_END": certificate.get("notAfter", ""),
        "SSL_CLIENT_CERT": pem,
    }


def spell(name: Name) -> str:
    """Return a distinguished name as RFC 4514 has it: the last part first."""
    parts = ("+".join(f"{_KEYWORDS.get(key, key)}={_escape(value)}" for key, value in part) for part in reversed(name))
    return ",".join(parts)


def _escape(value: str) -> str:
    """Escape what would end a part, and what cannot be printed, byte by byte (RFC 4514, 2.4)."""
    text = "".join(map(_escape_one, value))
    if text[:1] in {" ", "#"}:
        text = f"\\{text}"
    if value.endswith(" ") and len(value) > 1:
        text = f"{text[:-1]}\\ "
    return text.encode("utf-8", "replace").decode("latin-1")  # PEP 3333: bytes as code points


def _escape_one(character: str) -> str:
    if character in _SPECIAL:
        return f"\\{character}"
    if character.isprintable():
        return character
    return "".join(f"\\{byte:02X}" for byte in character.encode("utf-8", "replace"))


def _pem(der: bytes) -> str:
    import ssl  # noqa: PLC0415 - it is there: a client has shown a certificate

    return ssl.DER_cert_to_PEM_cert(der)
