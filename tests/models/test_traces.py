"""What the drivers' sessions do the model can do too; what no session would do is refused."""

from functools import cache
from typing import Any, NamedTuple

import attrs
import pytest
from hypothesis import settings

from models.tlc.traces import EVERYTHING, refusals, told
from splus_session import LIFECYCLE, Row
from splus_session import _core as core
from splus_session._engine import Engine
from splus_session._events import RenewalFailed, SessionOpened
from splus_session.explore import TICK, View, figures
from tests.models.test_model import needs_tlc
from tests.schedules.as_model import entries
from tests.schedules.choices import Choices
from tests.schedules.mutants import MUTANTS, Plant
from tests.schedules.scenarios import SCENARIOS
from tests.schedules.stages import STAGES
from tests.schedules.ticks import SCENES, TickingWorld, life, lived
from tests.schedules.trace import Trace

LIVES = 8
"""Of each driver, besides its scenes."""
FEWEST_ROWS = 80
"""Of the 95 of the life cycle. With the profile `deep` all are taken but six."""


class Recorded(NamedTuple):
    """A trace, and where it is from."""

    name: str
    entries: list[View]
    rows: frozenset[Row | None]


def recorded(name: str, processes: list[Trace]) -> Recorded:
    steps = [step for trace in processes for given in trace.inputs for step in given.steps]
    return Recorded(name, entries(processes), frozenset(step.row for step in steps))


@cache
def everything() -> list[Recorded]:
    """Scenes of every driver, and lives in orders drawn by chance, of each driver other ones."""
    traces: list[Recorded] = []
    count = LIVES if settings().derandomize else 200
    for number, driver in enumerate(STAGES):
        for name, scene in {**SCENARIOS, **SCENES}.items():
            traces.append(recorded(f"{driver}: {name}", [lived(driver, scene, Choices()).trace]))
        seeds = range(number * count, (number + 1) * count)
        traces += [recorded(f"{driver}: life {seed}", life(driver, seed)) for seed in seeds]
    return traces


def refused(traces: list[Recorded]) -> dict[str, int]:
    """The names of those that the model does not follow, each with how many of its entries it does."""
    found = refusals([each.entries for each in traces])
    return {traces[refusal.trace].name: refusal.at for refusal in found}


def test_a_world_in_ticks_has_the_figures_of_a_slice() -> None:
    """But for those of which the model knows nothing: how long a backoff is, and a request."""
    ours, theirs = TickingWorld.config, figures()
    names = [field.name for field in attrs.fields(type(ours))]
    different = {name for name in names if getattr(ours, name) != getattr(theirs, name)}
    assert different == {"backoff", "request_timeout"}
    assert TickingWorld.lifetime == TICK * EVERYTHING.lifetimes[0]


@needs_tlc
@pytest.mark.requirement(
    "LOGIN-6", "RENEW-3", "RENEW-5", "EXPIRE-1", "BAN-4", "LOGOUT-1", "LOGOUT-3", "RESUME-1", "RESUME-2", "HOOK-1",
)  # fmt: skip
def test_the_model_follows_what_the_sessions_of_all_drivers_do() -> None:
    traces = everything()
    found = refused(traces)
    print(f"{len(traces)} traces, {sum(len(each.entries) for each in traces)} entries")
    for each in traces:
        if each.name in found:
            pytest.fail(f"{each.name}: {told(each.entries, found[each.name])}", pytrace=False)


def test_these_take_nearly_every_row_of_the_life_cycle() -> None:
    taken = frozenset[Row | None]().union(*(each.rows for each in everything()))
    for row in set(LIFECYCLE) - taken:
        print("not taken:", row.source.value, row.event, *row.guards)
    assert len(taken - {None}) >= FEWEST_ROWS


# ── What no session would do ────────────────────────────────────────────────────────────────────


@cache
def one() -> list[View]:
    """A trace with a bit of everything: a login, a lost renewal, a tick, another try, a logout."""
    [trace] = [each for each in everything() if each.name == "trio: a renewal that has to be tried again"]
    return trace.entries


def steps(entries: list[View], word: str, kind: str = "taken") -> list[int]:
    """Where the session hears of something of this name."""
    return [
        number
        for number, entry in enumerate(entries)
        if entry[0] == "step" and entry[1][0][0] == word and entry[2] == kind
    ]


def changed(entries: list[View], at: int, place: int, part: Any) -> None:
    entry = list(entries[at])
    entry[place] = part
    entries[at] = tuple(entry)


def another_answer(entries: list[View]) -> int:
    [at, *_] = steps(entries, "open")
    changed(entries, at, 1, (("open", 1, "refused"),))
    return at


def a_command_less(entries: list[View]) -> int:
    [at, *_] = steps(entries, "open")
    changed(entries, at, 3, entries[at][3][:-1])
    return at


def another_user_is_told(entries: list[View]) -> int:
    [at, *_] = steps(entries, "open")
    commands = tuple(("hook", "on_login", "b") if each[0] == "hook" else each for each in entries[at][3])
    changed(entries, at, 3, commands)
    return at


def commands_in_another_order(entries: list[View]) -> int:
    [at, *_] = steps(entries, "open")
    changed(entries, at, 3, entries[at][3][::-1])
    return at


def another_state(entries: list[View]) -> int:
    [at, *_] = steps(entries, "renew")
    changed(entries, at, 4, ("tokenExpired", *entries[at][4][1:]))
    return at


def another_number(entries: list[View]) -> int:
    [at, *_] = steps(entries, "handler")
    session = entries[at][4]
    changed(entries, at, 4, (*session[:3], (9, *session[3][1:]), *session[4:]))
    return at


def dropped_instead_of_taken(entries: list[View]) -> int:
    [at, *_] = steps(entries, "renewal_due")
    changed(entries, at, 2, "dropped")
    return at


def two_steps_swapped(entries: list[View]) -> int:
    [at, *_] = steps(entries, "handler")
    [then, *_] = steps(entries, "renew")
    entries[at], entries[then] = entries[then], entries[at]
    return at


def no_time_passes(entries: list[View]) -> int:
    at = next(number for number, entry in enumerate(entries) if entry[0] == "time")
    del entries[at]
    return at


def twice_the_time_passes(entries: list[View]) -> int:
    at = next(number for number, entry in enumerate(entries) if entry[0] == "time")
    changed(entries, at, 1, 2 * entries[at][1])
    return at


def told_before_stored(entries: list[View]) -> int:
    at = next(
        number for number, entry in enumerate(entries) if entry[:1] == ("done",) and entry[1][0] == "store"
    )
    entries[at], entries[at + 1] = entries[at + 1], entries[at]
    return at


def something_else_stored(entries: list[View]) -> int:
    at = next(
        number for number, entry in enumerate(entries) if entry[:1] == ("done",) and entry[1][0] == "store"
    )
    changed(entries, at, 1, ("store", ()))
    return at


def told_twice(entries: list[View]) -> int:
    at = next(number for number, entry in enumerate(entries) if entry[:1] == ("done",))
    entries.insert(at + 1, entries[at])
    return at + 1


def a_hook_called_twice(entries: list[View]) -> int:
    at = next(number for number, entry in enumerate(entries) if entry[0] == "called")
    entries.insert(at + 1, entries[at])
    return at + 1


TAMPERED = (
    another_answer, a_command_less, another_user_is_told, commands_in_another_order, another_state, another_number,
    dropped_instead_of_taken, two_steps_swapped, no_time_passes, twice_the_time_passes, told_before_stored,
    something_else_stored, told_twice, a_hook_called_twice,
)  # fmt: skip


@needs_tlc
def test_a_trace_that_was_tampered_with_is_refused_where_it_was_or_later() -> None:
    traces, earliest = [Recorded("untouched", one(), frozenset())], {}
    for tamper in TAMPERED:
        tampered = list(one())
        earliest[tamper.__name__] = tamper(tampered)
        traces.append(Recorded(tamper.__name__, tampered, frozenset()))
    for number, entry in enumerate(one()):
        # Of what the session drops, and what the platform may have done, nobody needs to know.
        if entry[0] in {"step", "done", "called"} and entry[2:3] != ("dropped",):
            name = f"left out: {number}"
            earliest[name] = number
            traces.append(Recorded(name, [*one()[:number], *one()[number + 1 :]], frozenset()))
    found = refused(traces)
    assert found.keys() == earliest.keys()
    assert [name for name, at in found.items() if at < earliest[name]] == []


@needs_tlc
def test_a_refusal_is_told_so_that_it_can_be_read() -> None:
    tampered = list(one())
    at = another_answer(tampered)
    words = told(tampered, at)
    print(words)
    assert (
        "login authToken a False: taken, tell establishing login, open 1 ('auth', 'a'); is establishing"
        in words
    )
    assert f"{at}. open 1 refused: taken" in words
    assert (
        "has open 1 refused: taken, tell notLoggedIn loginFailed, release 1 refused; is notLoggedIn" in words
    )
    hasty = list(one())
    at = told_before_stored(hasty)
    assert "owes store ('authToken', (0, 1), 'a', 8, False)" in told(hasty, at)


# ── Drivers with a fault ────────────────────────────────────────────────────────────────────────


def _twice(kind: type[Any]) -> Plant:
    """Facts of a kind are told twice."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        post = Engine.post

        def post_twice(self: Engine[Any], event: Any, **named: Any) -> Any:
            if isinstance(event, kind):
                post(self, event, **named)
            return post(self, event, **named)

        patch.setattr(Engine, "post", post_twice)

    return plant


def _of_another_attempt(patch: pytest.MonkeyPatch) -> None:
    post = Engine.post

    def post_another(self: Engine[Any], event: Any, **named: Any) -> Any:
        if isinstance(event, RenewalFailed):
            event = RenewalFailed(event.attempt - 1, event.failure, event.clock)
        return post(self, event, **named)

    patch.setattr(Engine, "post", post_another)


def _told_twice(patch: pytest.MonkeyPatch) -> None:
    take = Engine.take

    def take_twice(self: Engine[Any]) -> Any:
        entry = take(self)
        return entry and entry._replace(commands=(*entry.commands, *entry.commands[:1]))

    patch.setattr(Engine, "take", take_twice)


def _without(event: str, reaction: str) -> Plant:
    """Rows of the life cycle do a thing less: a core that is not the model's."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        rows = [
            row._replace(reactions=tuple(each for each in row.reactions if each != reaction))
            if row.event == event
            else row
            for row in LIFECYCLE
        ]
        patch.setattr(core, "_TABLE", core._bind(tuple(rows), core._meaning))

    return plant


OF_A_DRIVER = (
    "it is told before it is stored (asyncio)",
    "it is told before it is stored (trio)",
    "it is told before it is stored (threads)",
    "there is a second drainer (asyncio)",
    "there is a second drainer (trio)",
    "a hook is called before its step is told (asyncio)",
)
"""Those of `tests/schedules/mutants.py` that are about steps and what is carried out of them, and need no
particular order. The others are about who waits and is woken, of which the model knows nothing."""
OF_ALL: dict[str, tuple[Plant, str]] = {
    "a login is answered twice": (_twice(SessionOpened), "a logout during a login"),
    "a renewal is answered twice": (_twice(RenewalFailed), "a renewal that has to be tried again"),
    "an answer is taken for another": (_of_another_attempt, "a renewal that has to be tried again"),
    "all is carried out twice": (_told_twice, "a login and who waits for it"),
    "an orphan is kept": (
        _without("session_opened", "revoke_orphan"),
        "a login is answered in the next session",
    ),
    "a logout leaves the record": (_without("logout", "forget_record"), "a ban and a logout"),
}


def faulty() -> list[Recorded]:
    faults = [(name, MUTANTS[name].plant, MUTANTS[name].driver, MUTANTS[name].scene) for name in OF_A_DRIVER]
    faults += [
        (f"{name} ({driver})", plant, driver, scene)
        for name, (plant, scene) in OF_ALL.items()
        for driver in STAGES
    ]
    traces = []
    for name, plant, driver, scene in faults:
        with pytest.MonkeyPatch.context() as patch:
            plant(patch)
            traces.append(recorded(name, [lived(driver, {**SCENARIOS, **SCENES}[scene], Choices()).trace]))
    return traces


@needs_tlc
def test_the_model_refuses_what_drivers_with_a_fault_do() -> None:
    traces = faulty()
    assert refused(traces).keys() == {each.name for each in traces}
