"""Read the text that names an application: ``module:attribute``, ``module:factory()`` or ``module``.

Knows:     the text, nothing else.
Never:     imports anything.
Runs in:   the master (checking a configuration) and the workers.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

APPLICATION_NAMES = ("application", "app")  # PEP 3333 calls it application, most frameworks app
FACTORY_NAMES = ("create_app", "make_app")  # Flask's and Werkzeug's custom
EXPECTED = "expected module:attribute, for example mysite.wsgi:application"


@dataclass(frozen=True, slots=True)
class Reference:
    """``module`` and the attribute names that may be meant, each a dotted path; arguments if it is to be called."""

    text: str
    module: str
    attributes: tuple[str, ...]
    called: bool = False
    arguments: tuple[object, ...] = ()
    keywords: dict[str, object] = field(default_factory=dict)


def parse_reference(text: str, *, factory: bool = False) -> Reference:
    """Read ``text``; ``factory`` says that what it names is to be called without arguments.

    Raises:
        ValueError: one clause that says what was expected.
    """
    module, colon, expression = text.strip().partition(":")
    if not module or (colon and not expression):
        raise ValueError(EXPECTED)
    if module.endswith(".py") or "/" in module:
        stem = module.removesuffix(".py").strip("./").replace("/", ".")
        attribute = expression or APPLICATION_NAMES[0]
        raise ValueError(f"{module!r} is a file; name the module: {stem}:{attribute}")
    if not all(part.isidentifier() for part in module.split(".")):
        raise ValueError(f"{module!r} is not a module name; {EXPECTED}")
    if not colon:
        return Reference(text, module, FACTORY_NAMES if factory else APPLICATION_NAMES, called=factory)
    return _parse_attribute(text, module, expression, factory=factory)


def _parse_attribute(text: str, module: str, expression: str, *, factory: bool) -> Reference:
    """Read what stands behind the colon: a dotted name, perhaps called with literal arguments."""
    try:
        node = ast.parse(expression, mode="eval").body
    except (SyntaxError, ValueError):  # ValueError: a NUL character
        raise ValueError(f"{expression!r} is not a name, a dotted name or a call; {EXPECTED}") from None
    if not isinstance(node, ast.Call):
        return Reference(text, module, (_dotted(node, expression),), called=factory)
    try:
        arguments = tuple(ast.literal_eval(argument) for argument in node.args)
        # ``**mapping`` has no name and is not a literal argument
        keywords = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in node.keywords if keyword.arg}
    except ValueError:
        raise ValueError(f"the arguments in {expression!r} must be literals (text, numbers, True, None …)") from None
    if len(keywords) != len(node.keywords):
        raise ValueError(f"the arguments in {expression!r} must be literals (text, numbers, True, None …)")
    return Reference(
        text, module, (_dotted(node.func, expression),), called=True, arguments=arguments, keywords=keywords
    )


def _dotted(node: ast.expr, expression: str) -> str:
    """Return ``a.b.c`` of an expression that is only that."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        raise ValueError(f"{expression!r} is not a name, a dotted name or a call; {EXPECTED}")  # noqa: TRY004 - text
    names.append(node.id)
    return ".".join(reversed(names))
