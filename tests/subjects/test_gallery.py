"""The kit catches wrong clients. Here with one seed, in `make conform-deep` with five."""

import pytest

from tests.subjects.gallery import Mistake, is_caught, mistakes


@pytest.mark.parametrize("mistake", mistakes(), ids=lambda mistake: mistake.slug)
def test_a_wrong_client_is_told_what_it_breaks(mistake: Mistake) -> None:
    assert is_caught(mistake, seed=1)
