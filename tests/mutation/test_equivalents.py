"""What can be seen at a glance of the list of changes that no test can see. `make mutants` sees the rest."""

import ast
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tests.mutation.equivalents import LIST, Mutant, between, equivalents

SOURCE = Path(__file__).parent.parent.parent / "src" / "splus_session"


def source_of(where: str) -> str:
    """The code of a module, or of a function or method in it, in one line."""
    module, *names = where.split(".")
    text = (SOURCE / f"{module}.py").read_text("utf-8")
    lines = text.splitlines()
    node: ast.AST = ast.parse(text)
    first, last = 0, len(lines)
    for name in names:
        [found] = [each for each in ast.iter_child_nodes(node) if getattr(each, "name", None) == name]
        assert isinstance(found, ast.FunctionDef | ast.ClassDef)
        assert found.end_lineno is not None
        node, first, last = found, found.lineno - 1, found.end_lineno
    return " ".join(line.strip() for line in lines[first:last])


@pytest.mark.parametrize("mutant", equivalents(), ids=" ".join)
def test_what_a_listed_change_takes_away_is_there(mutant: Mutant) -> None:
    assert mutant.was
    assert mutant.was in source_of(mutant.where)
    assert mutant.now != mutant.was


def test_every_change_is_listed_once_and_for_a_reason() -> None:
    reasons = tomllib.loads(LIST.read_text("utf-8"))["because"]
    counted = Counter(tuple(mutant) for reason in reasons for mutant in reason["mutants"])
    assert [mutant for mutant, times in counted.items() if times > 1] == []
    assert all(equivalents().values())


def test_a_change_has_the_same_name_wherever_it_stands() -> None:
    lines = ["@@ -9,2 +9,2 @@", " def f():", "-    if a:", "+    if True:", "         b()"]
    moved = ["@@ -1 +1 @@", "-        if a:", "+        if True:"]
    assert between("_core.f", lines) == between("_core.f", moved) == Mutant("_core.f", "if a:", "if True:")
