"""Applications: loading them, WSGI (PEP 3333), raw protocols, and the built-in welcome application."""
