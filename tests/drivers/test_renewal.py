import json
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from splus_session import (
    AccessToken,
    Config,
    HandlerRequiredError,
    InvalidArgumentError,
    NotAllowedError,
    RenewalFailedError,
    SessionState,
    SessionTerminatedError,
    UnavailableError,
    UserBannedError,
    WaitTimeoutError,
)
from splus_session._credentials import Record
from splus_session._events import Login, Logout
from splus_session._renewals import MANY
from splus_session.ports import Renewal
from splus_session.testing import Endpoint, FakePlatform, TokenTerms, faults
from tests.drivers.conftest import OpenStage
from tests.drivers.faces import PATIENCE, Face, Log, on_thread
from tests.drivers.held import Asking
from tests.drivers.stage import DUE, Asked, Vouching


@pytest.mark.requirement("RENEW-2", "RENEW-4", "HOOK-1")
def test_a_renewal_ahead_keeps_the_state_and_the_old_token_until_the_new_one_is_there(
    fake: FakePlatform, stage: OpenStage
) -> None:
    s = stage(session_handler=Vouching(fake))
    s.log_in()
    old = s.call("authorization")
    hold = fake.hold(Endpoint.LOGIN)
    s.clock.advance(DUE)
    hold.arrived.wait()
    assert s.call("authorization") == old
    hold.release()
    s.hooks.wait_count(2)
    assert [call.hook for call in s.hooks] == ["on_login", "on_renewal"]
    assert s.call("authorization") != old
    assert s.states[-1] is SessionState.ESTABLISHED
    assert len(s.changes) == 3


@pytest.mark.requirement("RENEW-8", "EXPIRE-1")
def test_a_session_recovers_from_expiry_any_number_of_times(fake: FakePlatform, stage: OpenStage) -> None:
    handler = Vouching(fake)
    s = stage(session_handler=handler)
    s.log_in()
    for _ in range(3):
        s.expire()
        s.heard(SessionState.ESTABLISHED)
        assert s.session.user_id == "ann"
    assert s.states[2:] == [
        SessionState.ESTABLISHED,
        *[SessionState.TOKEN_EXPIRED, SessionState.ESTABLISHED] * 3,
    ]
    assert len(handler.log) == 3


@pytest.mark.requirement("HANDLER-1")
def test_a_handler_given_at_login_renews_that_session_alone(fake: FakePlatform, stage: OpenStage) -> None:
    clients, own = Vouching(fake), Vouching(fake)
    s = stage(session_handler=clients)
    for handlers, asked in ((own, (1, 0)), (None, (1, 1))):
        s.log_in(session_handler=handlers)
        s.expire()
        s.heard(SessionState.ESTABLISHED)
        assert (len(own.log), len(clients.log)) == asked
        s.call("logout")
        assert s.session._engine.own_handler is None


@pytest.mark.requirement("HANDLER-1")
def test_a_handler_counts_though_it_be_false(fake: FakePlatform, stage: OpenStage) -> None:
    class Empty(Vouching):
        def __bool__(self) -> bool:
            return False

    s = stage(session_handler=Asked())
    s.log_in(session_handler=Empty(fake))
    s.expire()
    s.heard(SessionState.ESTABLISHED)


@pytest.mark.requirement("HANDLER-1", "HANDLER-2")
def test_the_kind_of_login_picks_the_handler(fake: FakePlatform, stage: OpenStage) -> None:
    class Both(Vouching):
        def on_token_renew(self, user_id: str) -> AccessToken:
            self.log.add(user_id)
            return fake.issue_access_token(user_id)

    both = Both(fake)
    s = stage(session_handler=both, access_token_handler=both)
    s.call("login_with_access_token", fake.issue_access_token("ann"))
    s.expire()
    s.heard(SessionState.ESTABLISHED)
    assert both.log == ["ann"]
    s.session.set_access_token_handler(None)
    s.expire()
    assert isinstance(s.failure(s.start("authorization")), HandlerRequiredError)
    assert s.state is SessionState.TOKEN_EXPIRED
    s.session.set_access_token_handler(both)
    s.heard(SessionState.ESTABLISHED)


@pytest.mark.requirement("RENEW-4")
def test_a_handler_may_answer_later_and_from_any_thread(fake: FakePlatform, stage: OpenStage) -> None:
    handler = Asked()
    s = stage(session_handler=handler)
    s.log_in()
    s.expire()
    handler.log.wait_count(1)
    header = s.start("authorization")
    token = fake.issue_auth_token("ann").reveal()
    on_thread(lambda: handler.log[0].renew_with_auth_token(token)).result(20)
    assert header.result(20).header
    s.heard(SessionState.ESTABLISHED)


BAD_ANSWERS: list[Callable[[Any], object]] = [
    lambda renewal: renewal.renew_with_auth_token(""),
    lambda renewal: renewal.renew_with_auth_token(None),
    lambda renewal: renewal.renew_with_auth_token(7),
    lambda renewal: renewal.renew_with_auth_token("x" * 101),
    lambda renewal: renewal.renew_with_auth_token(AccessToken("another kind")),
    lambda renewal: renewal.renew_with_auth_signature("signature", "9999-01-01"),
]


@pytest.mark.requirement("RENEW-4")
@pytest.mark.parametrize("bad", range(len(BAD_ANSWERS)))
def test_a_malformed_answer_raises_and_leaves_the_renewal_open(
    bad: int, fake: FakePlatform, stage: OpenStage
) -> None:
    handler = Asked()
    s = stage(session_handler=handler)
    s.log_in()
    s.expire()
    handler.log.wait_count(1)
    with pytest.raises(InvalidArgumentError):
        BAD_ANSWERS[bad](handler.log[0])
    handler.log[0].renew_with_auth_token(fake.issue_auth_token("ann"))
    s.heard(SessionState.ESTABLISHED)


@pytest.mark.requirement("RENEW-5")
def test_a_renewal_is_settled_once_and_a_second_answer_sends_nothing(
    fake: FakePlatform, stage: OpenStage, caplog: pytest.LogCaptureFixture
) -> None:
    handler = Asked()
    s = stage(session_handler=handler)
    s.log_in()
    s.expire()
    handler.log.wait_count(1)
    renewal: Any = handler.log[0]
    renewal.renew_with_auth_token(fake.issue_auth_token("ann"))
    s.heard(SessionState.ESTABLISHED)
    for late in (
        renewal.renew,
        renewal.unable_to_retrieve_auth_token,
        renewal.unable_to_retrieve_auth_signature,
    ):
        late()
    renewal.renew_with_auth_token("again")
    assert len(fake.requests) == 2
    dropped = [r for r in caplog.records if "dropped" in r.getMessage() and r.levelno == logging.WARNING]
    assert len(dropped) == 4, "each is reported"
    words = "its renewal is over or was answered before (renewal_answered while established: is_current_ask)"
    assert words in dropped[0].getMessage()


@pytest.mark.requirement("RENEW-5")
@pytest.mark.parametrize("after", ["deadline", "logout", "ban", "newer", "closing"])
def test_an_answer_that_comes_too_late_is_dropped(after: str, fake: FakePlatform, stage: OpenStage) -> None:
    handler = Asked()
    s = stage(session_handler=handler)
    s.log_in()
    s.expire()
    handler.log.wait_count(1)
    match after:
        case "deadline":
            call = s.start("renew_now")
            s.until(lambda: bool(s.session._engine._flights))
            s.clock.advance(60.0)
            assert isinstance(s.failure(call), RenewalFailedError)
        case "logout":
            s.call("logout")
        case "ban":
            s.session.note_ban("ann")
            s.heard(SessionState.TERMINATED)
        case "newer":
            s.clock.advance(60.0)
            s.until(lambda: s.session._engine.snapshot.retry is not None)
            s.clock.advance(600.0)
            handler.log.wait_count(2)
        case _:
            s.close()
    sent = len(fake.requests)
    handler.log[0].renew_with_auth_token(fake.issue_auth_token("ann"))
    assert len(fake.requests) == sent
    if after == "newer":
        handler.log[1].renew_with_auth_token(fake.issue_auth_token("ann"))
        s.heard(SessionState.ESTABLISHED)


def raises(renewal: Renewal) -> None:
    raise ZeroDivisionError


class NotPrompt:
    """An access token handler that answers what it is told to."""

    def __init__(self, answer: Callable[[str], Any]) -> None:
        self.answer, self.log = answer, Log()

    def on_token_renew(self, user_id: str) -> Any:
        self.log.add(user_id)
        return self.answer(user_id)


def fails(user_id: str) -> Any:
    raise ZeroDivisionError


@pytest.mark.requirement("RENEW-6", "RENEW-7", "EXPIRE-5")
@pytest.mark.parametrize("how", ["raises", "exits", "unable", "silent"])
def test_a_handler_that_fails_counts_as_unable_and_is_asked_again(
    how: str, fake: FakePlatform, stage: OpenStage
) -> None:
    answers: dict[str, Callable[[Renewal], object] | None] = {
        "raises": raises,
        "exits": lambda renewal: sys.exit("a library that takes itself for the program"),
        "unable": lambda renewal: renewal.unable_to_retrieve_auth_token(),
        "silent": None,
    }
    handler = Asked(answers[how])
    s = stage(session_handler=handler)
    s.log_in()
    s.expire()
    handler.log.wait_count(1)
    if how == "silent":
        s.clock.advance(60.0)
    s.until(lambda: s.session._engine.snapshot.retry is not None)
    failure = s.failure(s.start("authorization"))
    assert isinstance(failure, RenewalFailedError)
    assert failure.retry_at == s.clock.now() + 600.0
    assert failure.state is SessionState.TOKEN_EXPIRED
    s.clock.advance(599.0)
    assert len(handler.log) == 1
    handler.answer = lambda renewal: renewal.renew_with_auth_token(fake.issue_auth_token("ann"))
    s.clock.advance(1.0)
    s.heard(SessionState.ESTABLISHED)
    assert len(handler.log) == 2


@pytest.mark.requirement("RENEW-6", "SECRET-1")
def test_a_handler_that_returns_something_instead_of_answering_counts_as_unable(
    fake: FakePlatform, stage: OpenStage, caplog: pytest.LogCaptureFixture
) -> None:
    class Returning(Asked):
        def session_will_renew_access_token(self, renewal: Renewal) -> Any:
            super().session_will_renew_access_token(renewal)
            return "canary"

    handler = Returning()
    s = stage(session_handler=handler)
    s.log_in()
    s.expire()
    s.until(lambda: s.session._engine.snapshot.retry is not None)
    assert isinstance(s.failure(s.start("authorization")), RenewalFailedError)
    [warning] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "type str" in warning.getMessage()
    assert "renewal.renew_with_auth_token" in warning.getMessage()
    assert "canary" not in caplog.text


@pytest.mark.requirement("RENEW-5", "RENEW-6")
@pytest.mark.parametrize("answered", ["accepted", "under way", "unable"])
def test_what_a_handler_returns_undoes_no_answer(
    answered: str, fake: FakePlatform, stage: OpenStage, caplog: pytest.LogCaptureFixture
) -> None:
    class Returning(Asked):
        def session_will_renew_access_token(self, renewal: Renewal) -> Any:
            super().session_will_renew_access_token(renewal)
            return True

    def answer(renewal: Renewal) -> None:
        if answered == "unable":
            renewal.unable_to_retrieve_auth_token()
            return
        renewal.renew_with_auth_token(fake.issue_auth_token("ann"))
        if answered == "accepted":
            s.heard(SessionState.ESTABLISHED)

    handler = Returning(answer)
    s = stage(session_handler=handler)
    s.log_in()
    hold = fake.hold(Endpoint.LOGIN) if answered == "under way" else None
    questions = s.session._worker._questions
    come_back = questions.release

    def comes_back() -> None:
        come_back()
        s.moves.notify()

    questions.release = comes_back
    s.expire()
    if hold is not None:
        hold.arrived.wait()
        s.until(lambda: questions._value == MANY)
        hold.release()
    if answered == "unable":
        s.until(lambda: s.session._engine.snapshot.retry is not None)
    else:
        s.heard(SessionState.ESTABLISHED)
    s.close()
    assert [record for record in caplog.records if record.levelno == logging.WARNING] == []


def by_way_of_a_library(renewal: Renewal) -> None:
    json.loads("canary")


@pytest.mark.requirement("RENEW-6", "SECRET-1")
@pytest.mark.parametrize(
    ("answer", "what", "where"),
    [
        (raises, "ZeroDivisionError", raises),
        (by_way_of_a_library, "JSONDecodeError", by_way_of_a_library),
        (
            lambda renewal: renewal.renew_with_auth_token("x" * 101),
            "InvalidArgumentError: the auth token has 101 characters; the platform takes 100",
            None,
        ),
    ],
)
def test_a_handler_that_raises_is_logged_with_its_place_and_no_value(
    answer: Callable[[Any], object],
    what: str,
    where: Any,
    stage: OpenStage,
    caplog: pytest.LogCaptureFixture,
) -> None:
    s = stage(session_handler=Asked(answer))
    s.log_in()
    s.expire()
    s.until(lambda: s.session._engine.snapshot.retry is not None)
    code = (where or answer).__code__
    line = code.co_firstlineno if where is None else code.co_firstlineno + 1
    [warning] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert warning.getMessage() == f"the handler failed to renew: {what} at {code.co_filename}:{line}"
    assert warning.exc_info is None


@pytest.mark.requirement("RENEW-6", "RENEW-10")
@pytest.mark.parametrize(
    "answer",
    [
        fails,
        lambda _: sys.exit("a library that takes itself for the program"),
        lambda _: None,
        lambda _: "garbage",
        lambda _: 7,
        lambda _: b"bytes",
        lambda _: "e30.e30.x",
    ],
)
def test_garbage_from_an_access_token_handler_counts_as_unable(
    answer: Callable[[str], Any], fake: FakePlatform, stage: OpenStage
) -> None:
    handler = NotPrompt(answer)
    s = stage(access_token_handler=handler)
    s.call("login_with_access_token", fake.issue_access_token("ann"))
    s.expire()
    s.until(lambda: s.session._engine.snapshot.retry is not None)
    assert isinstance(s.failure(s.start("authorization")), RenewalFailedError)
    handler.answer = fake.issue_access_token
    s.call("renew_now")
    assert s.state is SessionState.ESTABLISHED


@pytest.mark.requirement("RENEW-10")
def test_another_users_access_token_is_refused_and_changes_nothing(
    fake: FakePlatform, stage: OpenStage
) -> None:
    handler = NotPrompt(lambda _: fake.issue_access_token("mallory"))
    s = stage(access_token_handler=handler)
    s.call("login_with_access_token", fake.issue_access_token("ann"))
    sent = len(fake.requests)
    s.expire()
    s.until(lambda: s.session._engine.snapshot.retry is not None)
    assert s.session.user_id == "ann"
    assert len(fake.requests) == sent


@pytest.mark.requirement("RENEW-10", "RENEW-7")
def test_an_access_token_is_sent_again_when_the_platform_was_away(
    fake: FakePlatform, stage: OpenStage
) -> None:
    handler = NotPrompt(fake.issue_access_token)
    s = stage(access_token_handler=handler)
    s.call("login_with_access_token", fake.issue_access_token("ann"))
    fake.fail(Endpoint.VERIFY, faults.drop())
    s.expire()
    s.until(lambda: s.session._engine.snapshot.retry is not None)
    s.clock.advance(1.0)
    s.heard(SessionState.ESTABLISHED)
    assert len(handler.log) == 1
    [first, second] = fake.requests_to(Endpoint.VERIFY)[1:]
    assert first.access_token == second.access_token


@pytest.mark.requirement("RENEW-7", "RENEW-9")
def test_what_fails_for_a_moment_is_tried_again_with_the_same_auth_token(
    fake: FakePlatform, stage: OpenStage
) -> None:
    handler = Vouching(fake)
    s = stage(session_handler=handler)
    s.log_in()
    fake.fail(Endpoint.LOGIN, faults.server_error(), times=2)
    s.expire()
    for failures in (1, 2):
        s.until(lambda: getattr(s.session._engine.snapshot.retry, "failures", 0) == failures)  # noqa: B023
        s.clock.advance(2.0)
    s.heard(SessionState.ESTABLISHED)
    assert len(handler.log) == 1
    assert len({request.fields["authToken"] for request in fake.requests[1:]}) == 1


@pytest.mark.requirement("RENEW-9")
def test_renew_now_ends_a_pause_and_shares_the_outcome(fake: FakePlatform, stage: OpenStage) -> None:
    handler = Asked(lambda renewal: renewal.unable_to_retrieve_auth_token())
    s = stage(session_handler=handler)
    assert isinstance(s.failure(s.start("renew_now")), NotAllowedError)
    s.log_in()
    s.expire()
    s.until(lambda: s.session._engine.snapshot.retry is not None)
    assert isinstance(s.failure(s.start("renew_now")), RenewalFailedError)
    handler.answer = Vouching(fake).answer
    s.call("renew_now")
    assert s.state is SessionState.ESTABLISHED
    old = s.call("authorization")
    s.call("renew_now")
    assert s.call("authorization") != old


@pytest.mark.requirement("RENEW-6", "RENEW-9")
def test_who_renews_now_hears_of_an_unable_handler_and_when_it_is_asked_again(stage: OpenStage) -> None:
    s = stage(session_handler=Asked(lambda renewal: renewal.unable_to_retrieve_auth_token()))
    s.log_in()
    failure = s.failure(s.start("renew_now"))
    assert isinstance(failure, RenewalFailedError)
    assert failure.retry_at == s.clock.now() + 600.0
    assert failure.state is SessionState.ESTABLISHED


@pytest.mark.requirement("RENEW-6", "CLIENT-3")
@pytest.mark.parametrize("kind", ["plain", "async", "plain, gives an awaitable"])
def test_a_handler_that_hangs_is_asked_again_but_its_calls_do_not_pile_up(
    kind: str, face: Face, stage: OpenStage
) -> None:
    if face.name == "sync" and kind != "plain":
        return  # a threaded session takes none
    hanging = Log()

    class Plain:
        def session_will_renew_access_token(self, renewal: Renewal) -> Any:
            hanging.add(Asking(renewal))
            return hanging[-1].wait_async() if "gives" in kind else hanging[-1].wait()

    class Async:
        async def session_will_renew_access_token(self, renewal: Renewal) -> None:
            hanging.add(Asking(renewal))
            await hanging[-1].wait_async()

    s = stage(session_handler=Async() if kind == "async" else Plain())
    s.log_in()
    s.expire()
    for asked in range(1, MANY + 1):
        hanging.wait_count(asked)
        s.clock.advance(60.0)
        s.until(lambda: s.session._engine.snapshot.retry is not None)
        s.clock.advance(600.0)
    s.until(lambda: s.moves.count("RenewalUnable") == 1)
    failure = s.failure(s.start("authorization"))
    assert isinstance(failure, RenewalFailedError)
    assert failure.retry_at == s.clock.now() + 600.0
    assert len(hanging) == MANY
    open_ones = s.session._worker._questions
    come_back = open_ones.release

    def comes_back() -> None:
        come_back()
        s.moves.notify()

    open_ones.release = comes_back
    hanging[0].answer(None)
    s.until(lambda: open_ones._value == 1)
    s.clock.advance(600.0)
    hanging.wait_count(MANY + 1)
    for each in hanging:
        each.answer(None)


@pytest.mark.requirement("RENEW-12", "CLIENT-1")
def test_a_development_session_renews_itself(stage: OpenStage) -> None:
    s = stage(development=True)
    s.fake.rules.secure_mode = False
    s.call("login", "ann")
    s.expire()
    s.heard(SessionState.ESTABLISHED)


@pytest.mark.requirement("BAN-3", "BAN-4")
def test_a_ban_found_by_a_renewal_terminates_the_session(fake: FakePlatform, stage: OpenStage) -> None:
    handler = Vouching(fake)
    s = stage(session_handler=handler)
    s.log_in()
    fake.ban("ann")
    hold = fake.hold(Endpoint.LOGIN)
    s.expire()
    hold.arrived.wait()
    call, header = s.start("renew_now"), s.start("authorization")
    s.until(lambda: {"RenewNow", "authorize"} <= set(s.moves))
    hold.release()
    assert isinstance(s.failure(call), UserBannedError)
    assert isinstance(s.failure(header), SessionTerminatedError)
    s.heard(SessionState.TERMINATED)
    s.hooks.wait_count(2)
    assert [call.hook for call in s.hooks] == ["on_login", "on_ban"]
    s.clock.advance(DUE)
    assert len(handler.log) == 1, "no handler is called any more"
    assert s.session._engine.tick() is None


@pytest.mark.requirement("EXPIRE-3")
def test_any_number_of_rejections_is_one_verification(fake: FakePlatform, stage: OpenStage) -> None:
    s = stage(session_handler=Vouching(fake))
    s.log_in()
    attempt = s.call("authorization").attempt
    hold = fake.hold(Endpoint.VERIFY)
    reports = [s.start("report_rejected", attempt) for _ in range(50)]
    hold.arrived.wait()
    fake.revoke("ann")
    hold.release()
    for report in reports:
        report.result(20)
    s.changes.wait_count(5)
    assert s.states.count(SessionState.TOKEN_EXPIRED) == 1
    assert len(fake.requests_to(Endpoint.VERIFY)) == 1
    assert len(fake.requests_to(Endpoint.LOGIN)) == 2
    s.call("report_rejected", attempt)
    assert len(fake.requests_to(Endpoint.VERIFY)) == 1, "old news"


@pytest.mark.requirement("EXPIRE-3", "BAN-3")
@pytest.mark.parametrize("method", ["report_rejected", "report_banned"])
def test_a_ban_that_the_api_tells_ends_the_session(method: str, fake: FakePlatform, stage: OpenStage) -> None:
    s = stage()
    s.log_in()
    attempt = s.call("authorization").attempt
    fake.ban("ann")
    s.call(method, attempt)
    s.heard(SessionState.TERMINATED)


@pytest.mark.requirement("EXPIRE-5")
def test_waiting_for_a_header_is_bounded(stage: OpenStage) -> None:
    handler = Asked()
    s = stage(session_handler=handler, config=Config(wait_limit=5.0))
    s.log_in()
    s.expire()
    handler.log.wait_count(1)
    header = s.start("authorization")
    s.until(lambda: bool(s.session._engine._flights))
    s.clock.advance(4.9)
    assert not header.done()
    s.clock.advance(0.2)
    failure = s.failure(header)
    assert isinstance(failure, WaitTimeoutError)
    assert failure.retryable
    attempt = s.session._engine.snapshot.credential_attempt
    s.call("report_rejected", attempt)


@pytest.mark.requirement("EXPIRE-2", "EXPIRE-4")
def test_no_header_is_given_that_the_clock_knows_to_be_dead(stage: OpenStage) -> None:
    s = stage(session_handler=Asked(lambda renewal: renewal.unable_to_retrieve_auth_token()))
    s.log_in()
    s.session._stop_listening()  # nobody tells of the jump: the session has to look itself
    s.clock.advance(31 * 24 * 3600.0)
    assert isinstance(s.failure(s.start("authorization")), RenewalFailedError)
    s.clock.jump(-31 * 24 * 3600.0)
    assert isinstance(s.failure(s.start("authorization")), RenewalFailedError), "expiry never un-happens"


@pytest.mark.requirement("EXPIRE-4")
@pytest.mark.parametrize(
    "terms", [TokenTerms(lifetime=None), TokenTerms(lifetime=1.0), TokenTerms(tells_issue=False)]
)
def test_tokens_of_all_lifetimes_are_lived_with(
    terms: TokenTerms, fake: FakePlatform, stage: OpenStage
) -> None:
    fake.rules.terms = terms
    s = stage(session_handler=Vouching(fake))
    s.log_in()
    assert s.call("authorization").header
    if terms.lifetime is None:
        s.clock.advance(1e9)
        assert s.call("authorization").header


@pytest.mark.requirement("RENEW-7", "EXPIRE-5")
def test_who_needs_a_header_hears_why_there_is_none(fake: FakePlatform, stage: OpenStage) -> None:
    s = stage(session_handler=Vouching(fake))
    s.log_in()
    fake.fail(Endpoint.LOGIN, faults.rate_limited(30))
    s.expire()
    s.until(lambda: s.session._engine.snapshot.retry is not None)
    failure = s.failure(s.start("authorization"))
    assert isinstance(failure, RenewalFailedError)
    assert failure.retryable
    assert failure.failure is not None
    assert failure.failure.code == 400311
    assert failure.retry_at is not None
    assert failure.retry_at >= s.clock.now() + 30.0
    assert not isinstance(failure, UnavailableError)


@pytest.mark.requirement("RENEW-5", "BAN-4", "LOGOUT-4")
@pytest.mark.parametrize("meanwhile", ["logout", "secure_logout", "ban"])
def test_a_handler_is_not_asked_about_what_is_over_already(
    meanwhile: str, fake: FakePlatform, stage: OpenStage
) -> None:
    saving, go_on = threading.Event(), threading.Event()

    class SlowStore:
        """It takes its time to save the login: all that follows waits behind it, a question too."""

        def load(self, key: str) -> Record | None:
            return None

        def save(self, key: str, record: Record) -> None:
            saving.set()
            go_on.wait(PATIENCE)

        def delete(self, key: str) -> None:
            pass

        def device_id(self, make: Callable[[], str]) -> str:
            return make()

    handler = Asked()
    s = stage(store=SlowStore(), session_handler=handler)
    login = s.start("login", "ann", auth_token=fake.issue_auth_token("ann"))
    assert saving.wait(PATIENCE)
    s.clock.advance(DUE)
    s.until(lambda: s.session._engine.snapshot.renewal is not None)
    if meanwhile == "ban":
        s.session.note_ban("ann")
        calls = [login]
    else:
        calls = [login, s.start(meanwhile)]
    s.until(lambda: s.session._engine.snapshot.renewal is None)
    go_on.set()
    for call in calls:
        call.result(PATIENCE)
    s.changes.wait_count(4)
    s.close()
    assert handler.log == []


@pytest.mark.requirement("HANDLER-1", "RENEW-5")
def test_nobody_elses_handler_is_asked_if_another_user_logs_in_just_then(
    fake: FakePlatform, stage: OpenStage
) -> None:
    s = stage()
    anns, bobs = Vouching(fake), Vouching(fake, "bob")
    s.log_in(session_handler=anns)
    engine, worker = s.session._engine, s.session._worker
    handlers, looked = worker._handlers, Log()

    def once_bob_is_here() -> Any:
        if not looked:
            engine.post(Logout())
            engine.post(Login("bob", fake.issue_auth_token("bob"), own_handler=True), own_handler=bobs)
        looked.add("for handlers")
        return handlers()

    worker._handlers = once_bob_is_here
    s.clock.advance(DUE)
    looked.wait_count(1)
    s.heard(SessionState.ESTABLISHED)
    assert s.session.user_id == "bob"
    s.close()
    assert (anns.log, bobs.log) == ([], [])
