"""What is said of all runs together: that they ended early, that nobody was let in, that they came to nothing."""

from pathlib import Path

import attrs
import pytest

from splus_session import AuthToken
from splus_session.conformance import _talk
from splus_session.conformance._campaign import Campaign
from splus_session.conformance._judge import ALIVE, Outcome
from splus_session.conformance._logins import Logins, logins_of
from splus_session.conformance._source import Processes
from splus_session.conformance._tally import Tally
from splus_session.conformance.reports import as_json, html, markdown
from splus_session.conformance.sentences import SENTENCES
from splus_session.conformance.verdicts import CutShort, Report
from splus_session.testing import Endpoint, Received
from splus_session.testing._messages import Response
from tests.conformance import made_up
from tests.conformance.hostile import Hostile, miscounting, unknown_to_the_platform
from tests.conformance.made_up import replay
from tests.conformance.test_command import SMALL, Said, conform, report_of
from tests.conformance.test_report_terminal import written

DIED = "the adapter ended with status 7"


def judged(command: list[str], *only: str, budget: int = 4) -> Report:
    source = Processes(command)
    try:
        return Campaign(source, budget=budget, only=only).run()
    finally:
        source.close()


# ── An adapter that cannot be talked to ─────────────────────────────────────────────────────────


def test_an_adapter_that_miscounts_is_trouble_whatever_is_judged(
    tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_talk, "SETTLING", 0.1)
    command = miscounting().command(tmp_path)
    status = conform("--id", "LOGIN-2", "--budget", 3, "--report", tmp_path / "found", command=command)
    assert status == 1
    trouble, hidden = report_of(tmp_path / "found").troubles
    assert (trouble.requirement, hidden.requirement) == ("SECRET-3", "LOGIN-2")
    assert "ended because the adapter could not be talked to: the adapter says that" in trouble.text
    assert "could not be talked to" in " ".join(capsys.readouterr().out.split())


def test_an_adapter_that_cannot_be_talked_to_is_told_once() -> None:
    tally = Tally()
    tally.count(Outcome(frozenset(), (), DIED, ended=ALIVE), explores=True)
    assert tally.troubles(is_told=True) == []
    [trouble] = tally.troubles(is_told=False)
    assert trouble.text == f"1 of 1 runs ended because the adapter could not be talked to: {DIED}"


@pytest.mark.requirement("SECRET-3")
def test_an_adapter_that_begins_no_more_takes_nothing_back_of_what_was_seen(tmp_path: Path) -> None:
    body = """
    n = len(os.listdir(sys.argv[1]))
    for c in commands():
        if c["do"] == "begin" and n > 3: sys.exit("no more")
        if "client" in c: say(event="done", of=c["id"])
        idle(c, clients={"a": {"state": "terminated", "user_id": None}})
    """
    source = Processes(Hostile("ends", body, "").command(tmp_path))
    try:
        report = Campaign(source, budget=40, shorten=False).run()
    finally:
        source.close()
    assert report.breaches
    assert report.runs < 10
    [told] = [trouble.text for trouble in report.troubles if "in a row" in trouble.text]
    assert told.startswith("three runs in a row came to nothing, and no more were played after ")
    assert "of 40: the adapter ended with status 1; it said: no more" in told


# ── A platform that lets nobody in ──────────────────────────────────────────────────────────────


def test_a_client_that_is_never_let_in_is_told_so(tmp_path: Path) -> None:
    report = judged(unknown_to_the_platform().command(tmp_path), "LOGOUT-1")
    [trouble] = report.troubles
    assert trouble.requirement == "LOGIN-1"
    assert trouble.text.startswith("the platform answered no login with success; the last of ")
    assert trouble.text.endswith(
        "POST /api/v5/sessions, was answered with 401 (Unauthorized: unknown API key)"
    )
    assert not report.passed


@pytest.mark.parametrize("budget", [1, 2, 3])
def test_a_client_that_is_let_in_now_and_then_has_no_trouble(budget: int) -> None:
    assert judged(SMALL, budget=budget).troubles == ()


@pytest.mark.parametrize(
    ("refused", "was_let_in", "troubles"), [(0, False, 0), (2, False, 0), (3, False, 1), (3, True, 0)]
)
def test_few_refusals_are_no_trouble_nor_are_any_beside_a_success(
    refused: int, was_let_in: bool, troubles: int
) -> None:
    tally = Tally()
    tally.count(Outcome(frozenset(), (), logins=Logins(0, was_let_in)), explores=True)
    for _ in range(refused):
        tally.count(Outcome(frozenset(), (), logins=Logins(1, False, "POST")), explores=True)
    assert len(tally.troubles(is_told=False)) == troubles


def login(
    code: int, endpoint: Endpoint | None = Endpoint.LOGIN, *faults: str, token: str = "from the backend"
) -> Received:
    response = Response.of_error(400, code, "No") if code else Response.of_json({})
    fields = {"authToken": AuthToken(token)}
    return Received(
        0.0,
        "POST",
        "/x",
        endpoint,
        None,
        None,
        None,
        fields,
        faults,
        status=response.status,
        response=response,
    )


@pytest.mark.parametrize(
    ("record", "refused"),
    [
        (login(400100), 1),
        (login(400400, None), 1),
        (login(400100, Endpoint.BOT_LOGIN), 1),
        (login(400312), 0),
        (login(400400), 0),
        (login(400100, Endpoint.LOGIN, "error 400/400100"), 0),
        (login(400100, token="made-up-by-nobody"), 0),
        (login(400100, Endpoint.GET_CHANNELS), 0),
        (attrs.evolve(login(400100), method="GET"), 0),
        (login(0), 0),
    ],
)
def test_only_what_should_be_let_in_counts_as_refused(record: Received, refused: int) -> None:
    logins = logins_of([record], str)
    assert logins.refused == refused
    assert logins.last_refused == ("POST /x, was answered with 400 (No)" if refused else "")
    assert logins.was_let_in == (record.status == 200)


# ── Runs that end early ─────────────────────────────────────────────────────────────────────────

FIRST, SECOND = SENTENCES[:2]


def ended(*at: int, explores: bool = True) -> Tally:
    """A tally of runs that ended at these sentences, and 0 for none."""
    tally = Tally()
    for each in at:
        sentence = (None, FIRST, SECOND)[each]
        tally.count(Outcome(frozenset(), (), ended=sentence), explores=explores)
    return tally


def test_a_breach_that_ends_more_than_half_of_the_runs_is_named() -> None:
    assert ended(1, 1, 2, 0, 1).cut_short == CutShort(FIRST.requirement, FIRST.text, 3, 5)
    assert ended(1, 1, 2, 0).cut_short is None
    assert ended(0, 0).cut_short is None
    assert ended().cut_short is None
    assert ended(1, 1, explores=False).cut_short is None


def test_a_client_whose_runs_end_early_is_told_what_hides_the_rest(tmp_path: Path) -> None:
    body = """
    for c in commands():
        if "client" in c: say(event="done", of=c["id"])
        idle(c, clients={"a": {"state": "terminated", "user_id": None}})
    """
    report = judged(Hostile("ends", body, "").command(tmp_path), "LOGOUT-1", budget=5)
    assert report.cut_short is not None
    assert report.cut_short.of == 5
    assert report.cut_short.runs >= 3
    assert (report.cut_short.requirement, report.cut_short.sentence) in {
        (sentence.requirement, sentence.text) for sentence in SENTENCES
    }
    assert judged(SMALL).cut_short is None


def test_what_is_asked_for_and_hidden_by_what_ends_the_runs_is_no_pass(tmp_path: Path, capsys: Said) -> None:
    body = """
    for c in commands():
        if "client" in c: say(event="done", of=c["id"])
        idle(c)
    """
    command = Hostile("never-logs-in", body, "").command(tmp_path)
    status = conform("--id", "RENEW-3", "--budget", 2, "--report", tmp_path / "found", command=command)
    assert status == 1
    [trouble] = report_of(tmp_path / "found").troubles
    assert trouble.requirement == "RENEW-3"
    assert trouble.text.startswith("it never was: 2 of 2 runs ended before, most of them at ")
    assert "it never was: 2 of 2 runs ended before" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ((1, 1, 2, 0), f"3 of 4 runs ended before, most of them at {FIRST}"),
        ((1, 2, 0, 0), None),
        ((0, 0), None),
        ((), None),
    ],
)
def test_runs_that_ended_early_hide_something_if_they_are_most(
    at: tuple[int, ...], words: str | None
) -> None:
    assert ended(*at).ended_early == words


def test_every_report_for_people_says_what_hides_the_rest() -> None:
    report = made_up.report(cut_short=CutShort("LOGIN-2", "observers are told", 312, 400))
    words = "312 of 400 runs ended at LOGIN-2, observers are told: mend that first, it hides the rest."
    for text in (written(report), html.page(report, replay=replay), markdown.page([report])):
        assert words in " ".join(text.split())
        assert "mend that first" not in written(made_up.report())
    assert as_json.load(as_json.dump(report)) == report


def test_a_report_that_was_written_before_there_was_such_a_thing_is_read() -> None:
    content = made_up.report().to_json()
    del content["cut_short"]
    assert Report.from_json(content) == made_up.report()
