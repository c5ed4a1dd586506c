"""The compiler gives the rows that were declared, and refuses what a table would run otherwise."""

import doctest
import enum
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import new_class
from typing import Any

import pytest
from statemachine import Event, HistoryState, State, StateChart, StateMachine
from statemachine.states import States

from splus_session import _lifecycle, _table
from splus_session._chart import SessionChart
from splus_session._core import LIFECYCLE
from splus_session._errors import ChartError
from splus_session._row import Guard, Row
from splus_session._states import SessionState
from splus_session._table import compile_chart, render

FLAGS = {
    "allow_event_without_transition": True,
    "enable_self_transition_entries": False,
    "atomic_configuration_update": False,
    "catch_errors_as_events": False,
}

Chart = type[StateChart[Any]]
Body = dict[str, Any]


class At(enum.Enum):
    A = 1
    B = 2


def chart(body: Body, *bases: type) -> Chart:
    """A chart with this body, in which A and B lead to each other."""
    return new_class("Chart", bases or (StateChart,), exec_body=lambda space: space.update(FLAGS | body))


def ring(**more: Any) -> Body:
    """A body with two states, `go` from A to B with the arguments given, and `back`."""
    at = States.from_enum(At, initial=At.A)
    return {"at": at, "go": at.A.to(at.B, **more), "back": at.B.to(at.A)}


# ── What is declared is what comes out ──────────────────────────────────────────────────────────


def test_the_table_in_use_is_compiled_from_the_chart() -> None:
    assert compile_chart(SessionChart) == LIFECYCLE == _lifecycle.ROWS


def test_what_is_rendered_reads_as_the_same_rows() -> None:
    space: dict[str, Any] = {}
    exec(render(LIFECYCLE), space)  # noqa: S102  it is this library's own module
    assert space["ROWS"] == LIFECYCLE


def test_the_module_of_rows_is_what_is_rendered_to_the_letter() -> None:
    assert render(LIFECYCLE) == Path(_lifecycle.__file__).read_text("utf-8")


def test_a_row_is_rendered_with_as_much_as_it_has() -> None:
    guards = (Guard("is_a"), Guard("is_b", expected=False))
    bare = Row(SessionState.ESTABLISHED, "logout", SessionState.NOT_LOGGED_IN)
    full = Row(
        SessionState.ESTABLISHED, "renew_now", SessionState.ESTABLISHED, True, guards, ("a", "b"), ("c",)
    )
    assert (
        render((bare, full)).split("(\n", 1)[1]
        == """    Row(
        SessionState.ESTABLISHED,
        "logout",
        SessionState.NOT_LOGGED_IN,
    ),
    Row(
        SessionState.ESTABLISHED,
        "renew_now",
        SessionState.ESTABLISHED,
        internal=True,
        guards=(Guard("is_a"), Guard("is_b", expected=False)),
        reactions=("a", "b"),
        hooks=("c",),
    ),
)
"""
    )


def test_rows_cannot_be_changed() -> None:
    row: Any = LIFECYCLE[0]
    assert hash(LIFECYCLE) is not None
    with pytest.raises(AttributeError):
        row.event = "other"


def test_a_transition_becomes_a_row_with_everything_in_its_order() -> None:
    body = ring(cond=["a", "b"], unless=["c"], on=["first", "second"], after=["run_on_x", "run_on_y"])
    [row, _] = compile_chart(chart(body))
    assert row == Row(
        At.A,  # type: ignore[arg-type]  # a chart of one's own has states of its own
        "go",
        At.B,  # type: ignore[arg-type]
        guards=(Guard("a"), Guard("b"), Guard("c", expected=False)),
        reactions=("first", "second"),
        hooks=("on_x", "on_y"),
    )


def test_staying_within_a_state_is_an_internal_row() -> None:
    body = ring()
    body["stay"] = body["at"].A.to.itself(internal=True, on="do")
    rows = compile_chart(chart(body))
    assert [(row.event, row.internal, row.source is row.target) for row in rows] == [
        ("go", False, False),
        ("stay", True, True),
        ("back", False, False),
    ]


def test_rows_keep_the_order_in_which_transitions_were_made_and_not_that_of_the_bars() -> None:
    at = States.from_enum(At, initial=At.A)
    first, second = at.A.to(at.B, cond="x"), at.A.to(at.B, cond="y")
    rows = compile_chart(chart({"at": at, "go": second | first, "back": at.B.to(at.A)}))
    assert [row.guards for row in rows] == [(Guard("x"),), (Guard("y"),), ()]


def test_a_transition_of_two_events_is_two_rows() -> None:
    for body in (ring(event="go other"), (twice := ring()) | {"other": twice["go"]}):
        assert [row.event for row in compile_chart(chart(body))] == ["go", "other", "back"]


def test_an_event_may_have_an_id_that_is_not_its_attribute() -> None:
    body = ring()
    body["go"] = Event(body["go"], id="walk", name="Go on")
    assert [row.event for row in compile_chart(chart(body))] == ["walk", "back"]


def test_methods_of_a_chart_are_no_part_of_its_table() -> None:
    assert compile_chart(chart(ring(cond="is_open") | {"is_open": lambda self: True})) == compile_chart(
        chart(ring(cond="is_open"))
    )


def test_a_chart_of_ones_own_compiles_as_the_docstring_says() -> None:
    failed, tried = doctest.testmod(_table)
    assert failed == 0
    assert tried > 0


# ── What is refused, and with which words ───────────────────────────────────────────────────────


def spoken() -> Callable[..., None]:
    return lambda *given: None


def with_states(**states: State) -> Chart:
    """A chart of states that are written out, the first of which leads around them all."""
    at = list(states.values())
    turns = [state.to(following) for state, following in zip(at, at[1:] + at[:1], strict=True)]
    return chart({**states, "go": turns[0] if len(turns) == 1 else _joined(turns)})


def _joined(transitions: list[Any]) -> Any:
    joined = transitions[0]
    for transition in transitions[1:]:
        joined = joined | transition
    return joined


def nested_chart(**options: Any) -> Chart:
    class Inner(State.Compound):
        one = State(initial=True)
        two = State()
        step = one.to(two) | two.to(one)

    out = State(value=At.A, initial=True)
    inner: Any = Inner
    return chart({"out": out, "inner": inner, "go": out.to(inner), "back": inner.to(out), **options})


def parallel_chart() -> Chart:
    class Both(State.Parallel):
        class left(State.Compound):  # noqa: N801
            l1 = State(initial=True)
            l2 = State()
            west = l1.to(l2) | l2.to(l1)

        class right(State.Compound):  # noqa: N801
            r1 = State(initial=True)
            r2 = State()
            east = r1.to(r2) | r2.to(r1)

    both: Any = Both
    out = State(value=At.A, initial=True)
    return chart({"out": out, "both": both, "go": out.to(both), "back": both.to(out)})


def history_chart() -> Chart:
    class Inner(State.Compound):
        one = State(initial=True)
        two = State()
        step = one.to(two) | two.to(one)
        h = HistoryState()

    inner: Any = Inner
    out = State(value=At.A, initial=True)
    return chart({"out": out, "inner": inner, "go": out.to(inner.h), "back": inner.to(out)})


def odd_chart(odd: State) -> Chart:
    """One of whose two states, though it holds none, is not as plain as a state of a table."""
    out = State(value=At.A, initial=True)
    return chart({"out": out, "odd": odd, "go": out.to(odd), "back": odd.to(out)})


def final_chart() -> Chart:
    at = States.from_enum(At, initial=At.A, final=At.B)
    return chart({"at": at, "go": at.A.to(at.B)})


def eventless_chart() -> Chart:
    body = ring()
    body["at"].A.to(body["at"].B, cond="x")
    return chart(body)


def itself_chart(**options: Any) -> Chart:
    body = ring()
    return chart(body | {"stay": body["at"].A.to.itself(**options)})


def any_chart() -> Chart:
    body = ring()
    return chart(body | {"leave": body["at"].A.from_.any()})


def with_attribute(name: str, attribute: object) -> Chart:
    return chart(ring() | {name: attribute})


def decorated_chart(word: str) -> Chart:
    body = ring()

    def named(self: object) -> bool:
        return True

    return chart(body | {"named": getattr(body["go"], word)(named)})


def extending_chart() -> Chart:
    return chart({}, chart(ring()))


def extended_chart() -> Chart:
    body = ring()
    base = chart(body)
    # The states are shared, so this transition is the base's too.
    chart({"jump": body["at"].A.to(body["at"].B, cond="x")}, base)
    return base


def mixed_in_chart(**attributes: Any) -> Chart:
    return chart(ring(), type("Mixin", (), attributes), StateChart)


def old_machine() -> Any:
    return new_class("Machine", (StateMachine,), exec_body=lambda space: space.update(ring()))


def targetless_chart() -> Chart:
    body = ring()
    return chart(body | {"nowhere": body["at"].A.to(None)})


def twin_chart(first: Body, second: Body) -> Chart:
    at = States.from_enum(At, initial=At.A)
    return chart({"at": at, "go": at.A.to(at.B, **first) | at.A.to(at.B, **second), "back": at.B.to(at.A)})


def event_chart(**options: Any) -> Chart:
    body = ring()
    body["go"] = Event(body["go"], **options)
    return chart(body)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    # Structure
    "a compound state": (nested_chart, "is nested, parallel or historic"),
    "a parallel state": (parallel_chart, "is nested, parallel or historic"),
    "history": (history_chart, "is nested, parallel or historic"),
    "a parallel state of no regions": (
        lambda: odd_chart(State(value=At.B, parallel=True)),
        "is nested, parallel or historic",
    ),
    "history of the whole chart": (
        lambda: odd_chart(HistoryState(value=At.B)),
        "is nested, parallel or historic",
    ),
    "a state with nothing in it but history": (
        lambda: odd_chart(State(value=At.B, history=[HistoryState()])),
        "is nested, parallel or historic",
    ),
    "a final state": (final_chart, "is final"),
    "no states": (lambda: chart({}), "has no states"),
    "states that are no enum's": (
        lambda: with_states(a=State(initial=True), b=State()),
        "has no enum member as its value",
    ),
    "raw values of an enum": (
        lambda: chart(
            {
                "at": (at := States.from_enum(At, initial=At.A, use_enum_instance=False)),
                "go": at.A.to(at.B) | at.B.to(at.A),
            }
        ),
        "has no enum member as its value",
    ),
    "two states of one value": (
        lambda: chart(
            {
                "validate_disconnected_states": False,
                "a": (a := State(value=At.A, initial=True)),
                "b": (b := State(value=At.A)),
                "go": a.to(b) | b.to(a),
            }
        ),
        "have the same value",
    ),
    "something on entering": (
        lambda: with_states(a=State(value=At.A, initial=True, enter="ring"), b=State(value=At.B)),
        r"has enter=\['ring'\]",
    ),
    "something on leaving": (
        lambda: with_states(a=State(value=At.A, initial=True, exit="ring"), b=State(value=At.B)),
        r"has exit=\['ring'\]",
    ),
    "an invocation": (
        lambda: with_states(a=State(value=At.A, initial=True, invoke=spoken()), b=State(value=At.B)),
        "has invoke=",
    ),
    # Flags
    "an old StateMachine": (old_machine, "allow_event_without_transition is False; the table means True"),
    **{
        f"another {flag}": (
            partial(with_attribute, flag, not wanted),
            f"{flag} is {not wanted}; the table means {wanted}",
        )
        for flag, wanted in FLAGS.items()
    },
    # Transitions
    "no event": (eventless_chart, "from A has no event"),
    "no target": (targetless_chart, "does not lead to one target"),
    "the transition that begins a nested state": (
        lambda: chart(ring(initial=True)),
        "does not lead to one target",
    ),
    "leaving and entering the same state": (itself_chart, r"say internal=True"),
    "a source that is any state, itself too": (any_chart, r"leave from A .*say internal=True"),
    "a validator": (lambda: chart(ring(validators="check")), "has validators="),
    "something before": (lambda: chart(ring(before="prepare")), "has before="),
    "a row below one without guards": (lambda: twin_chart({}, {"cond": "x"}), "can never be taken"),
    "a row below one with the same guards": (
        lambda: twin_chart({"cond": ["x", "y"]}, {"cond": ["y", "x"]}),
        "can never be taken",
    ),
    "a row below one with fewer guards": (
        lambda: twin_chart({"unless": "x"}, {"cond": "y", "unless": "x"}),
        "can never be taken",
    ),
    # Events
    "a dotted event, which fits by its prefix": (
        lambda: chart(ring(event="go.home")),
        r"'go\.home' is no plain event name",
    ),
    "the event that fits all": (lambda: chart(ring(event="*")), r"'\*' is no plain event name"),
    "an empty event, which fits all": (lambda: chart(ring(event="go  other")), "'' is no plain event name"),
    "an event that psm gives a dotted twin": (
        lambda: chart((body := ring()) | {"error_x": body["at"].A.to(body["at"].B)}),
        r"'error\.x' is no plain event name",
    ),
    "a delayed event": (lambda: event_chart(delay=5), "the event go is delayed"),
    "an internal event": (lambda: event_chart(internal=True), "the event go is internal"),
    # Names
    "a function as a guard": (lambda: chart(ring(cond=spoken())), "something else than a name in cond="),
    "a function as a negated guard": (lambda: chart(ring(unless=spoken())), "a name in cond="),
    "a function as a reaction": (lambda: chart(ring(on=spoken())), "something else than a name in on="),
    "a function as a hook": (lambda: chart(ring(after=spoken())), "something else than a name in after="),
    "a decorated guard": (lambda: decorated_chart("cond"), "something else than a name in cond="),
    "a decorated reaction": (lambda: decorated_chart("on"), "something else than a name in on="),
    "a decorated hook": (lambda: decorated_chart("after"), "something else than a name in after="),
    "a decorated event": (lambda: decorated_chart("__call__"), "something else than a name in on="),
    "a decorated preparation": (lambda: decorated_chart("before"), "something else than a name in before="),
    "a property as a guard": (lambda: chart(ring(cond=property(spoken()))), "something else than a name"),
    "no string": (lambda: chart(ring(on=5)), "something else than a name in on="),
    "the name of an event as a reaction": (lambda: chart(ring(on="back")), "names back, which means"),
    "the name of a state as a guard": (lambda: chart(ring(cond="B")), "names B, which means"),
    "a name that every chart has": (lambda: chart(ring(on="send")), "names send, which means"),
    "two names in one string": (lambda: chart(ring(on="a b")), "on='a b', which is no single name"),
    "and": (lambda: chart(ring(cond="a and b")), "cond='a and b', which is no single name"),
    "or": (lambda: chart(ring(cond="a or b")), "cond='a or b', which is no single name"),
    "not": (lambda: chart(ring(cond="not a")), "cond='not a', which is no single name"),
    "an exclamation mark": (lambda: chart(ring(cond="!a")), "cond='!a', which is no single name"),
    "a circumflex": (lambda: chart(ring(cond="a^b")), r"cond='a\^b', which is no single name"),
    "a comparison": (lambda: chart(ring(cond="a > 1")), "cond='a > 1', which is no single name"),
    "a constant": (lambda: chart(ring(cond="True")), "cond='True', which is no single name"),
    "a question about states": (lambda: chart(ring(cond="In('B')")), "which is no single name"),
    "a hook by another name": (lambda: chart(ring(after="on_login")), "hooks are named run_on_…"),
    "a hook by no name": (lambda: chart(ring(after="run_")), "hooks are named run_on_…"),
    # What python-statemachine runs without being told to
    "a reaction by the name of a convention": (
        lambda: chart(ring(on="on_go")),
        "has the name on_go, which python-statemachine would also run by convention",
    ),
    "a guard by the name of a convention": (
        lambda: chart(ring(cond="on_transition")),
        "has the name on_transition",
    ),
    **{
        f"a method {name}": (
            partial(with_attribute, name, spoken()),
            f"has the name {name}",
        )
        for name in (
            "prepare_event",
            "before_transition",
            "on_transition",
            "after_transition",
            "before_go",
            "on_go",
            "after_go",
            "on_enter_state",
            "on_exit_state",
            "on_invoke_state",
            "on_enter_A",
            "on_exit_A",
            "on_invoke_A",
        )
    },
    "an attribute by the name of a convention": (
        lambda: chart(ring() | {"on_go": "anything"}),
        "has the name on_go",
    ),
    "an inherited method by the name of a convention": (
        lambda: mixed_in_chart(on_enter_A=spoken()),
        "has the name on_enter_A",
    ),
    "listeners": (lambda: chart(ring() | {"listeners": [object()]}), "has listeners"),
    "inherited listeners": (lambda: mixed_in_chart(listeners=[object()]), "has the listeners of Mixin"),
    # Charts that share states
    "a chart that extends another": (extending_chart, "extends the chart Chart"),
    "a chart that another extends": (extended_chart, "is extended by Chart"),
}


@pytest.mark.parametrize(("declare", "words"), REFUSED.values(), ids=REFUSED)
def test_refused_with_words_is(declare: Callable[[], Any], words: str) -> None:
    declared = declare()  # python-statemachine itself takes it
    with pytest.raises(ChartError, match=words):
        compile_chart(declared)


IN_FULL = {
    "another catch_errors_as_events": "Chart.catch_errors_as_events is True; the table means False: set it",
    "a chart that extends another": "Chart extends the chart Chart: write it out in full",
    "inherited listeners": "Chart has the listeners of Mixin; the table calls nobody",
    "a chart that another extends": "Chart is extended by Chart, which may have changed it",
    "no states": "Chart has no states",
    "two states of one value": "two states of Chart have the same value",
    "listeners": "Chart has listeners; the table calls nobody",
    "a state with nothing in it but history": "state odd of Chart is nested, parallel or historic; the table is flat",
    "a final state": "state B of Chart is final, which would end the machine for good",
    "states that are no enum's": "state a of Chart has no enum member as its value: use States.from_enum",
    "something on leaving": (
        "state a of Chart has exit=['ring']; write it on the transitions, so that a row is the whole truth"
    ),
    "a delayed event": "the event go is delayed; time is a fact that comes from outside",
    "an internal event": "the event go is internal; the table raises no events of its own",
    "no event": "a transition from A has no event",
    "no target": "nowhere from A does not lead to one target",
    "a validator": "go from A has validators=; the table knows cond, unless, on and after",
    "something before": "go from A has before=; the table knows cond, unless, on and after",
    "leaving and entering the same state": "stay from A leaves and enters the same state: say internal=True",
    "the event that fits all": "* go from A: '*' is no plain event name",
    "a function as a guard": "go from A has something else than a name in cond=: give a name instead",
    "a function as a reaction": "go from A has something else than a name in on=: give a name instead",
    "a function as a hook": "go from A has something else than a name in after=: give a name instead",
    "a decorated preparation": "go from A has something else than a name in before=: give a name instead",
    "two names in one string": (
        "go from A has on='a b', which is no single name: several names are a list, `not` is unless=, "
        "and `or` is a row of its own"
    ),
    "a hook by another name": "go from A has after='on_login'; hooks are named run_on_…",
    "a reaction by the name of a convention": (
        "Chart has the name on_go, which python-statemachine would also run by convention: call it something else"
    ),
    "the name of a state as a guard": "Chart names B, which means something else in a chart",
    "a row below one without guards": "a row of go from At.A can never be taken",
}
"""Each message once, as whoever wrote the chart reads it."""


@pytest.mark.parametrize("name", IN_FULL)
def test_a_refusal_says_what_is_wrong_and_what_to_write_instead(name: str) -> None:
    with pytest.raises(ChartError) as refused:
        compile_chart(REFUSED[name][0]())
    assert str(refused.value) == IN_FULL[name]


def test_the_conventions_that_are_refused_are_all_there_are() -> None:
    specs = [
        spec
        for state in SessionChart.states
        for holder in (state, *state.transitions)
        for group in ("enter", "exit", "invoke", "before", "on", "after", "cond", "validators")
        for spec in getattr(holder, group, ())
    ]
    conventional = {spec.func for spec in (*specs, *SessionChart.prepare) if spec.is_convention}
    assert conventional == set(_table._conventions(SessionChart))
