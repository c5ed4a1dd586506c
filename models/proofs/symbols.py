"""Numbers that stand for any number, and all the ways that a program takes with them.

A `Number` does arithmetic by writing it down as a z3 term. It cannot be asked whether it is less
than another without a decision, so a comparison asks the `Path` that it belongs to; `explore` runs
the program again until each decision has been taken both ways.
"""

import contextlib
import functools
import math
import operator
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, TypeVar

import z3

Term = Any
"""Something of z3's, which has no type information."""

T = TypeVar("T")
Decision = tuple[Term, bool]


# ── Terms. Each is made once, which is what makes thousands of paths affordable ─────────────────

_MADE: dict[tuple[Any, ...], tuple[Term, ...]] = {}


def _made(operation: Callable[..., Term], *operands: Term) -> Term:
    """The term that an operation makes of others. It keeps them alive, so that ids stay theirs."""
    key = (operation, *map(id, operands))
    if key not in _MADE:
        _MADE[key] = (operation(*operands), *operands)
    return _MADE[key][0]


REAL, INT, BOOL = z3.Real, z3.Int, z3.Bool


@functools.cache
def symbol(name: str, sort: Callable[[str], Term]) -> Term:
    """The variable of this name."""
    return sort(name)


def truth(name: str) -> Term:
    """The truth value of this name."""
    return symbol(name, BOOL)


@functools.cache
def _constant(value: float, whole: bool) -> Term:  # 1 and 1.0 are one key, but not one term
    return z3.IntVal(value) if whole else z3.RealVal(str(Fraction(repr(value))))


def same(term: Term, value: int) -> Term:
    """That a whole number is this one."""
    return _made(operator.eq, term, _constant(value, True))


def _at_most(low: Term, high: Term) -> Term:
    return low <= high


def _less(a: Term, b: Term) -> Term:
    return z3.If(a <= b, a, b)


def _more(a: Term, b: Term) -> Term:
    return z3.If(a >= b, a, b)


class ImpossibleError(Exception):
    """This way through the program is of no interest: an assumption does not hold."""


class Path:
    """One way through the program: what was decided, what was assumed, which symbols came up."""

    def __init__(self, choices: tuple[bool, ...] = ()) -> None:
        self.decisions: list[Decision] = []
        self.condition: list[Term] = []
        """Under what it is taken: what was decided and assumed, in order."""
        self._choices = choices
        self._known: dict[int, bool] = {}
        self._made: Counter[str] = Counter()

    def decide(self, term: Term) -> bool:
        """Whether this is so, on this path. Asked again, the answer is the same."""
        key = id(term)
        if key not in self._known:
            place = len(self.decisions)
            answer = self._choices[place] if place < len(self._choices) else True
            self.decisions.append((term, answer))
            self.condition.append(term if answer else _made(z3.Not, term))
            self._known[key] = answer
        return self._known[key]

    def assume(self, *terms: Term) -> None:
        """Hold for true, and do not decide on, any of these."""
        for term in terms:
            if id(term) not in self._known:
                self.condition.append(term)
                self._known[id(term)] = True

    def within(self, number: "Number", low: float, high: float) -> None:
        """Hold a number to lie between these, in the form in which a comparison would ask."""
        self.assume(_made(_at_most, _term(low), number.term), _made(_at_most, number.term, _term(high)))

    def number(self, name: str, *, whole: bool = False) -> "Number":
        """The number of this name."""
        return Number(self, symbol(name, INT if whole else REAL))

    def fresh(self, name: str) -> "Number":
        """A number that is another one each time."""
        self._made[name] += 1
        return self.number(f"{name} {self._made[name]}")

    def name(self, name: str) -> "Name":
        """The user or token of this name."""
        named = Name(self, symbol(name, INT))
        self.assume(_made(operator.gt, named.term, _term(0)))
        return named


def explore(run: Callable[[Path], T], possible: Callable[[Path], bool]) -> Iterator[tuple[Path, T]]:
    """Every way through `run` with what it returns, but for those that cannot be taken."""
    todo: list[tuple[bool, ...]] = [()]
    while todo:
        choices = todo.pop()
        path = Path(choices)
        outcomes = []
        with contextlib.suppress(ImpossibleError):
            outcomes.append(run(path))
        answers = tuple(answer for _, answer in path.decisions)
        todo += [(*answers[:place], not answers[place]) for place in range(len(choices), len(answers))]
        if outcomes and possible(path):
            yield path, outcomes[0]


class Part:
    """Something whose fields are drawn when somebody looks at them, each once."""

    def __init__(self, path: Path, draw: Callable[[Path, str], Any]) -> None:
        self._path = path
        self._draw = draw

    def __getattr__(self, name: str) -> Any:
        value = self._draw(self._path, name)
        self.__dict__[name] = value
        return value


class Name:
    """A user or a token: one can only ask whether it is the same as another."""

    __slots__ = ("_path", "term")

    def __init__(self, path: Path, term: Term) -> None:
        self._path = path
        self.term = term

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Name):
            return False
        return self.term is other.term or self._path.decide(_made(operator.eq, self.term, other.term))

    def __hash__(self) -> int:
        return self.term.hash()  # type: ignore[no-any-return]


class Number:
    """A number that is not known. Infinity stays a float: nothing that is compared with it is decided."""

    __slots__ = ("_path", "term")

    def __init__(self, path: Path, term: Term) -> None:
        self._path = path
        self.term = term

    def _new(self, operation: Callable[[Term, Term], Term], a: Term, b: Term) -> "Number":
        return Number(self._path, _made(operation, a, b))

    # Arithmetic

    def __add__(self, other: "Number | float") -> "Number | float":
        return other if _infinite(other) else self._new(operator.add, self.term, _term(other))

    __radd__ = __add__

    def __sub__(self, other: "Number | float") -> "Number | float":
        return other * -1 if _infinite(other) else self._new(operator.sub, self.term, _term(other))

    def __rsub__(self, other: float) -> "Number | float":
        return other if _infinite(other) else self._new(operator.sub, _term(other), self.term)

    def __mul__(self, other: "Number | float") -> "Number":
        return self._new(operator.mul, self.term, _term(other))

    __rmul__ = __mul__

    def __truediv__(self, other: float) -> "Number":
        return self._new(operator.truediv, self.term, _term(other))

    def __rpow__(self, base: float) -> "Number":
        """Of a power nothing is known but that it is no less than one."""
        if base < 1:
            raise NotImplementedError
        power = self._path.fresh("power")
        self._path.assume(_made(operator.ge, power.term, _term(1)))
        return power

    # Comparisons. All are asked as "at most" and "the same", so that one question has one form.

    def _at_most(self, low: Term, high: Term) -> bool:
        return low is high or self._path.decide(_made(_at_most, low, high))

    def __le__(self, other: "Number | float") -> bool:
        return other == math.inf if _infinite(other) else self._at_most(self.term, _term(other))

    def __ge__(self, other: "Number | float") -> bool:
        return other == -math.inf if _infinite(other) else self._at_most(_term(other), self.term)

    def __lt__(self, other: "Number | float") -> bool:
        return other == math.inf if _infinite(other) else not self._at_most(_term(other), self.term)

    def __gt__(self, other: "Number | float") -> bool:
        return other == -math.inf if _infinite(other) else not self._at_most(self.term, _term(other))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Number | int | float) or _infinite(other):
            return False
        same = _term(other)
        return self.term is same or self._path.decide(_made(operator.eq, self.term, same))

    def __hash__(self) -> int:
        return self.term.hash()  # type: ignore[no-any-return]

    def __bool__(self) -> bool:
        return self != 0


def _infinite(other: object) -> bool:
    return isinstance(other, float) and math.isinf(other)


def _term(other: "Number | float") -> Term:
    if isinstance(other, Number):
        return other.term
    return _constant(other, isinstance(other, int))


def least(*numbers: Any) -> Any:
    """`min`, without a decision."""
    return _pick(numbers, math.inf, min, _less)


def greatest(*numbers: Any) -> Any:
    """`max`, without a decision."""
    return _pick(numbers, -math.inf, max, _more)


def _pick(
    numbers: tuple[Any, ...],
    identity: float,
    known: Callable[[Any, Any], Any],
    unknown: Callable[[Term, Term], Term],
) -> Any:
    chosen: Any = identity
    for number in numbers:
        if not isinstance(chosen, Number) and not isinstance(number, Number):
            chosen = known(chosen, number)
        elif _infinite(chosen) or _infinite(number):
            finite, infinite = (chosen, number) if _infinite(number) else (number, chosen)
            chosen = finite if infinite == identity else infinite
        else:
            path = chosen._path if isinstance(chosen, Number) else number._path
            chosen = Number(path, _made(unknown, _term(chosen), _term(number)))
    return chosen
