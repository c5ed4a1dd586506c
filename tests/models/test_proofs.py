"""Every claim is proved, every non-property refuted, and each proof fails if the code has its fault."""

import itertools
from collections.abc import Iterator
from fractions import Fraction

import attrs
import pytest
from hypothesis import given, settings

from models import figures
from models.proofs import __main__ as proofs_main
from models.proofs import windows
from models.proofs.claims import CLAIMS, Claim, Relation, judge
from models.proofs.inclusion import evaluated
from models.proofs.invariant import INVARIANT
from models.proofs.memory import BEFORE, VARIABLES
from models.proofs.nonproperties import NON_PROPERTIES
from models.proofs.readings import values_of
from splus_session import LIFECYCLE, Config, Snapshot
from splus_session.explore import slices
from splus_session.testing.strategies import snapshots
from tests.models.faults import FAULTS, Fault
from tests.properties import about_outcomes, about_snapshots, about_steps  # noqa: F401 - they register
from tests.properties.monitors import SNAPSHOTS, all_properties
from tests.properties.mutants import MUTANTS

BY_NAME = {claim.name: claim for claim in CLAIMS}


@pytest.mark.requirement(
    "CLIENT-2",
    "LOGIN-2", "LOGIN-3", "LOGIN-6", "LOGIN-8", "LOGIN-9",
    "RENEW-1", "RENEW-2", "RENEW-3", "RENEW-5", "RENEW-6",
    "RENEW-7", "RENEW-8", "RENEW-9", "RENEW-10", "RENEW-11", "RENEW-12",
    "EXPIRE-1", "EXPIRE-2", "EXPIRE-3", "EXPIRE-4", "EXPIRE-5",
    "BAN-1", "BAN-3", "BAN-4",
    "LOGOUT-1", "LOGOUT-2", "LOGOUT-3", "LOGOUT-4",
)  # fmt: skip
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_it_is_proved_of_every_session(claim: Claim, relation: Relation) -> None:
    verdict = judge(claim, relation)
    assert verdict.counterexample is None, verdict.counterexample


def test_the_proofs_speak_for_the_requirements_that_they_are_marked_with() -> None:
    marks = test_it_is_proved_of_every_session.pytestmark  # type: ignore[attr-defined]
    marked = next(mark.args for mark in marks if mark.name == "requirement")
    assert set(marked) == {id for claim in CLAIMS for id in claim.requirements}


@pytest.mark.parametrize("claim", NON_PROPERTIES, ids=lambda claim: claim.name)
def test_what_is_not_so_is_found_not_to_be(claim: Claim, relation: Relation) -> None:
    assert judge(claim, relation).counterexample is not None


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.name}: {fault.seen_by}")
def test_a_proof_fails_of_code_with_its_fault(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    fault.plant(monkeypatch)
    verdict = judge(BY_NAME[fault.seen_by], Relation(fault.events))
    assert verdict.counterexample is not None
    assert "z3 does not know" not in verdict.counterexample
    assert "it says nothing" not in verdict.counterexample


def test_every_claim_has_a_fault_that_it_sees() -> None:
    assert {fault.seen_by for fault in FAULTS} == set(BY_NAME)


def test_no_name_is_given_twice() -> None:
    names = [claim.name for claim in (*CLAIMS, *NON_PROPERTIES)]
    assert len(names) == len(set(names))


def test_what_has_the_name_of_a_property_speaks_for_no_other_requirement() -> None:
    shared = [named for named in all_properties() if named.name in BY_NAME]
    assert len(shared) > 30
    for named in shared:
        assert set(BY_NAME[named.name].requirements) <= set(named.requirements), named.name


def test_every_row_of_the_table_has_a_way(relation: Relation) -> None:
    assert {edge.row for edge in relation.steps} - {None} == set(LIFECYCLE)


def test_nothing_that_is_due_is_dropped(relation: Relation) -> None:
    """Or `SessionCore.advance` would try for ever: a step that changes nothing leaves it due."""
    fixed = [edge for edge in relation.steps if edge.row is None and edge.event.__name__ in TIME]
    assert fixed == []


TIME = {"TokenExpired", "RenewalDue", "AnswerOverdue", "RevocationDue"}


# ── The invariant is that of the other properties ───────────────────────────────────────────────

# A snapshot that was just made has no time yet, which a real number can't say.
NOT_PROVED = {"time is known once anything happened"}


def test_the_invariant_is_the_one_that_drawn_sessions_are_judged_by() -> None:
    assert {named.name for named in SNAPSHOTS} - NOT_PROVED == {named.name for named in INVARIANT}


def crossed(one: Snapshot, other: Snapshot) -> Iterator[Snapshot]:
    """Sessions with something of another session: most of them break the invariant somewhere."""
    yield one
    if one.revocation is not None:
        turned = attrs.evolve(one.revocation, sent=not one.revocation.sent)
        yield attrs.evolve(one, revocation=turned)
    if one.renewal is not None:
        late = None if one.renewal.deadline is not None else one.now + one.config.answer_timeout + 9
        yield attrs.evolve(one, renewal=attrs.evolve(one.renewal, deadline=late))
    for field in attrs.fields(Snapshot):
        if field.name != "config":
            yield attrs.evolve(one, **{field.name: getattr(other, field.name)})


def test_each_sentence_of_the_invariant_says_what_the_property_of_its_name_says() -> None:
    said = {named.name: evaluated(named.of(BEFORE)) for named in INVARIANT}
    verdicts: set[tuple[str, bool]] = set()

    @settings(max_examples=150)
    @given(snapshots(), snapshots())
    def agree(one: Snapshot, other: Snapshot) -> None:
        for snapshot in crossed(one, other):
            if snapshot.now == float("-inf"):
                continue
            values = {**dict.fromkeys(VARIABLES, 0), **values_of(snapshot, {})}
            for named in SNAPSHOTS:
                if named.name in said:
                    wanted = named.holds(snapshot) is not False
                    verdicts.add((named.name, wanted))
                    found = said[named.name](values)
                    assert found == wanted or _hair(named.name, values), (named.name, found)

    def _hair(name: str, values: dict[str, object]) -> bool:
        """Whether the product of three floats is at fault: within rounding it says the same."""
        at = values["renew_at"]
        assert isinstance(at, float | int)
        nudged = [said[name]({**values, "renew_at": at + by}) for by in (-1e-3, 1e-3)]
        return "jitter" in name and any(nudged)

    agree()
    assert verdicts == set(itertools.product(said, [True, False])), "each was seen to hold, and not to"


# ── Figures ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("RENEW-1", "EXPIRE-4")
def test_a_token_of_three_minutes_is_renewed_in_time_by_a_look_every_30_seconds(relation: Relation) -> None:
    assert windows.enough(windows.OURS, relation) == Fraction(500, 3)
    assert windows.always_hit(windows.OURS, 167, relation)
    assert not windows.always_hit(windows.OURS, 166, relation)


def test_a_poll_every_ten_minutes_is_enough_from_55_minutes_on(relation: Relation) -> None:
    assert windows.enough(windows.POLL, relation) == 55 * 60
    assert windows.always_hit(windows.POLL, 55 * 60, relation)
    assert not windows.always_hit(windows.POLL, 54 * 60, relation)


@pytest.mark.requirement("EXPIRE-2")
def test_the_usual_leeway_is_the_least_that_covers_30_seconds_of_skew_and_5_of_latency(
    relation: Relation,
) -> None:
    assert windows.least_leeway(relation) == Config().leeway == 35
    assert windows.least_lifetime(relation) == 350


def test_a_longer_look_is_found_to_miss_more(relation: Relation) -> None:
    lazy = windows.Watcher("lazy", 300.0)
    assert windows.enough(lazy, relation) > windows.enough(windows.OURS, relation)


# ── The report ──────────────────────────────────────────────────────────────────────────────────


def steps_of_repeats() -> int:
    count: int = figures.kept()["proved"]["steps looked up"]["repeats"]
    return count


def test_the_report_names_all_and_is_a_success(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs_main, "SLICES", [slices.REPEATS])  # `make prove` looks at all of them
    kept = {**figures.kept()["proved"], "steps looked up": {"repeats": steps_of_repeats()}}
    monkeypatch.setattr(figures, "kept", lambda path: {"proved": kept})
    assert proofs_main.main([]) == 0
    report = capsys.readouterr().out
    for claim in (*CLAIMS, *NON_PROPERTIES):
        assert claim.name in report
    assert "all of them" in report
    assert "Assumed, and not proved" in report
    assert "FAILED" not in report
    assert "\x1b" not in report


def test_the_report_of_a_fault_is_a_failure_and_shows_a_counterexample(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    [fault] = [fault for fault in FAULTS if fault.name == "a respite has no reason"]
    fault.plant(monkeypatch)
    monkeypatch.setattr(proofs_main, "CLAIMS", [BY_NAME[fault.seen_by]])
    monkeypatch.setattr(proofs_main, "SLICES", [])
    assert proofs_main.main([]) == 1
    report = capsys.readouterr().out
    assert "FAILED" in report
    assert "retry_at = " in report


def test_the_report_of_steps_that_are_not_of_the_relation_is_a_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, relation: Relation
) -> None:
    assert relation.steps  # read off the code before it has its fault
    [mutant] = [mutant for mutant in MUTANTS if mutant.name == "an orphan is not revoked"]
    mutant.plant(monkeypatch)
    monkeypatch.setattr(proofs_main, "Relation", lambda: relation)
    monkeypatch.setattr(proofs_main, "CLAIMS", [])
    monkeypatch.setattr(proofs_main, "NON_PROPERTIES", [])
    monkeypatch.setattr(proofs_main, "SLICES", [slices.REPEATS])
    assert proofs_main.main([]) == 1
    report = capsys.readouterr().out
    assert "SessionOpened in " in report
    assert "1 failed" in report
