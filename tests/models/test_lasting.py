"""What lasts for ever is found by TLC too, and by the name of the sentence that says that it must not."""

from pathlib import Path
from typing import NamedTuple

import attrs
import pytest

from models.tlc import modules
from models.tlc.__main__ import tell_of_hopes
from models.tlc.checker import ModelError
from models.tlc.graphs import parsed
from models.tlc.lasting import begin, settles
from splus_session.explore import Slice, explore, slices, view
from splus_session.explore._liveness import BY_THEMSELVES
from splus_session.explore._world import is_pressed, moves
from tests.models.faults_of_the_model import change
from tests.models.test_model import needs_tlc

IN_THE_MODEL_ALONE = {"WhatIsPressingIsOnlyForAMoment"}
"""The explorer takes a circle of nothing but what is pressing for one in which everybody waits."""


class Fault(NamedTuple):
    """A slip in the model, and where TLC has to find what lasts for ever because of it."""

    name: str
    slice: Slice
    module: str
    right: str
    wrong: str


FAULTS = {
    "WhatIsPressingIsOnlyForAMoment": Fault(
        "nobody hears that a handler took too long once the token has expired",
        slices.REPEATS,
        "Table",
        'THEN Done(s, pause_asking(Draft(s, "established"), e), FALSE, "", <<>>)\n'
        '    ELSE IF s.state = "tokenExpired"\n',
        'THEN Done(s, pause_asking(Draft(s, "established"), e), FALSE, "", <<>>)\n'
        '    ELSE IF s.state = "terminated"\n',
    ),
    "ALoginEnds": Fault(
        "a login that fails goes on",
        slices.REPEATS,
        "Table",
        'login_failed(s, e) ==\n    IF s.state = "establishing"',
        'login_failed(s, e) ==\n    IF s.state = "notLoggedIn"',
    ),
    "ARenewalEnds": Fault(
        "a renewal that is lost goes on",
        slices.REPEATS,
        "Rules",
        "back_off(d, e) == TryLater(d, 1, e.why, d.s.renewal.grant, d.s.renewal.age)",
        "back_off(d, e) == d",
    ),
    "AVerificationEnds": Fault(
        "a verification goes on once it is answered",
        slices.REJECTION,
        "Rules",
        "end_verification(d, e) == EndCheck(d)",
        "end_verification(d, e) == d",
    ),
    "ASecureLogoutEnds": Fault(
        "a secure logout that fails goes on",
        slices.SECURE_LOGOUT,
        "Rules",
        "FailureOf(d, e)>>) EXCEPT !.s.revocation = None]",
        "FailureOf(d, e)>>) EXCEPT !.s.check = 0]",
    ),
    "ATokenIsReplacedBeforeItIsDeadOrToldToBe": Fault(
        "tokens do not grow older",
        slices.BAN,
        "Session",
        "!.exp = IF isHeld /\\ @ # Never THEN @ - time ELSE @",
        "!.exp = @",
    ),
    "AnExpiredSessionThatCanBeRenewedTriesAgain": Fault(
        "a pause does not end",
        slices.REPEATS,
        "Rules",
        "again == IF s.retry # None THEN s.retry.left\n",
        "again == IF s.retry # None THEN Far\n",
    ),
    "ABanOfWhichThePlatformTellsEndsTheSession": Fault(
        "a ban that is heard over the login itself is taken for an earlier one",
        slices.REJECTION,
        "Rules",
        "e.n >= s.session",
        "e.n > s.session",
    ),
    "WhatIsCommittedIsStoredAndTold": Fault(
        "the driver is commanded something that it does not know",
        slices.STORAGE,
        "Session",
        'LAMBDA command : command[1] \\in {"store", "tell", "hook"}',
        'LAMBDA command : command[1] \\in {"store", "tell", "hook", "release"}',
    ),
}  # fmt: skip


def test_every_sentence_about_what_lasts_has_a_fault() -> None:
    assert set(FAULTS) == set(modules.liveness()[0])


@needs_tlc
@pytest.mark.parametrize("sentence", FAULTS)
def test_tlc_finds_what_lasts_for_ever_because_of_a_fault(sentence: str, tmp_path: Path) -> None:
    fault = FAULTS[sentence]
    run = begin(tmp_path, fault.slice, [sentence], more=-1)
    change(tmp_path, fault.module, fault.right, fault.wrong)
    with pytest.raises(ModelError, match=r"Error: Temporal properties were violated\."):
        list(run)


@needs_tlc
def test_without_a_fault_nothing_lasts() -> None:
    assert settles(slices.REPEATS).states > 0


@needs_tlc
@pytest.mark.parametrize(
    "slice", [slices.REJECTION, slices.SECURE_LOGOUT, slices.STORAGE], ids=lambda slice: slice.name
)
def test_what_is_taken_for_granted_is_what_can_happen_in_the_code(slice: Slice, tmp_path: Path) -> None:
    """Were more taken for granted, a circle would be left out in which somebody does wait for ever."""
    run = begin(tmp_path, slice, [], more=-1, invariants=["TellWhatMayHappen"])
    in_model = dict(parsed(line) for line in run)
    bounded = attrs.evolve(slice, most_attempts=slice.most_attempts - 1)
    in_code = {
        view(world): tuple(sorted({str(move.label[0]) for move in moves(world, bounded)} & BY_THEMSELVES))
        for world in explore(bounded).worlds
        if not is_pressed(world, bounded)
    }
    assert len(in_code) > 1000
    assert {where: words for where, words in in_model.items() if where in in_code} == in_code
    assert {words for where, words in in_model.items() if where not in in_code} == {()}


def test_a_hope_that_comes_true_is_told() -> None:
    with pytest.raises(ModelError, match="this cannot be promised, and came true in 'visitors'"):
        tell_of_hopes(iter([False]))
