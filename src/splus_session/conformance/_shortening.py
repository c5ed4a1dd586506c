"""Finding what can be left out of a scenario, by Hypothesis."""

import contextlib
import random
from collections.abc import Callable

import hypothesis
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from splus_session.conformance._actions import NOTHING, Action


def leave_out(scenario: tuple[Action, ...], breaks: Callable[[tuple[Action, ...]], bool], seed: int) -> None:
    """Ask of ever shorter parts of a scenario whether they still break it.

    Args:
        scenario: of which parts are tried.
        breaks: is asked, and remembers what is best.
        seed: decides which are tried first.
    """
    # Each action mostly stays, so that the whole is found; leaving it out is simpler.
    parts = st.tuples(*(st.sampled_from((NOTHING, *[action] * 15)) for action in scenario))
    settings = hypothesis.settings(max_examples=300, database=None, deadline=None)

    def still_breaks(part: tuple[Action, ...]) -> bool:
        return breaks(tuple(action for action in part if action != NOTHING))

    with contextlib.suppress(NoSuchExample):
        hypothesis.find(parts, still_breaks, settings=settings, random=random.Random(seed))  # noqa: S311
