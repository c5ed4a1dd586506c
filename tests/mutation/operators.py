# pyright: reportMissingImports=false
# Those are installed for `make mutants` alone.
"""What is done to the code besides what mutmut does: it leaves out no statement and forces no branch."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import libcst as cst
import libcst.matchers as m
from mutmut.mutation import file_mutation, mutators

SOURCES = [Path(f"src/splus_session/_{name}.py") for name in ("credentials", "failures", "states")]
MEMBERS = {
    kind.name: [
        line.targets[0].id
        for line in kind.body
        if isinstance(line, ast.Assign)
        and isinstance(line.targets[0], ast.Name)
        and line.targets[0].id.isupper()
    ]
    for source in SOURCES
    for kind in ast.parse(source.read_text("utf-8")).body
    if isinstance(kind, ast.ClassDef) and [ast.unparse(base) for base in kind.bases] == ["enum.Enum"]
}
"""The enumerations. Read, and not imported: the library must not be there before it is changed."""

OPPOSITES = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "frozenset": "tuple",
    "sorted": "reversed",
}


def _statement(line: cst.SimpleStatementLine) -> Iterator[cst.CSTNode]:
    """Leave it out."""
    said = m.Expr(m.SimpleString() | m.ConcatenatedString())
    if not m.matches(line, m.SimpleStatementLine([said | m.Pass() | m.Import() | m.ImportFrom()])):
        yield line.with_changes(body=[cst.Pass()])


def _condition(branch: cst.If | cst.While | cst.CompIf) -> Iterator[cst.CSTNode]:
    """Go one way, whatever is the case. A loop that never ends would only cost time."""
    for answer in ("False",) if isinstance(branch, cst.While) else ("True", "False"):
        yield branch.with_changes(test=cst.Name(answer))


def _loop(loop: cst.For | cst.CompFor) -> Iterator[cst.CSTNode]:
    """Go through nothing."""
    yield loop.with_changes(iter=cst.Tuple([]))


def _operands(operation: cst.BooleanOperation) -> Iterator[cst.CSTNode]:
    """Take one operand for both."""
    for operand in (operation.left, operation.right):
        lpar, rpar = (*operation.lpar, *operand.lpar), (*operand.rpar, *operation.rpar)
        yield operand.with_changes(lpar=lpar, rpar=rpar)


def _sets(operation: cst.BinaryOperation) -> Iterator[cst.CSTNode]:
    if isinstance(operation.operator, cst.BitOr | cst.BitAnd):
        yield from (operation.left, operation.right)


def _patterns(pattern: cst.MatchOr) -> Iterator[cst.CSTNode]:
    """Forget one of the patterns."""
    for place in range(len(pattern.patterns)):
        kept = [*pattern.patterns[:place], *pattern.patterns[place + 1 :]]
        kept[-1] = kept[-1].with_changes(separator=cst.MaybeSentinel.DEFAULT)
        yield kept[0].pattern if len(kept) == 1 else pattern.with_changes(patterns=kept)


def _calls(call: cst.Call) -> Iterator[cst.CSTNode]:
    if isinstance(call.func, cst.Name) and call.func.value in OPPOSITES:
        yield call.with_changes(func=cst.Name(OPPOSITES[call.func.value]))


def _words(text: cst.FormattedStringText) -> Iterator[cst.CSTNode]:
    yield text.with_changes(value=f"XX{text.value}XX")


def _members(attribute: cst.Attribute) -> Iterator[cst.CSTNode]:
    """Take the next member of the enumeration."""
    members = MEMBERS.get(attribute.value.value, []) if isinstance(attribute.value, cst.Name) else []
    if attribute.attr.value in members:
        following = members[(members.index(attribute.attr.value) + 1) % len(members)]
        yield attribute.with_changes(attr=cst.Name(following))


OPERATORS: Sequence[tuple[type[cst.CSTNode], Any]] = (
    (cst.SimpleStatementLine, _statement),
    (cst.If, _condition),
    (cst.While, _condition),
    (cst.CompIf, _condition),
    (cst.For, _loop),
    (cst.CompFor, _loop),
    (cst.BooleanOperation, _operands),
    (cst.BinaryOperation, _sets),
    (cst.MatchOr, _patterns),
    (cst.Call, _calls),
    (cst.FormattedStringText, _words),
    (cst.Attribute, _members),
)


def install() -> None:
    """Have mutmut do this too, and look into calls that it would leave alone."""
    if isinstance(mutators.mutation_operators, list):
        mutators.mutation_operators.extend(OPERATORS)
    file_mutation.NEVER_MUTATE_FUNCTION_CALLS.clear()
