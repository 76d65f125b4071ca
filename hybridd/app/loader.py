"""Load what the operator named: an object out of a module, in words that help when it fails.

Knows:     the import system, and whose frames in a traceback are the user's.
Never:     what the object is for (a WSGI application, a protocol factory).
Runs in:   a worker's main thread, once, before it serves; the current directory is the application's.
Can fail:  five ways that an operator repairs differently, hence five different sentences: no such module; the
           module is there but raised; no such attribute; not callable; the factory raised.
"""

from __future__ import annotations

import difflib
import importlib
import os
import pkgutil
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from hybridd.app.failure import describe, has_user_frames, user_traceback
from hybridd.app.reference import APPLICATION_NAMES, FACTORY_NAMES, Reference, parse_reference
from hybridd.errors import BootError


def load_object(spec: str, *, factory: bool = False) -> Callable[..., Any]:
    """Import and return the callable that ``spec`` names; call it first when it is a factory.

    ``spec`` is ``module:attribute`` (dotted attributes too), ``module:factory(literals)`` or ``module`` (then
    ``application`` or ``app`` of it).  The current directory is put in front of ``sys.path``.

    Raises:
        BootError: with a sentence for the operator, and the user's part of the traceback where there is one.
    """
    try:
        reference = parse_reference(spec, factory=factory)
    except ValueError as problem:
        raise BootError(f"cannot load {spec!r}: {problem}") from None
    directory = os.getcwd()  # noqa: PTH109 - text for sys.path, not a Path
    if sys.path[:1] != [directory]:
        sys.path.insert(0, directory)
    importlib.invalidate_caches()  # this process was forked from one that may have listed directories long ago
    found = _find_attribute(_import_module(reference), reference)
    if reference.called:
        found = _call_factory(found, reference)
    if not callable(found):
        raise BootError(_not_callable(found, reference))
    made: Callable[..., Any] = found
    return made


def _import_module(reference: Reference) -> ModuleType:
    """Import the module, telling apart one that does not exist and one that fails."""
    try:
        return importlib.import_module(reference.module)
    except ModuleNotFoundError as error:
        # A missing module may be one that *it* wants to import: then frames of its code are in the traceback.
        missing = error.name or ""
        if has_user_frames(error) or not (reference.module + ".").startswith(missing + "."):
            raise _failure(reference, f"importing {reference.module!r} failed", error) from None
        raise BootError(_no_such_module(reference, missing)) from None
    except BaseException as error:  # noqa: BLE001 - sys.exit() at import is as much a failed boot as an Exception
        raise _failure(reference, f"importing {reference.module!r} failed", error) from None


def _find_attribute(module: ModuleType, reference: Reference) -> Any:
    """Return the first of the reference's attributes that the module has."""
    for attribute in reference.attributes:
        found: Any = module
        owner = f"module {reference.module!r}"
        for name in attribute.split("."):
            try:
                found = getattr(found, name)
            except AttributeError:
                names = [n for n in dir(found) if not n.startswith("_")]
                problem = f"{owner} has no attribute {name!r}{_did_you_mean(name, names, _usual_names(found))}"
                break
            except BaseException as error:  # noqa: BLE001 - a module's __getattr__ may import, and that may fail
                raise _failure(reference, f"looking up {name!r} in {owner} failed", error) from None
            owner = f"{name!r}"
        else:
            return found
    if len(reference.attributes) > 1:
        wanted = " nor ".join(repr(name) for name in reference.attributes)
        problem = f"module {reference.module!r} has neither {wanted}; name what to serve: {reference.module}:NAME"
    raise BootError(f"cannot load {reference.text!r}: {problem}")


def _call_factory(factory: Any, reference: Reference) -> Any:
    """Return what the factory makes."""
    if not callable(factory):
        raise BootError(_not_callable(factory, reference))
    try:
        return factory(*reference.arguments, **reference.keywords)
    except BaseException as error:  # noqa: BLE001 - see _import_module
        raise _failure(reference, "the factory failed", error) from None


def _no_such_module(reference: Reference, missing: str) -> str:
    """Say which module is missing, what may have been meant, and where it was looked for."""
    parent, _, name = missing.rpartition(".")
    if not parent:
        here = [module.name for module in pkgutil.iter_modules(sys.path[:1])]
        everywhere = [module.name for module in pkgutil.iter_modules()]
        meant = _did_you_mean(name, here) or _did_you_mean(name, everywhere)
        others = [entry for entry in sys.path[1:] if entry]
        where = f"looked in {sys.path[0]} and along sys.path: {', '.join(others)}"
        return f"cannot load {reference.text!r}: there is no module {missing!r}{meant}; {where}"
    owner = sys.modules.get(parent)
    search = getattr(owner, "__path__", None)
    dotted = f" (did you mean '{parent}:{name}'?)" if name in dir(owner) else ""  # a dot where a colon belongs
    if search is None:
        what = f"there is no module {missing!r}{dotted}: {parent!r} is a module, not a package"
        return f"cannot load {reference.text!r}: {what}"
    meant = dotted or _did_you_mean(name, [module.name for module in pkgutil.iter_modules(search)])
    return f"cannot load {reference.text!r}: there is no module {missing!r}{meant}; looked in {', '.join(search)}"


def _not_callable(found: Any, reference: Reference) -> str:
    """Say what was found instead of something callable."""
    sentence = f"cannot load {reference.text!r}: it is not callable but {_kind(found)}"
    if isinstance(found, ModuleType):
        names = _usual_names(found)
        attribute = names[0] if names else "NAME"
        sentence += f"; name what to serve in it: {found.__name__}:{attribute}"
    return sentence


def _kind(found: Any) -> str:
    """Return how to speak of an object's type."""
    if found is None:
        return "None"
    name = type(found).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _usual_names(owner: Any) -> list[str]:
    """Return the usual names of applications that ``owner`` has."""
    return [name for name in (*APPLICATION_NAMES, *FACTORY_NAMES) if callable(getattr(owner, name, None))]


def _did_you_mean(name: str, candidates: Iterable[str], otherwise: Iterable[str] = ()) -> str:
    """Return a parenthesis that proposes what is spelt nearly so, or nothing."""
    spelt = {candidate.casefold(): candidate for candidate in candidates}
    close = difflib.get_close_matches(name.casefold(), spelt, n=1, cutoff=0.6)
    proposals = [spelt[match] for match in close if spelt[match] != name] or list(otherwise)[:1]
    return f" (did you mean {proposals[0]!r}?)" if proposals else ""


def _failure(reference: Reference, what: str, error: BaseException) -> BootError:
    """Return the error for the operator: one sentence, then the user's part of the traceback."""
    return BootError(f"cannot load {reference.text!r}: {what}: {describe(error)}\n{user_traceback(error)}")
