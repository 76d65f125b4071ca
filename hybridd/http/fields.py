"""Header field names as CGI names (RFC 3875 4.1), remembered.

Knows:     which names become which keys, and which never become one.
Never:     values.
Runs in:   the leader thread, once per header line: this is the hottest table of the package.
"""

from __future__ import annotations

from typing import Self

_LONGEST_REMEMBERED = 64  # bytes; a longer name is one of a kind
_MOST_REMEMBERED = 1024  # names; a client that invents names only makes us forget those of others

# Spelt as HTTP/1.1 clients do; the lower-case spelling (of proxies that speak HTTP/2 in front) is added below.
_USUAL = (
    b"Accept Accept-Charset Accept-Encoding Accept-Language Authorization Cache-Control Connection Content-Encoding"
    b" Content-Length Content-Type Cookie DNT Date Expect Forwarded From Host If-Match If-Modified-Since If-None-Match"
    b" If-Range If-Unmodified-Since Keep-Alive Origin Pragma Priority Range Referer Sec-Fetch-Dest Sec-Fetch-Mode"
    b" Sec-Fetch-Site Sec-Fetch-User TE Trailer Transfer-Encoding Upgrade Upgrade-Insecure-Requests User-Agent Via"
    b" X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Real-IP X-Request-ID X-Request-Id X-Requested-With"
).split()

# Never a key.  HTTP_PROXY would be taken for the proxy of outgoing requests by CGI-minded code (CVE-2016-5385).
_REFUSED = frozenset({"HTTP_PROXY"})
_BARE = frozenset({"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"})  # meta-variables without the prefix

SINGLE = {
    "HTTP_HOST": "Host",
    "CONTENT_LENGTH": "Content-Length",
    "CONTENT_TYPE": "Content-Type",
    "HTTP_CONTENT_RANGE": "Content-Range",
    "HTTP_AUTHORIZATION": "Authorization",
    "HTTP_PROXY_AUTHORIZATION": "Proxy-Authorization",
    "HTTP_ORIGIN": "Origin",
}
"""Fields that say where a request goes, who sends it or what its body is: of two lines, one server would believe the
first and another one the second (RFC 9110 5.3 admits one)."""

_OF_PROXIES = frozenset({"HTTP_FORWARDED", "HTTP_X_REAL_IP"})
_OF_PROXIES_TOO = "HTTP_X_FORWARDED_"


class Withheld(str):
    """An empty text in place of the key of a field that only proxies may send: it is kept aside (notes.py)."""

    __slots__ = ("key",)
    key: str

    def __new__(cls, key: str) -> Self:
        """Remember the key."""
        self = super().__new__(cls)
        self.key = key
        return self


DROPPED = ""
"""What :func:`learn_key` gives for a name that must not reach the application."""


def cgi_key(name: bytes) -> str:
    """Give the CGI name of a field name that is a token, or DROPPED; Withheld for those of proxies.

    ``X_Forwarded_For`` and ``X-Forwarded-For`` would become the same key, so that a client could forge what a proxy in
    front sets: names with an underscore are dropped, as nginx does.
    """
    if b"_" in name:
        return DROPPED
    key = "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
    if key in _REFUSED:
        return DROPPED
    if key in _OF_PROXIES or key.startswith(_OF_PROXIES_TOO):
        return Withheld(key)
    return key[len("HTTP_") :] if key in _BARE else key


KEYS: dict[bytes, str] = {}
"""Names seen so far and their keys; read it directly, and call :func:`learn_key` for a name that is not here."""


def learn_key(name: bytes) -> str:
    """Give ``cgi_key(name)`` and remember it in KEYS, within bounds."""
    key = cgi_key(name)
    if len(name) <= _LONGEST_REMEMBERED:
        if len(KEYS) >= _MOST_REMEMBERED:
            _remember_only_the_usual()
        KEYS[name] = key
    return key


def _remember_only_the_usual() -> None:
    KEYS.clear()
    for name in _USUAL:
        KEYS[name] = KEYS[name.lower()] = cgi_key(name)


_remember_only_the_usual()
