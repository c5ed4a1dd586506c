"""What of the library is public: modules with no underscore first in their names, and their `__all__`."""

import ast
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import splus_session


def modules() -> Iterator[ModuleType]:
    """Every public module that says what it has for others."""
    yield splus_session
    for found in pkgutil.walk_packages(splus_session.__path__, "splus_session."):
        if "._" not in found.name:
            module = importlib.import_module(found.name)
            if hasattr(module, "__all__"):
                yield module


def names() -> Iterator[tuple[str, Any]]:
    """Every public name, in full, with what it stands for."""
    for module in modules():
        for name in module.__all__:
            yield f"{module.__name__}.{name}", getattr(module, name)


@cache
def classes() -> dict[type, list[str]]:
    """Every public class, with its names: some are exported in two places."""
    found: dict[type, list[str]] = {}
    for name, what in names():
        if isinstance(what, type):
            found.setdefault(what, []).append(name)
    return found


def not_repeated() -> set[str]:
    """The classes, by name, whose members are told of with them, and not again with what inherits from them.

    Left are those that nobody can look up: what a public class has of a private one is told of as its own.
    """
    known = classes()
    return {
        base.__name__
        for each in known
        for base in each.__mro__
        if base in known or not base.__module__.startswith("splus_session")
    }


def given_to_instances(of: type) -> Iterator[str]:
    """The public attributes that a class gives to its instances only when they are made."""
    made = vars(of).get("__init__")
    # attrs makes some, of which there is no file.
    if not inspect.isfunction(made) or not Path(made.__code__.co_filename).is_file():
        return
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(made)))):
        match node:
            case ast.Attribute(value=ast.Name("self"), attr=name, ctx=ast.Store()) if name[0] != "_":
                yield name
