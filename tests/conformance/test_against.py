"""A file of known breaches: what is not in it fails, and so does what is in it and gone."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from splus_session import cli
from splus_session._errors import InvalidArgumentError
from splus_session.conformance._actions import ALWAYS, GROUPS, OPENINGS, Action
from splus_session.conformance._against import UNEXPLAINED, Known, dump, held_to, load, scenario_of
from splus_session.conformance.verdicts import Breach, Report
from tests.conformance import made_up

SMALL = Path(__file__).parents[1] / "subjects" / "small" / "client.py"
ACTIONS = sorted(
    {action for phrases in (OPENINGS, ALWAYS, *GROUPS.values()) for phrase in phrases for action in phrase},
    key=repr,
)
"""All that a scenario may be made of."""

ENTRY = {
    "requirement": "LOGIN-2",
    "sentence": "It is so",
    "reason": "Since 1.2, #12",
    "scenario": [{"do": "login", "client": "a", "how": "ann"}],
}


def known_of(breach: Breach, reason: str = "for a reason") -> Known:
    return Known(breach.requirement, breach.sentence, reason, (Action("login", "a", "ann"),))


def playable(report: Report) -> Report:
    """The same with scenarios of what there is to do."""
    scenario = ({"do": "login", "client": "a", "how": "ann"},)

    def of(breaches: tuple[Breach, ...]) -> tuple[Breach, ...]:
        return tuple(attrs.evolve(breach, scenario=scenario) for breach in breaches)

    results = tuple(attrs.evolve(result, breaches=of(result.breaches)) for result in report.results)
    return attrs.evolve(report, results=results, unexpected=of(report.breaches), troubles=())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "known.json"


# ── Reading and writing ─────────────────────────────────────────────────────────────────────────


def test_what_is_written_is_read_and_written_again(file: Path) -> None:
    report = playable(made_up.report())
    file.write_text(dump(report, ()), "utf-8", "backslashreplace")
    known = load(file)
    assert [each.key for each in known] == [(b.requirement, b.sentence) for b in report.breaches]
    assert {each.reason for each in known} == {UNEXPLAINED}
    assert dump(report, known) == dump(report, ())


def test_reasons_are_kept_and_so_is_what_was_not_judged(file: Path) -> None:
    report = playable(made_up.report())
    kept = known_of(report.breaches[0], "kept")
    gone = attrs.evolve(kept, sentence="Is not broken any more")
    file.write_text(dump(report, (kept, gone)), "utf-8", "backslashreplace")
    reasons = {each.key: each.reason for each in load(file)}
    assert reasons[kept.key] == "kept"
    assert gone.key not in reasons
    assert set(reasons.values()) == {"kept", UNEXPLAINED}

    only_others = attrs.evolve(
        report, results=tuple(result for result in report.results if result.requirement != kept.requirement)
    )
    file.write_text(dump(only_others, (kept,)), "utf-8", "backslashreplace")
    assert kept in load(file)


@given(st.lists(st.sampled_from(ACTIONS), min_size=1))
def test_a_scenario_is_read_as_it_was_written(actions: list[Action]) -> None:
    written = json.loads(json.dumps([action.to_json() for action in actions]))
    assert scenario_of(written, "here") == tuple(actions)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ENTRY, "do", "x"]), inner),
    max_leaves=8,
)


@pytest.mark.requirement("SECRET-3")
@given(st.data())
def test_a_file_with_one_wrong_value_is_read_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    wrong = data.draw(ANY_JSON)
    entry: dict[str, Any] = json.loads(json.dumps(ENTRY))
    where: dict[str, Any] = data.draw(st.sampled_from([entry, entry["scenario"][0]]))
    where[data.draw(st.sampled_from([*where, "seconds"]))] = wrong
    file = tmp_path_factory.getbasetemp() / "wrong.json"
    file.write_text(json.dumps({"breaches": [entry]}), "utf-8")
    try:
        [known] = load(file)
    except InvalidArgumentError as error:
        said = str(error)
    else:
        said = f"{file}"
        assert " ".join(action.words() for action in known.scenario)
    assert str(file) in said


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "cannot be read"),
        ("{", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ("[]", "has no list of `breaches`"),
        ('{"breaches": {}}', "has no list of `breaches`"),
        ('{"breaches": [5]}', "breach 1 is no object"),
        (json.dumps({"breaches": [ENTRY, ENTRY]}), "lists a breach twice"),
        (json.dumps({"breaches": [ENTRY, {**ENTRY, "requirement": "LOGIN-99"}]}), "breach 2: no requirement is called LOGIN-99"),
        (json.dumps({"breaches": [{**ENTRY, "reason": ""}]}), "breach 1 needs a requirement, a sentence and a reason"),
        (json.dumps({"breaches": [{**ENTRY, "scenario": []}]}), "breach 1 needs a scenario: a list of actions"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_by_place(text: str, problem: str, file: Path) -> None:
    file.write_text(text, "utf-8")
    with pytest.raises(InvalidArgumentError) as refused:
        load(file)
    assert problem in str(refused.value)
    assert str(file) in str(refused.value)


@pytest.mark.parametrize("path", ["nowhere.json", "."])
def test_a_file_that_is_not_there_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="cannot be read"):
        load(tmp_path / path)


@pytest.mark.parametrize(
    ("action", "problem"),
    [
        ("login", "an action that is none: 'login'"),
        ({"dance": 1}, "an action that is none"),
        ({"do": ["login"]}, "an action that is none"),
        ({"do": "login", "client": 5}, "an action that is none"),
        ({"do": "advance", "seconds": "1"}, "an action that is none"),
        ({"do": "advance", "seconds": True}, "an action that is none"),
        ({"do": "advance", "seconds": float("nan")}, "an action that is none"),
        ({"do": "advance", "seconds": 1e300}, "an action that is none"),
        ({"do": "dance"}, "an action that nobody knows: 'dance'"),
        ({"do": "login", "client": "a", "how": "backwards"}, "nobody knows who or how"),
        ({"do": "login", "client": "zed", "how": "ann"}, "nobody knows who or how"),
        ({"do": "open", "client": "c"}, "nobody knows who or how"),
        ({"do": "platform", "how": "explode"}, "nobody knows who or how"),
    ],
)
def test_an_action_that_is_none_is_refused_before_it_is_played(action: object, problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match="here has ") as refused:
        scenario_of([ENTRY["scenario"][0], action], "here")
    assert problem in str(refused.value)


# ── Holding to it ───────────────────────────────────────────────────────────────────────────────


def test_all_that_is_listed_and_nothing_else_passes() -> None:
    report = playable(made_up.report())
    known = [known_of(breach) for breach in report.breaches]
    held = held_to(report, known)
    assert held.passed
    assert {breach.reason for breach in held.breaches} == {"for a reason"}


def test_a_breach_that_is_not_listed_fails() -> None:
    report = playable(made_up.report())
    held = held_to(report, [known_of(breach) for breach in report.breaches[1:]])
    assert not held.passed
    assert held.unexpected == report.breaches[:1]


def test_a_listed_breach_that_is_gone_fails_and_one_that_was_not_judged_does_not() -> None:
    report = attrs.evolve(made_up.clean(), unexpected=(), troubles=())
    gone = Known("BAN-1", "It stays", "once upon a time", (Action("logout", "a"),))
    [trouble] = held_to(report, [gone]).troubles
    assert (trouble.requirement, trouble.sentence) == gone.key
    assert "expected to be broken, and is not: once upon a time" in trouble.text
    others = tuple(result for result in report.results if result.requirement != "BAN-1")
    assert held_to(attrs.evolve(report, results=others), [gone]).passed


# ── From end to end ─────────────────────────────────────────────────────────────────────────────

Conform = Callable[..., int]


def conform(*options: object, mistake: str | None = "new-observer-hears-nothing") -> int:
    wrongly = [] if mistake is None else ["--mistake", mistake]
    command = [sys.executable, str(SMALL), *wrongly]
    every = ["conform", "--budget", "3", "--id", "OBSERVE-1", *map(str, options), "--", *command]
    return cli.main(every)


def test_accepted_breaches_pass_until_they_change(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert conform("--accept", file) == 1
    content = json.loads(file.read_text("utf-8"))
    content["breaches"][0]["reason"] = "told to nobody, #7"
    other = {**ENTRY, "sentence": "Another requirement's"}
    file.write_text(json.dumps({"breaches": [*content["breaches"], other]}), "utf-8")

    capsys.readouterr()
    assert conform("--against", file, "--accept", file) == 0
    assert "told to nobody, #7" in capsys.readouterr().out
    assert [entry["reason"] for entry in json.loads(file.read_text("utf-8"))["breaches"]] == [
        "told to nobody, #7",
        "Since 1.2, #12",
    ]

    assert conform("--against", file, mistake=None) == 1
    assert "expected to be broken, and is not: told to nobody, #7" in " ".join(
        capsys.readouterr().out.split()
    )


def test_a_wrong_file_is_told_before_anything_is_judged(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("{}", "utf-8")
    for option in ("--against", "--accept"):
        assert conform(option, file) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err == f"splus-session: {file} has no list of `breaches`\n"
