"""Real steps are steps of the relation that the proofs are about, and those of faulty code are not."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from models.proofs.claims import Relation
from models.proofs.inclusion import Ways, steps_in
from splus_session import LIFECYCLE, Row, SessionCore, Snapshot, Step, step
from splus_session import _core as core
from splus_session.explore import Slice, slices
from splus_session.testing.strategies import Move, situations
from tests.lives import Wanderer
from tests.properties.mutants import MUTANTS, Mutant


@pytest.fixture(scope="session")
def ways(relation: Relation) -> Ways:
    """The relation of the code as it is, to look steps up in."""
    return Ways(relation)


def wandered(seeds: range) -> Iterator[tuple[Snapshot, list[Step]]]:
    """What random walks from new sessions come through: a snapshot, and the steps of one event."""
    for seed in seeds:
        wanderer = Wanderer(seed)
        for event, now in wanderer.steps(200):
            before = wanderer.core.snapshot
            yield before, wanderer.core.receive(event, now)


def steps_of(move: Move) -> list[Step]:
    """All steps that a move may bring: the event alone, and with what is due."""
    return [step(*move), *SessionCore.of(move.snapshot).receive(move.event, move.now)]


@pytest.mark.requirement("EXPIRE-4", "LOGIN-6", "RENEW-3", "RENEW-11", "BAN-4")
def test_every_step_of_random_walks_is_in_the_relation_and_every_row_is_reached(ways: Ways) -> None:
    rows: set[Row | None] = set()
    for before, steps in wandered(range(40)):
        assert list(ways.objections(steps)) == []
        moved = core.at_time(before, steps[-1].before.now)
        assert list(ways.objections_to_moves([(before, moved)])) == []
        rows |= {taken.row for taken in steps}
    assert rows - {None} == set(LIFECYCLE), "from a new session every row can be reached"


def test_every_step_from_any_session_is_in_the_relation(ways: Ways) -> None:
    @settings(max_examples=300)
    @given(situations())
    def included(situation: tuple[Move, ...]) -> None:
        for move in situation:
            assert list(ways.objections(steps_of(move))) == []
            moved = core.at_time(move.snapshot, move.now)
            assert list(ways.objections_to_moves([(move.snapshot, moved)])) == []
            assert list(ways.objections_to_prospects([move.snapshot, moved])) == []

    included()


@pytest.mark.parametrize("slice", [slices.RENEWAL, slices.HANDLERS], ids=lambda each: each.name)
def test_every_step_that_the_explorer_finds_is_in_the_relation(slice: Slice, ways: Ways) -> None:
    """With as many logins as its bound lets there be; `make prove` does it for any number, in all slices."""
    steps = steps_in(slice, unbounded=False)
    assert len(steps) > 1_000
    assert list(ways.objections(steps)) == []
    assert list(ways.objections_to_prospects({step.before for step in steps})) == []


FAULTS_AHEAD = (
    "a header is granted for an expired token",
    "whoever needs a header during a pause waits for its end",
)


def test_what_is_ahead_of_a_faulty_core_is_not_in_the_relation(
    ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshots = {step.before for step in steps_in(slices.RENEWAL, unbounded=False)}
    for name in FAULTS_AHEAD:
        [mutant] = [mutant for mutant in MUTANTS if mutant.name == name]
        with monkeypatch.context() as patch:
            mutant.plant(patch)
            assert any(ways.objections_to_prospects(snapshots)), name


SHOWN = {
    "an orphan is not revoked": slices.REPEATS,
    "the answer to any login is taken for that of the present one": slices.REPEATS,
    "who waits for a failed login waits for ever": slices.RENEWAL,
    "a pause is forgotten at expiry": slices.RENEWAL,
    "a verification outlives the expiry": slices.REJECTION,
    "a session told to be expired is resumed as established": slices.STORAGE,
}
"""Faults, and slices that come to them."""


@pytest.mark.parametrize("name", SHOWN)
def test_the_steps_that_the_explorer_finds_in_a_faulty_core_are_not(
    name: str, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    [mutant] = [mutant for mutant in MUTANTS if mutant.name == name]
    mutant.plant(monkeypatch)
    assert any(ways.objections(steps_in(SHOWN[name], unbounded=False)))


NOT_IN_THE_RELATION = {
    "an event is applied although something is due": "which step comes when",
    "what time brings is believed of anybody": "which step comes when",
    "an event is heard twice": "which step comes when",
    "an event comes to the session as it was before what was due": "which step comes when",
    "an expired session waits for its plan": "which step comes when",
    "a timer runs after the end": "which step comes when",
    "a header is granted for an expired token": "what a caller gets between the steps",
    "whoever needs a header during a pause waits for its end": "what a caller gets between the steps",
    "whoever needs a header during a pause is not told for how long": "what a caller gets between the steps",
    "a user id is presented whatever the handler answered": "what a command carries besides its number",
    "who waits for a renewal that failed hears of success": "what a command carries besides its number",
}
"""Faults that the steps do not show, each with what it is about instead."""


@pytest.mark.parametrize(
    "mutant",
    [mutant for mutant in MUTANTS if mutant.name not in NOT_IN_THE_RELATION],
    ids=lambda mutant: mutant.name,
)
def test_the_steps_of_a_faulty_core_are_not(
    mutant: Mutant, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant.plant(monkeypatch)
    assert objected(ways)


def test_what_the_steps_do_not_show_are_faults_that_there_are() -> None:
    assert NOT_IN_THE_RELATION.keys() < {mutant.name for mutant in MUTANTS}


class OutsideError(Exception):
    """A step is not in the relation."""


def objected(ways: Ways) -> bool:
    """Whether some step of the present code, in random walks or from any session, is not in the relation."""

    @settings(
        max_examples=4_000,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow],
        print_blob=False,
    )
    @given(situations())
    def hunt(situation: tuple[Move, ...]) -> None:
        for move in situation:
            if any(ways.objections([step(*move)])):
                raise OutsideError

    for _, steps in wandered(range(6)):
        if any(ways.objections(steps)):
            return True
        end = steps[-1].after
        back = core.at_time(end, end.now - 600)
        if any(ways.objections_to_moves([(end, back)])):
            return True
    try:
        hunt()
    except OutsideError:
        return True
    return False
