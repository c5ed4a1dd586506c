"""The kit catches wrong clients: one for each requirement here, all of them in `make conform-deep`."""

import pytest

from tests.subjects.gallery import Mistake, is_caught, mistakes, one_for_each_requirement


@pytest.mark.parametrize("mistake", one_for_each_requirement(), ids=lambda mistake: mistake.slug)
def test_a_wrong_client_is_told_what_it_breaks(mistake: Mistake) -> None:
    assert is_caught(mistake, seed=1)


def test_there_are_more_wrong_clients_than_these() -> None:
    assert len(mistakes()) > 2 * len(one_for_each_requirement())
