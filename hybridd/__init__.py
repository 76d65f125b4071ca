"""hybridd: a prefork hybrid server daemon for WSGI applications and raw TCP protocols."""

__version__ = "0.1.0"
