"""Any session that satisfies the invariant, and any one event at any time.

The sessions are drawn, not reached, so nothing depends on how long a history a search can invent:
if every move from every such session keeps the invariant, all sessions satisfy it for ever. What a
step may do and must do is judged at the same moves.
"""

import inspect

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from splus_session.testing.strategies import Move, situations
from tests.properties import about_outcomes, about_snapshots, about_steps
from tests.properties.monitors import BrokenError, Jury, all_properties
from tests.properties.mutants import MUTANTS, Mutant


@pytest.mark.requirement(
    "CLIENT-2",
    "LOGIN-1", "LOGIN-2", "LOGIN-3", "LOGIN-4", "LOGIN-5", "LOGIN-6", "LOGIN-7", "LOGIN-8", "LOGIN-9",
    "HANDLER-1", "HANDLER-2", "HOOK-1",
    "RENEW-1", "RENEW-2", "RENEW-3", "RENEW-4", "RENEW-5", "RENEW-6",
    "RENEW-7", "RENEW-8", "RENEW-9", "RENEW-10", "RENEW-11", "RENEW-12",
    "EXPIRE-1", "EXPIRE-2", "EXPIRE-3", "EXPIRE-4", "EXPIRE-5",
    "BAN-1", "BAN-2", "BAN-3", "BAN-4",
    "LOGOUT-1", "LOGOUT-2", "LOGOUT-3", "LOGOUT-4",
    "OBSERVE-1", "OBSERVE-4",
    "RESUME-1", "RESUME-2",
)  # fmt: skip
def test_every_move_keeps_the_invariant_and_the_promises() -> None:
    jury = Jury()

    # A test that takes 300 seconds counts as hung, so there is an end even to a deep search.
    @settings(max_examples=min(10 * settings().max_examples, 15_000))
    @given(situations())
    def every(situation: tuple[Move, ...]) -> None:
        for move in situation:
            jury.judge_move(*move)

    every()
    assert jury.silent == [], "what never had anything to say holds nothing"


def test_the_judge_of_every_move_speaks_for_the_requirements_that_it_is_marked_with() -> None:
    [mark] = test_every_move_keeps_the_invariant_and_the_promises.pytestmark  # type: ignore[attr-defined]
    named = {id for named in all_properties() for id in named.requirements}
    assert set(mark.args) == named


def test_every_property_has_a_name_of_its_own() -> None:
    names = [named.name for named in all_properties()]
    assert len(names) == len(set(names))
    written = [inspect.getsource(module) for module in (about_snapshots, about_steps, about_outcomes)]
    assert len(names) == sum(source.count("\n@about_") for source in written)


def test_every_property_has_a_fault_that_it_is_to_see() -> None:
    """And so none of them can say less than it did, or look elsewhere, without the next test failing."""
    assert {mutant.seen_by for mutant in MUTANTS} == {named.name for named in all_properties()}
    names = [mutant.name for mutant in MUTANTS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_fault_is_seen_by_the_property_that_is_there_for_it(
    mutant: Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    jury = Jury(mutant.seen_by)

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
            jury.judge_move(*move)

    mutant.plant(monkeypatch)
    with pytest.raises(BrokenError):
        hunt()
