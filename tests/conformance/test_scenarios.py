"""What is played in every campaign, whatever its seed."""

import pytest

from splus_session.conformance._actions import Action
from splus_session.conformance._campaign import DEFAULT_BUDGET
from splus_session.conformance._lines import FEATURES
from splus_session.conformance._scenarios import OVERTAKEN, scenario


def drawn(features: frozenset[str], seed: int) -> list[tuple[Action, ...]]:
    return [scenario(features, seed, number) for number in range(DEFAULT_BUDGET)]


@pytest.mark.parametrize("seed", range(1, 6))
def test_no_login_is_spared_an_answer_that_comes_too_late(seed: int) -> None:
    assert set(OVERTAKEN) <= set(drawn(frozenset(FEATURES), seed))


def test_of_a_client_that_declares_nothing_only_what_it_can_do_is_asked() -> None:
    overtaken = [each for each in drawn(frozenset(), 1) if each in OVERTAKEN]
    assert {action.do for each in overtaken for action in each} == {"hold", "login", "logout", "release"}
    assert len(set(overtaken)) == 2


def test_the_rest_differs_from_seed_to_seed() -> None:
    one, other = (set(drawn(frozenset(FEATURES), seed)) for seed in (1, 2))
    assert one & other == set(OVERTAKEN)
