"""Reports of any content, also of what no client should ever say."""

from hypothesis import strategies as st

from splus_session.conformance.verdicts import (
    Breach,
    CutShort,
    Line,
    Report,
    Result,
    Subject,
    Trouble,
    Verdict,
)
from splus_session.requirements import REQUIREMENTS
from tests.conformance.made_up import NASTY

IDS = list(REQUIREMENTS)

# Halves of characters too: JSON can bring them in.
texts = st.text(st.characters(exclude_categories=()), max_size=30) | st.text(NASTY + "\r\n\t ", max_size=60)
lines = st.builds(
    Line, *[st.sampled_from(["kit", "client", "platform", "app"]) | texts] * 2, texts, st.booleans()
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)


def tuples(elements: st.SearchStrategy[object], most: int = 3) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(elements, max_size=most).map(tuple)


def breaches(requirement: str) -> st.SearchStrategy[Breach]:
    return st.builds(
        Breach,
        requirement=st.just(requirement),
        sentence=texts,
        expected=texts,
        observed=texts,
        scenario=tuples(st.dictionaries(texts, values, max_size=2)),
        steps=tuples(texts),
        lines=tuples(lines),
        commands=st.integers(0, 50),
        reason=st.none() | texts,
    )


@st.composite
def results(draw: st.DrawFn, requirement: str) -> Result:
    verdict = draw(st.sampled_from(Verdict))
    broken = (
        draw(st.lists(breaches(requirement), min_size=1, max_size=2)) if verdict is Verdict.BROKEN else []
    )
    why = draw(st.none() | texts) if verdict is Verdict.NOT_APPLICABLE else None
    return Result(requirement, verdict, draw(st.integers(0, 9)), tuple(broken), why)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    chosen = draw(st.sets(st.sampled_from(IDS), min_size=1, max_size=4))
    found = tuple(draw(results(name)) for name in IDS if name in chosen)
    known = draw(st.booleans())
    broken = [breach for result in found for breach in result.breaches]
    return Report(
        subject=draw(st.builds(Subject, texts, texts, tuples(texts), st.none() | texts)),
        seed=draw(st.integers()),
        budget=draw(st.integers(0)),
        runs=draw(st.integers(0)),
        seconds=draw(st.floats(0, 1e6)),
        results=found,
        unexpected=tuple(breach for breach in broken if not known or breach.reason is None),
        cut_short=draw(
            st.none() | st.builds(CutShort, st.sampled_from(IDS), texts, st.integers(0), st.integers(0))
        ),
        troubles=tuple(draw(st.lists(st.builds(Trouble, st.sampled_from(IDS), texts, texts), max_size=2))),
    )
