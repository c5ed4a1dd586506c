"""Imports point downwards, the core does nothing, and importing the library is cheap.

`LAYERS` is the architecture in the form that is checked. A new module gets its place there first.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = "splus_session"
SOURCE = Path(__file__).parent.parent / "src" / PACKAGE

# From the bottom up. A unit is a module, or a folder with all that is in it.
LAYERS: dict[str, set[str]] = {
    "vocabulary": {
        "_answers",
        "_commands",
        "_config",
        "_credentials",
        "_errors",
        "_events",
        "_failures",
        "_row",
        "_secrets",
        "_snapshot",
        "_states",
        "_text",
        "_value",
        "requirements",
    },
    "declaration": {"_chart", "_rules"},
    "core": {"_core", "_lifecycle", "_meanings", "_recorder", "_table"},
    "boundary": {
        "_arguments",
        "_clock",
        "_engine",
        "_explain",
        "_files",
        "_observers",
        "_renewals",
        "_situation",
        "_storing",
        "ports",
    },
    "public names": {"__init__"},
    "adapters": {"diagram", "explore", "model", "platform", "stores"},
    # It asks the same platform over the same HTTP as a session does.
    "the customer's side": {"backend"},
    "what drivers share": {"_base"},
    "drivers": {"aio", "sync"},
    "testing": {"testing"},
    "documents": {"sphinxext"},
    # It judges other clients, on a platform that `testing` brings.
    "conformance": {"conformance"},
    "commands": {"__main__", "cli", "demo"},
}
# Units of these don't know each other, so that each can be left out or replaced.
STRANGERS = {"adapters", "drivers"}
# These are computation alone: no clock, no socket, no file, no lock, no log, no chance.
PURE = {"vocabulary", "declaration", "core"}
IMPURE_STDLIB = {
    "asyncio", "concurrent", "contextvars", "ctypes", "fcntl", "ftplib", "http", "importlib", "io",
    "logging", "multiprocessing", "os", "pathlib", "queue", "random", "sched", "secrets", "select",
    "selectors", "shutil", "signal", "smtplib", "socket", "socketserver", "sqlite3", "ssl",
    "subprocess", "tempfile", "threading", "time", "urllib", "uuid", "weakref",
}  # fmt: skip
IMPURE_BUILTINS = {"breakpoint", "input", "open", "print"}
PURE_THIRD_PARTY = {"attr", "attrs"}
# The chart is written in python-statemachine and compiled from it; nothing else knows it.
STATEMACHINE_USERS = {"_chart", "_table"}
# The catalogue is data in a file beside its module, and the only thing down there that is read.
READS_ITS_DATA = {"requirements": {"importlib"}}

HEAVY = ("anyio", "asyncio", "graphviz", "httpx2", "hypothesis", "rich", "starlette", "statemachine")


def modules(root: Path) -> dict[str, Path]:
    """Every module below `root` by its name inside the package, as `aio.session`."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if len(parts) > 1 and parts[-1] == "__init__":
            parts = parts[:-1]
        found[".".join(parts)] = path
    return found


def imports(name: str, path: Path, known: set[str]) -> Iterator[tuple[int, str]]:
    """What a module imports, anywhere in it: line and name; our own modules begin with a dot."""
    base = [] if name == "__init__" else name.split(".")
    if path.name != "__init__.py":
        base = base[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                up = base[: len(base) - node.level + 1]
                origin = ".".join([PACKAGE, *up, *filter(None, [origin])])
            # `from package import module` is an import of the module.
            targets = [
                full if full.removeprefix(f"{PACKAGE}.") in known else origin
                for full in (f"{origin}.{alias.name}" for alias in node.names)
            ]
        else:
            continue
        for target in targets:
            if target == PACKAGE:
                yield node.lineno, ".__init__"
            elif target.startswith(f"{PACKAGE}."):
                yield node.lineno, target.removeprefix(PACKAGE)
            else:
                yield node.lineno, target


def breaches(root: Path) -> list[str]:
    """Everything below `root` that the architecture forbids, one sentence each."""
    names = list(LAYERS)
    layer_of = {unit: layer for layer, units in LAYERS.items() for unit in units}
    found = modules(root)
    graph: dict[str, set[str]] = {name: set() for name in found}
    result = []
    for name, path in found.items():
        unit = name.partition(".")[0]
        if unit not in layer_of:
            result.append(f"{name}: has no layer; give {unit!r} its place in LAYERS")
            continue
        layer = layer_of[unit]
        for line, target in imports(name, path, set(found)):
            where = f"{name}:{line}"
            if not target.startswith("."):
                result += third_party_breaches(where, unit, layer, target)
                continue
            if target[1:] in graph:
                graph[name].add(target[1:])
            other = target[1:].partition(".")[0]
            if other == unit:
                continue
            if other not in layer_of:
                result.append(f"{where}: imports {other!r}, which has no place in LAYERS")
            elif names.index(layer_of[other]) > names.index(layer):
                result.append(f"{where}: {layer} imports {target[1:]} from {layer_of[other]} above it")
            elif layer_of[other] == layer and layer in STRANGERS:
                result.append(f"{where}: {unit} imports {other}, and {layer} don't know each other")
        if layer in PURE:
            result += [
                f"{name}:{node.lineno}: {layer} calls {node.func.id}()"
                for node in ast.walk(ast.parse(path.read_text("utf-8")))
                if isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in IMPURE_BUILTINS
            ]
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        result.append("imports go round: " + " -> ".join(error.args[1]))
    return result


def third_party_breaches(where: str, unit: str, layer: str, target: str) -> list[str]:
    """What is wrong with an import from outside the package."""
    top = target.partition(".")[0]
    if top == "statemachine":
        if unit in STATEMACHINE_USERS:
            return []
        return [f"{where}: only _chart and _table import python-statemachine"]
    if layer not in PURE:
        return []
    if top in READS_ITS_DATA.get(unit, ()):
        return []
    if top in IMPURE_STDLIB:
        return [f"{where}: {layer} imports {top}, which is not pure"]
    if top not in sys.stdlib_module_names | PURE_THIRD_PARTY:
        return [f"{where}: {layer} imports {top}, and may import attrs alone"]
    return []


def test_imports_point_downwards_and_the_core_is_pure() -> None:
    assert breaches(SOURCE) == []


def test_importing_the_library_imports_nothing_heavy() -> None:
    code = f"import sys, {PACKAGE}; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.split() == []


# Each check above sees its breach: the smallest tree that has it, and words of the sentence.
BAD_TREES = {
    "a module without a layer": ({"_new.py": ""}, "_new: has no layer"),
    "an import upwards": ({"_states.py": "from splus_session._core import step"}, "from core above"),
    "an import upwards, relative": ({"_states.py": "from ._core import step"}, "from core above"),
    "an import upwards, of the module": ({"_states.py": "from . import _core", "_core.py": ""}, "_core"),
    "an import upwards, for types": (
        {"_states.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import splus_session._core"},
        "from core above",
    ),
    "an import upwards, in a function": ({"_states.py": "def f():\n    from . import aio"}, "above it"),
    "the public names from below": ({"ports.py": "import splus_session"}, "from public names above"),
    "a driver that knows the other": ({"aio/session.py": "from ..sync import x"}, "don't know each other"),
    "an adapter that knows another": ({"diagram.py": "from .stores.memory import x"}, "don't know each other"),
    "a core that reads the clock": ({"_core.py": "from time import time"}, "time, which is not pure"),
    "a core that opens a file": ({"_core.py": "f = open('x')"}, "calls open()"),
    "a core with a dependency": ({"_core.py": "import httpx2"}, "may import attrs alone"),
    "python-statemachine elsewhere": ({"_core.py": "from statemachine.states import States"}, "only _chart"),
    "a circle": ({"_errors.py": "from . import _states", "_states.py": "from . import _errors"}, "go round"),
}  # fmt: skip


@pytest.mark.parametrize(("files", "words"), BAD_TREES.values(), ids=BAD_TREES)
def test_the_check_sees(files: dict[str, str], words: str, tmp_path: Path) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    [breach] = breaches(tmp_path)
    assert words in breach


def test_the_check_lets_a_good_tree_pass(tmp_path: Path) -> None:
    files = {
        "__init__.py": "from splus_session._core import step",
        "_states.py": "import enum\nimport attrs",
        "_errors.py": "from splus_session._states import State",
        "_chart.py": "from statemachine import StateChart",
        "_core.py": "from . import _lifecycle\nfrom ._errors import E",
        "_lifecycle.py": "from ._states import State",
        "aio/__init__.py": "from .session import Session",
        "aio/session.py": "import anyio\nfrom .. import ports\nfrom . import flight",
        "aio/flight.py": "from splus_session import step",
        "ports.py": "from splus_session._core import step",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert breaches(tmp_path) == []
