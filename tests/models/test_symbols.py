"""The numbers that stand for any number, and the search for all ways through a program."""

import math
from typing import Any

import pytest
import z3

from models.proofs.symbols import ImpossibleError, Number, Path, explore, greatest, least


def ways(run: Any) -> list[tuple[Any, Any]]:
    """Every way through a program that can be taken: its condition, and what it returns."""

    def possible(path: Path) -> bool:
        solver = z3.Solver()
        solver.add(path.condition)
        return bool(solver.check() == z3.sat)

    return [(z3.And(path.condition), outcome) for path, outcome in explore(run, possible)]


def test_each_decision_is_taken_both_ways_and_what_cannot_be_is_left_out() -> None:
    def sign(path: Path) -> str:
        number = path.number("x")
        if number < 0:
            return "negative"
        if number < -1:
            return "impossible"
        return "positive" if number > 0 else "zero"

    assert sorted(outcome for _, outcome in ways(sign)) == ["negative", "positive", "zero"]


def test_the_conditions_of_all_ways_cover_everything_and_exclude_each_other() -> None:
    def run(path: Path) -> bool:
        a, b = path.number("a"), path.number("b")
        return a <= b and (a + 1 == b or not a - b > -2)

    conditions = [condition for condition, _ in ways(run)]
    solver = z3.Solver()
    solver.add(z3.PbEq([(condition, 1) for condition in conditions], 1) == z3.BoolVal(False))
    assert solver.check() == z3.unsat


def test_a_question_that_was_answered_is_not_asked_again() -> None:
    def run(path: Path) -> None:
        number = path.number("x")
        assert (number < 1) == (number < 1) == (not number >= 1)

    assert len(ways(run)) == 2


def test_what_is_assumed_is_no_question() -> None:
    def run(path: Path) -> bool:
        number = path.number("x")
        path.within(number, 0, 1)
        return number >= 0 and number <= 1.0

    assert [outcome for _, outcome in ways(run)] == [True]


def test_a_way_of_no_interest_is_left_out_and_the_others_are_not() -> None:
    def run(path: Path) -> str:
        if path.number("x") < 0:
            raise ImpossibleError
        return "kept"

    assert [outcome for _, outcome in ways(run)] == ["kept"]


def test_infinity_is_beyond_every_number() -> None:
    number = Path().number("x")
    assert number < math.inf
    assert number > -math.inf
    assert not number >= math.inf
    assert number + math.inf == math.inf
    assert number - math.inf == -math.inf
    assert math.inf - number == math.inf
    assert least(number, math.inf) is number
    assert greatest(number, math.inf) == math.inf
    assert least(3, 2.0) == 2.0


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (lambda x: x + 1, 3),
        (lambda x: 1 + x, 3),
        (lambda x: x - 0.5, 1.5),
        (lambda x: 0.5 - x, -1.5),
        (lambda x: x * 0.1, 0.2),
        (lambda x: x / 4, 0.5),
        (lambda x: least(x, 1), 1),
        (lambda x: greatest(1, x), 2),
    ],
)
def test_arithmetic_is_that_of_numbers(operation: Any, expected: float) -> None:
    number = operation(Path().number("x"))
    assert isinstance(number, Number)
    solver = z3.Solver()
    solver.add(z3.Real("x") == 2, number.term != z3.RealVal(str(expected)))
    assert solver.check() == z3.unsat
