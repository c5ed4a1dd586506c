"""What is judged, and what it is judged by: nothing of the catalogue is forgotten, and every word has a meaning."""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from splus_session import (
    AccessToken,
    AuthToken,
    AuthTokenGrant,
    Credential,
    Failure,
    FailureKind,
    HandlersChanged,
    Login,
    Renew,
    Retry,
    SessionOpened,
)
from splus_session.conformance import _actions
from splus_session.conformance._actions import ALWAYS, ANSWERS, GROUPS, OPENINGS, WORDS, Action, Phrase
from splus_session.conformance._campaign import NOT_VISIBLE
from splus_session.conformance._client import Client
from splus_session.conformance._judge import ALIVE, FALLBACKS, play
from splus_session.conformance._lines import FEATURES
from splus_session.conformance._oracle import Oracle
from splus_session.conformance._platform import _FAULTS
from splus_session.conformance._requests import Requests
from splus_session.conformance._run import Run
from splus_session.conformance._sense import needs
from splus_session.conformance._source import Processes
from splus_session.conformance._stage import Stage
from splus_session.conformance.sentences import SENTENCES, Wrong
from splus_session.requirements import REQUIREMENTS
from splus_session.testing import Endpoint, Received
from tests.conformance.test_command import SMALL

PHRASES = tuple(dict.fromkeys(phrase for group in (OPENINGS, ALWAYS, *GROUPS.values()) for phrase in group))
ALPHABET = tuple(dict.fromkeys(action for phrase in PHRASES for action in phrase))

# ── Sentences ───────────────────────────────────────────────────────────────────────────────────


def test_every_sentence_is_about_a_requirement() -> None:
    assert {sentence.requirement for sentence in (*SENTENCES, ALIVE, *FALLBACKS.values())} <= set(
        REQUIREMENTS
    )


def test_every_requirement_is_judged_or_it_is_said_why_not() -> None:
    judged = {sentence.requirement for sentence in SENTENCES}
    active = {name for name, requirement in REQUIREMENTS.items() if requirement.status == "active"}
    assert active - judged - set(NOT_VISIBLE) == set()
    assert judged & set(NOT_VISIBLE) == set()
    assert set(NOT_VISIBLE) <= set(REQUIREMENTS)
    assert all(NOT_VISIBLE.values())


def test_no_two_sentences_say_the_same() -> None:
    texts = Counter(sentence.text for sentence in (*SENTENCES, ALIVE, *FALLBACKS.values()))
    assert [text for text, count in texts.items() if count > 1] == []


def test_what_sentences_and_actions_need_can_be_declared() -> None:
    needed = frozenset[str]().union(
        *(sentence.features for sentence in SENTENCES), *(needs(action) for action in ALPHABET)
    )
    assert needed <= {*FEATURES, "process"}


def test_every_feature_makes_a_difference() -> None:
    needed = frozenset({"again"}).union(  # which is about how a run is begun
        *(sentence.features for sentence in SENTENCES), *(needs(action) for action in ALPHABET)
    )
    assert set(FEATURES) <= needed


@pytest.mark.parametrize(
    ("action", "feature"),
    [
        (Action("login", "a", "ann_own_handler"), "own_handler"),
        (Action("open", "c", "no_region"), "region"),
        (Action("login", "b", "bob"), "several"),
    ],
)
def test_what_a_client_does_not_declare_is_not_asked_for(action: Action, feature: str) -> None:
    assert feature in needs(action)
    ours = frozenset(FEATURES) | {"process"}
    assert Run(pytest.fail, ours).sense.makes(action) == (action.client != "b")
    assert not Run(pytest.fail, ours - {feature}).sense.makes(action)


# ── Actions ─────────────────────────────────────────────────────────────────────────────────────


def test_every_action_has_words_and_is_done_in_one_way() -> None:
    dos = {action.do for action in ALPHABET}
    assert dos == set(WORDS)
    doing = Run(pytest.fail, frozenset()).doing
    assert Counter([*doing.plans, *doing.acts, *doing.passings]) == Counter(dos)


@pytest.mark.parametrize("action", ALPHABET, ids=repr)
def test_every_action_says_what_it_is_and_comes_back_from_json(action: Action) -> None:
    words = action.words()
    assert words
    assert "{" not in words
    assert "_" not in words
    assert Action.from_json(action.to_json()) == action


def test_every_answer_of_the_platform_is_one_that_it_can_give() -> None:
    answers = {each.how for each in ALPHABET if each.do in ("next", "next_renewal", "next_call", "release")}
    assert answers | set(ANSWERS) == {*_FAULTS, "well", "redirect", "hold"}


def test_every_check_whether_an_action_makes_sense_is_of_an_action() -> None:
    assert set(Run(pytest.fail, frozenset()).sense.checks) <= set(WORDS)


# ── Each phrase, played ─────────────────────────────────────────────────────────────────────────

LOGIN = Action("login", "a", "ann")
_HELD = (Action("app", "a", "hold"), Action("until", "a", "due"))
BEFORE: tuple[Phrase, ...] = (
    (),
    (LOGIN,),
    (Action("hold"), LOGIN),
    (LOGIN, *_HELD),
    (LOGIN, Action("close", "a")),
    (LOGIN, Action("open", "b"), Action("login", "b", "bob")),
    (LOGIN, Action("app", "a", "unable"), Action("until", "a", "due"), *[*_HELD] * 2),
)
"""What may be so when an action is played: between them, each makes sense somewhere."""


@pytest.fixture(scope="module")
def small() -> Iterator[Processes]:
    source = Processes(SMALL)
    yield source
    source.close()


@pytest.mark.parametrize("group", ["OPENINGS", "ALWAYS", *GROUPS])
def test_every_phrase_is_understood_and_a_right_client_does_it_well(group: str, small: Processes) -> None:
    phrases = GROUPS.get(group) or getattr(_actions, group)
    for phrase in dict.fromkeys(phrases):
        for before in BEFORE:
            outcome = play(small.take, small.features, (*before, *phrase, LOGIN), patience=1.0)
            assert outcome.adapter_error is None, (before, phrase)
            found = [(each.sentence.text, each.wrong) for each in outcome.found]
            assert found == [], (before, phrase)


def test_every_phrase_makes_sense_somewhere(small: Processes) -> None:
    def makes_sense(phrase: Phrase) -> bool:
        for before in BEFORE:
            run = Run(small.take, small.features, patience=1.0)
            for _ in run.play((*before, *phrase)):
                pass
            if run.played[-len(phrase) :] == list(phrase):
                return True
        return False

    assert [phrase for phrase in PHRASES if phrase and not makes_sense(phrase)] == []


def test_an_app_that_answers_twice_lets_no_request_go_but_its_own(small: Processes) -> None:
    run = Run(small.take, small.features)
    scenario = (
        Action("open", "b"),
        Action("login", "a", "ann"),
        Action("hold"),
        Action("login", "b", "bob"),
        Action("app", "a", "twice"),
        Action("next_renewal", "", "refused"),
        Action("renew_now", "a"),
    )
    desk = run._stage.desk  # pyright: ignore[reportPrivateUsage]
    asked, held = False, 0
    for moment in run.play(scenario):
        asked, held = asked or bool(moment.asked), desk.held()
    assert asked
    assert held == 1  # it is bob who waits


# ── What right clients do, and what was taken for wrong once ────────────────────────────────────

SHORT_LIVED = Action("platform", "", "short_lived")
SET_BACK = Action("jump", seconds=-3600.0)
RIGHT: dict[str, Phrase] = {
    "those who wait share the failure of a renewal for which a secure logout waits": (
        Action("next_renewal", "", "hold"),
        Action("login_as_bot", "a"),
        *[Action("until", "a", "due")] * 2,
        Action("call", "a"),
        Action("next", "", "server_error"),
        Action("secure_logout", "a"),
        Action("hold"),
        Action("release", "", "wrong_user"),
    ),
    "by the answer that tells of a ban, it learns that the token was expired as well": (
        SHORT_LIVED,
        LOGIN,
        Action("next", "", "banned"),
        SET_BACK,
        Action("until", "a", "due"),
    ),
    "a request leaves with an expired token, since the clock was set back": (
        SHORT_LIVED,
        Action("app", "a", "hold"),
        LOGIN,
        Action("until", "a", "renewal"),
        SET_BACK,
        Action("sleep", seconds=601.0),
        Action("call", "a"),
    ),
    "a client does not learn the time from an answer that nobody waits for": (
        Action("skew", seconds=40 * 86400.0),
        Action("hold"),
        LOGIN,
        Action("logout", "a"),
        Action("release", "", "well"),
        Action("login_with_access_token", "a", "good"),
    ),
    "a pause began a moment before the kit saw why": (
        Action("skew", seconds=40 * 86400.0),
        Action("login_as_bot", "a"),
        Action("open", "b"),
        Action("login", "b", "bob"),
        Action("handle", "a", "raise"),
        Action("app", "a", "renew"),
        Action("until", "a", "due"),
        Action("advance", seconds=601.0),
    ),
    "the clock is set while a login is on its way": (
        Action("hold"),
        Action("login_with_access_token", "a", "good"),
        Action("jump", seconds=3600.0),
        Action("release", "", "well"),
        Action("until", "a", "due"),
    ),
    "a rejection comes while a revocation is under way that fails": (
        SHORT_LIVED,
        Action("next_renewal", "", "hold"),
        LOGIN,
        Action("until", "a", "expiry"),
        Action("call", "a"),
        Action("secure_logout", "a"),
        Action("next", "", "lost"),
        Action("next_call", "", "unauthorized"),
        Action("release", "", "well"),
    ),
}


@pytest.mark.parametrize("scenario", RIGHT.values(), ids=RIGHT)
def test_nothing_is_wrong_if(scenario: Phrase, small: Processes) -> None:
    assert _found(small, scenario) == []


def _found(source: Processes, scenario: Phrase) -> list[tuple[str, Wrong]]:
    outcome = play(source.take, source.features, scenario, patience=1.0)
    return [(each.sentence.text, each.wrong) for each in outcome.found]


_THREE_WAIT = (
    SHORT_LIVED,
    Action("next_renewal", "", "hold"),
    LOGIN,
    Action("until", "a", "expiry"),
    *[Action("call", "a")] * 3,
)
_LATE = (Action("hold"), LOGIN, Action("logout", "a"))
WAYS: dict[str, list[Phrase]] = {
    "LearnsFromEveryAnswer": [
        (LOGIN, SET_BACK, Action("call", "a"), Action("until", "a", "due")),
        (LOGIN, Action("jump", seconds=3600.0), Action("call", "a"), Action("until", "a", "renewal")),
    ],
    "TakesDateAtItsWord": [
        (Action("skew", seconds=40 * 86400.0), LOGIN, Action("until", "a", "due")),
        (LOGIN, Action("until", "a", "due"), *[Action("advance", seconds=601.0)] * 2),
    ],
    "RevokesAtLogout": [(LOGIN, Action("logout", "a"))],
    "RevokesTwice": [(*_LATE, Action("release", "", "well"), Action("advance", seconds=61.0))],
    "AsksForSettings": [
        (LOGIN, Action("close", "a"), Action("platform", "", "ban"), Action("open", "a", "again")),
        (LOGIN, Action("close", "a"), Action("platform", "", "revoke"), Action("open", "a", "again")),
    ],
    "HangsUp": [
        (
            LOGIN,
            Action("hold"),
            Action("secure_logout", "a"),
            Action("next_call", "", "banned"),
            Action("call", "a"),
        )
    ],
    "IsObservedOnlyThen": [
        (
            Action("login_as_bot", "a"),
            Action("close", "a"),
            Action("advance", seconds=31 * 86400.0),
            Action("open", "a", "again_without_handlers"),
        )
    ],
    "LooksAtTheTokenFirst": [
        (LOGIN, Action("login", "a", "ann_without")),
        (LOGIN, Action("login_with_access_token", "a", "expired")),
        (
            Action("set_access_token_handler", "a", "none"),
            Action("login_with_access_token", "a", "expired"),
        ),
    ],
    "CallsARefusedTokenInvalid": [
        (Action("next", "", "refused"), Action("login_with_access_token", "a", "good")),
    ],
    "SaysThatRevokingWasRefused": [
        (LOGIN, Action("next", "", "refused"), Action("next", "", "lost"), Action("secure_logout", "a"))
    ],
    "HearsOfRejectionsOneByOne": [
        (*_THREE_WAIT, *[Action("next_call", "", "unauthorized")] * 3, Action("release", "", "well")),
    ],
    "FailsAtOnceWhileRevoking": [
        (
            LOGIN,
            Action("platform", "", "revoke"),
            Action("app", "a", "unable"),
            Action("call", "a"),
            Action("hold"),
            Action("secure_logout", "a"),
            Action("call", "a"),
        )
    ],
}
"""Other ways of being right, each with what was taken for wrong once."""


@pytest.mark.parametrize("variation", WAYS)
def test_what_requirements_leave_open_may_be_done_another_way(variation: str) -> None:
    source = Processes([sys.executable, str(Path(SMALL[1]).with_name("variations.py")), variation])
    try:
        assert [_found(source, scenario) for scenario in WAYS[variation]] == [[]] * len(WAYS[variation])
    finally:
        source.close()


def test_no_way_of_being_right_is_forgotten() -> None:
    variations = Path(SMALL[1]).with_name("variations.py").read_text("utf-8")
    assert re.findall(r"^@variation\nclass (\w+)", variations, re.MULTILINE) == list(WAYS)


RIGHT_OF_OURS: dict[str, Phrase] = {
    "a call waits no longer in the moment in which there is a token": (
        Action("open", "a", "without_handlers"),
        Action("login_as_visitor", "a", "unsigned"),
        Action("next_renewal", "", "hold"),
        *[Action("until", "a", "due")] * 2,
        Action("hold"),
        Action("secure_logout", "a"),
        Action("call", "a"),
        Action("advance", seconds=601.0),
    ),
    "a revocation takes too long, and what it kept waiting begins": (
        Action("open", "a", "without_handlers"),
        Action("login_as_bot", "a"),
        Action("hold"),
        Action("secure_logout", "a"),
        Action("until", "a", "due"),
    ),
    "a token that never expires was rejected, and its revocation comes to nothing later": (
        Action("next", "", "no_expiry"),
        LOGIN,
        Action("next", "", "lost_after"),
        Action("secure_logout", "a"),
        Action("app", "a", "hold"),
        Action("call", "a"),
        Action("hold"),
        Action("secure_logout", "a"),
        Action("advance", seconds=601.0),
    ),
    "a renewal brings a token that is as good as expired": (
        Action("login_with_access_token", "a", "good"),
        Action("advance", seconds=1202.0),
        Action("next_renewal", "", "hold"),
        Action("renew_now", "a"),
        Action("until", "a", "due"),
        Action("advance", seconds=1190.0),
        Action("release", "", "well"),
    ),
    "a call that waited for a login hears of a ban before an observer has logged out": (
        Action("hold"),
        Action("next_call", "", "banned_by_code"),
        Action("login", "a", "bob"),
        Action("call", "a"),
        Action("observe", "a", "logout"),
        Action("release", "", "well"),
    ),
    "a handler is not asked again that has not come back from eight renewals": (
        *[Action("app", "a", "hold")] * 8,
        Action("login_with_access_token", "a", "good"),
        Action("until", "a", "almost_expiry"),
        Action("call", "a"),
    ),
    "what a closed client had asked for is revoked, whatever became of the next": (
        Action("login_as_visitor", "a", "unsigned"),
        Action("hold"),
        Action("advance", seconds=31 * 86400.0),
        Action("close", "a"),
        Action("open", "a", "again"),
        Action("next_renewal", "", "banned"),
        Action("until", "a", "due"),
        Action("release", "", "well"),
    ),
}


@pytest.fixture(scope="module", params=["own_sync", "own_aio"])
def ours(request: pytest.FixtureRequest) -> Iterator[Processes]:
    source = Processes([sys.executable, "-m", f"tests.subjects.{request.param}"])
    yield source
    source.close()


@pytest.mark.parametrize("scenario", RIGHT_OF_OURS.values(), ids=RIGHT_OF_OURS)
def test_nothing_is_wrong_with_ours_if(scenario: Phrase, ours: Processes) -> None:
    assert _found(ours, scenario) == []


@pytest.mark.parametrize(
    ("age", "is_young", "counts_as"),
    [(300.0, True, 300.0), (599.95, True, 599.95), (600.0, True, 599.999), (600.2, False, None)],
)
def test_what_was_sent_just_before_it_grew_too_old_was_young_enough(
    age: float, is_young: bool, counts_as: float | None
) -> None:
    oracle, grant = _backing_off("ann", 0.0)
    oracle.advance(age)
    assert oracle.follow_renewal(age, sends_again=True)
    sent = [flight.wanted for flight in oracle.flights if isinstance(flight.wanted, Renew)]
    assert [renew.grant for renew in sent] == [grant] * is_young
    assert len(oracle.asks) == (not is_young)
    renewal = oracle.snapshot.renewal
    assert renewal is not None
    assert counts_as is None or age - renewal.obtained_at == pytest.approx(counts_as)


def _backing_off(user: str, now: float) -> tuple[Oracle, AuthTokenGrant]:
    """A session whose renewal just failed. With that grant it is sent again, in 900 s at the latest."""
    grant = AuthTokenGrant(user, AuthToken(user))
    oracle = Oracle(development=False, session_handler=True, access_token_handler=False)
    oracle.feed(HandlersChanged(session_handler=True, access_token_handler=False), now)
    opened = oracle.feed(Login(user, grant.auth_token), now).after
    oracle.feed(
        SessionOpened(Credential(AccessToken(user), user, now, now + 1e6), opened.session, minted=True), now
    )
    oracle.flights.clear()
    oracle.change(retry=Retry(now + 900.0, 12, Failure(FailureKind.UNAVAILABLE), grant, obtained_at=now))
    return oracle, grant


def test_a_renewal_sent_early_is_not_taken_for_another_clients_that_is_due() -> None:
    stage = Stage(pytest.fail, frozenset({"time", "several"}))
    now = stage.clock.now()
    ann, bob = (Client(name, _backing_off(name, now)[0]) for name in ("ann", "bob"))
    stage.clients = {"ann": ann, "bob": bob}
    assert bob.oracle.snapshot.retry is not None
    bob.oracle.change(retry=attrs.evolve(bob.oracle.snapshot.retry, at=now))
    bob.oracle.advance(now)
    requests = Requests(stage)
    for user in ("ann", "bob"):
        fields = {"userId": user, "authToken": AuthToken(user)}
        path = "/api/v5/sessions"
        requests.arrive(Received(now, "POST", path, Endpoint.LOGIN, user, "device", None, fields, ()))
    for client in (ann, bob):
        assert [(flight.record and flight.record.user_id, flight.exact) for flight in client.flights] == [
            (client.name, True)
        ]
        assert client.surplus == []
        assert client.notes == {}
