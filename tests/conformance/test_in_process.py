"""A client in Python is judged in its own tests, async or threaded: each requirement is a test."""

from collections.abc import Mapping
from typing import Any, ClassVar
from unittest import SkipTest

import attrs
import pytest

from splus_session import aio, sync
from splus_session.conformance import Conformance, Report, Trouble, Verdict
from splus_session.testing import FakePlatform, ManualClock


class StaysLoggedIn(aio.Session):
    async def logout(self) -> None:
        """Do nothing."""


class StaysLoggedInOnThreads(sync.Session):
    def logout(self) -> None:
        """Do nothing."""


class Async(Conformance):
    budget = 4

    def make_client(self, platform: FakePlatform, clock: ManualClock) -> Any:
        return StaysLoggedIn(platform.api_key, platform=platform.async_client(), clock=clock)


class Threaded(Conformance):
    budget = 4

    def make_client(self, platform: FakePlatform, clock: ManualClock) -> Any:
        return StaysLoggedInOnThreads(platform.api_key, platform=platform.client(), clock=clock)


KINDS = pytest.mark.parametrize("tests", [Async, Threaded])


def verdict_of(tests: type[Conformance], requirement: str) -> Verdict:
    return tests.report().result(requirement).verdict


def knowing(tests: type[Conformance], deviating: Mapping[str, str]) -> Conformance:
    """The same tests, by which these are known to be broken."""

    class Knowing(tests):  # type: ignore[valid-type,misc]
        deviations: ClassVar[Mapping[str, str]] = deviating
        _report: ClassVar[Report | None] = tests.report()

    return Knowing()


@KINDS
def test_what_is_broken_fails_with_the_run_that_shows_it(tests: type[Conformance]) -> None:
    with pytest.raises(AssertionError) as failed:
        tests().test_requirement("LOGOUT-1")
    text = str(failed.value)
    assert "LOGOUT-1: Logout leads from established to notLoggedIn" in text
    assert "1. log in" in text
    assert "app → client" in text


@KINDS
def test_what_is_kept_passes_and_what_nothing_can_be_said_of_is_skipped(tests: type[Conformance]) -> None:
    assert verdict_of(tests, "LOGIN-2") is Verdict.KEPT
    tests().test_requirement("LOGIN-2")
    not_reached = [result for result in tests.report().results if result.verdict is Verdict.NOT_REACHED]
    assert not_reached
    with pytest.raises(SkipTest, match="no scenario reached it"):
        tests().test_requirement(not_reached[0].requirement)


@KINDS
def test_a_known_deviation_is_skipped_and_one_that_is_none_fails(tests: type[Conformance]) -> None:
    known = knowing(tests, {"LOGOUT-1": "stays logged in, #12", "LOGIN-2": "is said to be broken"})
    with pytest.raises(SkipTest, match="stays logged in, #12"):
        known.test_requirement("LOGOUT-1")
    with pytest.raises(AssertionError, match="is kept, though this was expected"):
        known.test_requirement("LOGIN-2")


def test_what_is_neither_kept_nor_broken_for_sure_fails() -> None:
    class Troubled(Async):
        _report: ClassVar[Report | None] = attrs.evolve(
            Async.report(), troubles=(Trouble("LOGIN-2", "A login leads somewhere", "seen once"),)
        )

    with pytest.raises(AssertionError, match="A login leads somewhere: seen once"):
        Troubled().test_requirement("LOGIN-2")
