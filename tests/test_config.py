"""The figures are checked when they are given, and an error names the figure."""

import math

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from splus_session import Config, ConfigurationError, Limits

NUMBERS = [field.name for field in attrs.fields(Config) if field.name not in ("development", "limits")]


@pytest.mark.requirement("CLIENT-1")
def test_production_is_the_default_mode() -> None:
    assert not Config().development


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("figure", [math.nan, math.inf, -1.0, True, "5", None])
@pytest.mark.requirement("CLIENT-1")
def test_what_is_no_sensible_number_is_refused_by_name(name: str, figure: object) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Config(**{name: figure})  # type: ignore[arg-type]


@pytest.mark.parametrize("given_", [{"development": "yes"}, {"development": 1}, {"limits": 50}])
@pytest.mark.requirement("CLIENT-1")
def test_what_is_of_another_type_is_refused_by_name(given_: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(given_))):
        Config(**given_)  # type: ignore[arg-type]


@given(st.sampled_from([field.name for field in attrs.fields(Limits)]), st.integers())
def test_limits_are_positive_and_not_endless(name: str, figure: int) -> None:
    if 1 <= figure <= 10_000:
        assert getattr(Limits(**{name: figure}), name) == figure
    else:
        with pytest.raises(ConfigurationError, match=name):
            Limits(**{name: figure})


@pytest.mark.requirement("CLIENT-2")
def test_a_configuration_that_sessions_share_cannot_be_changed() -> None:
    shared = Config()
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        shared.pause = 1.0  # type: ignore[misc]
    assert attrs.evolve(shared, pause=1.0) != shared == Config()
