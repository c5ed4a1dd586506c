import hashlib
import hmac
import logging
from collections.abc import Callable
from typing import Any

import pytest

from splus_session import (
    AccessToken,
    AuthTokenRequiredError,
    ChangeReason,
    ConfigurationError,
    HandlerRequiredError,
    InterruptedByError,
    InvalidAccessTokenError,
    InvalidArgumentError,
    InvalidHandlerError,
    Limits,
    MalformedAnswerError,
    NotAllowedError,
    NotAuthorizedError,
    NotLoggedInError,
    PlatformError,
    RefusedError,
    SessionClosed,
    SessionState,
    TerminationReason,
    UnavailableError,
    UserBannedError,
    UserDeletedError,
)
from splus_session import Config as SessionConfig
from splus_session.platform import Endpoint as Place
from splus_session.stores import MemoryStore
from splus_session.testing import Endpoint, FakePlatform, Fault, ManualClock, TokenTerms, faults
from tests.drivers.conftest import OpenStage
from tests.drivers.faces import Face
from tests.drivers.stage import Asked, Stage, Vouching


def nothing_is_left(stage: Stage) -> None:
    """[LOGIN-3]: no credential, header, timer or identity."""
    assert stage.session.state is SessionState.NOT_LOGGED_IN
    assert stage.session.user_id is None
    assert stage.session._engine.live is None
    assert stage.session._engine.tick() is None, "no timer is left"
    with pytest.raises(NotLoggedInError):
        stage.call("authorization")


@pytest.mark.requirement("LOGIN-2", "OBSERVE-4")
def test_a_login_returns_established_with_everything_in_place(stage: OpenStage) -> None:
    s = stage()
    s.log_in(display_name="Ann")
    assert s.state is SessionState.ESTABLISHED
    assert s.session.user_id == "ann"
    [token] = s.fake.tokens_of("ann")
    assert s.call("authorization").header == f"Bearer {token.token.reveal()}"
    assert s.fake.user("ann").display_name == "Ann"
    change = s.heard(SessionState.ESTABLISHED)
    assert (change.previous, change.reason) == (SessionState.ESTABLISHING, ChangeReason.LOGGED_IN)
    assert change.at == s.clock.now()


@pytest.mark.requirement("LOGIN-2")
def test_an_observer_that_hears_of_a_login_finds_it_usable(stage: OpenStage) -> None:
    s, found = stage(), []

    def look(change: Any) -> None:
        if change.state is SessionState.ESTABLISHED:
            found.append((s.session.user_id, s.session._engine.live is not None))

    s.session.on_change(look)
    s.log_in()
    s.heard(SessionState.ESTABLISHED)
    s.close()
    assert found == [("ann", True)]


@pytest.mark.requirement("LOGIN-1")
def test_what_an_error_says_is_possible_is_a_method_of_the_session(stage: OpenStage) -> None:
    s = stage()
    refused = s.failure(s.start("renew_now"))
    assert isinstance(refused, NotAllowedError)
    assert "login" in refused.allowed
    assert [name for name in refused.allowed if not hasattr(s.session, name)] == []
    assert "resume" not in str(refused)


@pytest.mark.requirement("LOGIN-1")
@pytest.mark.parametrize("again", ["login", "login_as_visitor", "login_as_bot"])
def test_a_login_elsewhere_than_from_not_logged_in_is_refused_and_sends_nothing(
    again: str, stage: OpenStage
) -> None:
    s = stage(development=True)
    hold = s.fake.hold(Endpoint.LOGIN)
    first = s.start("login", "ann", auth_token=s.fake.issue_auth_token("ann"))
    hold.arrived.wait()
    arguments = ("bob",) if again == "login" else ()
    while_establishing = s.failure(s.start(again, *arguments))
    assert isinstance(while_establishing, NotAllowedError)
    assert while_establishing.state is SessionState.ESTABLISHING
    assert while_establishing.allowed == ("logout",)
    hold.release()
    first.result()
    while_established = s.failure(s.start(again, *arguments))
    assert isinstance(while_established, NotAllowedError)
    assert "established" in str(while_established)
    assert "logout" in while_established.allowed
    assert len(s.fake.requests) == 1


FAILURES: list[tuple[list[Fault], type[PlatformError], bool]] = [
    ([faults.error(401, 400100, "Unauthorized")], RefusedError, False),
    ([faults.drop()], UnavailableError, True),
    ([faults.drop(carried_out=True)], UnavailableError, True),
    ([faults.server_error(503)], UnavailableError, True),
    ([faults.rate_limited(7)], UnavailableError, True),
    ([faults.malformed()], MalformedAnswerError, False),
    ([faults.not_an_object()], MalformedAnswerError, False),
    ([faults.wrong_user("mallory")], MalformedAnswerError, False),
    ([faults.expired_on_arrival()], MalformedAnswerError, False),
    ([faults.error(403, 400312, "banned")], UserBannedError, False),
    ([faults.flagged("isGlobalBan")], UserBannedError, False),
    ([faults.flagged("isGlobalBanned")], UserBannedError, False),
    ([faults.flagged("isDeleted")], UserDeletedError, False),
]


@pytest.mark.requirement("LOGIN-3", "LOGIN-5")
@pytest.mark.parametrize(("what", "error", "retryable"), FAILURES, ids=lambda x: getattr(x, "__name__", None))
def test_a_failed_login_leaves_nothing_and_says_whose_move_it_is(
    what: list[Fault], error: type[PlatformError], retryable: bool, stage: OpenStage
) -> None:
    s = stage()
    s.fake.fail(Endpoint.LOGIN, *what)
    raised = s.failure(s.start("login", "ann", auth_token=s.fake.issue_auth_token("ann")))
    assert type(raised) is error
    assert (raised.retryable, raised.state) == (retryable, SessionState.NOT_LOGGED_IN)
    reasons = {
        UserBannedError: TerminationReason.GLOBAL_BAN,
        UserDeletedError: TerminationReason.USER_DELETED,
    }
    assert s.heard(SessionState.NOT_LOGGED_IN).reason is reasons.get(error, ChangeReason.LOGIN_FAILED)
    nothing_is_left(s)
    s.log_in()
    assert s.state is SessionState.ESTABLISHED, "and the next one works"


@pytest.mark.requirement("LOGIN-5")
@pytest.mark.parametrize("admitted", [False, True])
@pytest.mark.parametrize(("act", "error"), [("ban", UserBannedError), ("delete", UserDeletedError)])
def test_a_banned_or_deleted_user_gets_a_typed_error(
    act: str, error: type[PlatformError], admitted: bool, stage: OpenStage
) -> None:
    s = stage()
    s.fake.rules.admits_banned = admitted
    getattr(s.fake, act)("ann")
    raised = s.failure(s.start("login", "ann", auth_token=s.fake.issue_auth_token("ann")))
    assert type(raised) is error
    nothing_is_left(s)


@pytest.mark.requirement("LOGIN-3")
def test_a_login_that_takes_too_long_fails(face: Face, fake: FakePlatform, stage: OpenStage) -> None:
    platform = fake.client(timeout=5.0) if face.name == "sync" else fake.async_client(timeout=5.0)
    s = stage(platform=platform)
    hold = fake.hold(Endpoint.LOGIN)
    login = s.start("login", "ann", auth_token=fake.issue_auth_token("ann"))
    hold.arrived.wait()
    s.clock.advance(5.0)
    assert isinstance(s.failure(login), UnavailableError)
    nothing_is_left(s)
    hold.release()


@pytest.mark.requirement("LOGIN-3")
@pytest.mark.parametrize("error", [ZeroDivisionError, None], ids=["raises", "answers nothing"])
def test_a_platform_adapter_that_gives_no_answer_counts_as_unreachable(
    error: type[Exception] | None, face: Face, stage: OpenStage
) -> None:
    class Broken:
        def open_session(self, grant: object, *, device_id: str) -> Any:
            if error is not None:
                raise error

    class AsyncBroken:
        async def open_session(self, grant: object, *, device_id: str) -> Any:
            Broken().open_session(grant, device_id=device_id)

    s = stage(platform=Broken() if face.name == "sync" else AsyncBroken())
    assert isinstance(s.failure(s.start("login", "ann", auth_token="word")), UnavailableError)
    nothing_is_left(s)


@pytest.mark.requirement("LOGIN-3")
def test_who_calls_too_often_hears_when_to_come_again(fake: FakePlatform, stage: OpenStage) -> None:
    s = stage()
    for given, told in ((30, s.clock.now() + 30.0), (None, None)):
        fake.fail(Endpoint.LOGIN, faults.rate_limited(given))
        error = s.failure(s.start("login", "ann", auth_token="word"))
        assert isinstance(error, PlatformError)
        assert error.retry_at == told
        assert error.retryable


@pytest.mark.requirement("LOGIN-4")
def test_production_login_needs_an_auth_token_and_sends_nothing_without(stage: OpenStage) -> None:
    s = stage()
    raised = s.failure(s.start("login", "ann"))
    assert isinstance(raised, AuthTokenRequiredError)
    assert s.fake.requests == ()
    assert s.states == [SessionState.NOT_LOGGED_IN]


@pytest.mark.requirement("LOGIN-4", "CLIENT-1")
def test_development_login_takes_a_user_id_alone_and_says_so_once(
    stage: OpenStage, caplog: pytest.LogCaptureFixture
) -> None:
    s = stage(development=True)
    s.fake.rules.secure_mode = False
    for _ in range(2):
        s.call("login", "ann")
        s.call("logout")
    said = [record for record in caplog.records if "development" in record.getMessage()]
    assert [record.levelno for record in said] == [logging.WARNING]


@pytest.mark.requirement("LOGIN-6")
@pytest.mark.parametrize("brings", [(), (faults.wrong_user("mallory"),), (faults.flagged(),)])
def test_a_late_answers_token_is_revoked_and_changes_nothing(
    brings: tuple[Fault, ...], stage: OpenStage
) -> None:
    s = stage()
    hold = s.fake.hold(Endpoint.LOGIN, carried_out=True)
    if brings:
        s.fake.mend()
        s.fake.fail(Endpoint.LOGIN, hold.fault(carried_out=True), *brings)
    gone = s.fake.hold(Endpoint.REVOKE, carried_out=True)
    login = s.start("login", "ann", auth_token=s.fake.issue_auth_token("ann"))
    hold.arrived.wait()
    s.call("logout")
    assert isinstance(s.failure(login), InterruptedByError)
    hold.release()
    gone.arrived.wait()
    gone.release()
    assert not any(t.is_alive(s.fake.now()) for u in ("ann", "mallory") for t in s.fake.tokens_of(u))
    nothing_is_left(s)


@pytest.mark.requirement("LOGIN-7")
def test_an_access_token_login_is_refused_before_anything_is_sent(
    fake: FakePlatform, stage: OpenStage
) -> None:
    handler = AccessTokens(fake)
    s = stage()
    token = fake.issue_access_token("ann")
    assert isinstance(s.failure(s.start("login_with_access_token", token)), HandlerRequiredError)
    s.session.set_access_token_handler(handler)
    dead = fake.issue_access_token("ann", TokenTerms(lifetime=10.0, age=60.0))
    for bad in ("no JWT", "e30.e30.x", "e30.W10.x", dead):
        assert isinstance(s.failure(s.start("login_with_access_token", bad)), InvalidAccessTokenError)
    for bad_argument in ("", 7, None):
        assert isinstance(s.failure(s.start("login_with_access_token", bad_argument)), InvalidArgumentError)
    assert fake.requests == ()
    assert s.states == [SessionState.NOT_LOGGED_IN]


class AccessTokens:
    """A customer's own identity provider."""

    def __init__(self, fake: FakePlatform) -> None:
        self.fake = fake
        self.asked: list[str] = []

    def on_token_renew(self, user_id: str) -> AccessToken:
        self.asked.append(user_id)
        return self.fake.issue_access_token(user_id)


@pytest.mark.requirement("LOGIN-7", "RENEW-10")
def test_an_access_token_is_verified_and_then_used_and_renewed(fake: FakePlatform, stage: OpenStage) -> None:
    handler = AccessTokens(fake)
    s = stage(access_token_handler=handler)
    token = fake.issue_access_token("ann")
    fake.fail(Endpoint.VERIFY, faults.server_error())
    away = s.failure(s.start("login_with_access_token", token))
    assert isinstance(away, UnavailableError)
    assert away.retryable
    s.call("login_with_access_token", token)
    assert s.session.user_id == "ann"
    assert s.call("authorization").header.endswith(token.reveal())
    s.expire()
    s.heard(SessionState.ESTABLISHED)
    assert handler.asked == ["ann"]
    [_, verified] = fake.requests_to(Endpoint.VERIFY)[-2:]
    assert s.call("authorization").header.endswith(
        verified.access_token.reveal() if verified.access_token else "?"
    )


@pytest.mark.requirement("LOGIN-7")
def test_a_refuted_access_token_does_not_log_in(fake: FakePlatform, stage: OpenStage) -> None:
    s = stage(access_token_handler=AccessTokens(fake))
    token = fake.issue_access_token("ann")
    fake.revoke(token)
    assert isinstance(s.failure(s.start("login_with_access_token", token)), RefusedError)
    nothing_is_left(s)


@pytest.mark.requirement("LOGIN-8", "RENEW-12")
@pytest.mark.parametrize(
    ("method", "endpoint"),
    [("login_as_visitor", Endpoint.VISITOR_LOGIN), ("login_as_bot", Endpoint.BOT_LOGIN)],
)
def test_visitors_and_bots_live_alike_and_renew_at_their_own_endpoint(
    method: str, endpoint: Endpoint, stage: OpenStage
) -> None:
    s = stage()
    s.call(method)
    assert s.session.user_id is not None
    for _ in range(2):
        s.expire()
        s.heard(SessionState.ESTABLISHED)
    assert len(s.fake.requests) == len(s.fake.requests_to(endpoint)) == 3
    assert {request.device_id for request in s.fake.requests} == {s.session.device_id}
    s.call("secure_logout")
    assert s.state is SessionState.NOT_LOGGED_IN


@pytest.mark.requirement("LOGIN-8", "RENEW-4")
def test_a_signed_visitor_renews_with_a_fresh_signature(fake: FakePlatform, stage: OpenStage) -> None:
    fake.rules.signed_visitors = True

    def sign() -> tuple[str, str]:
        until = "9999-01-01T00:00:00.000Z"
        text = f"deviceId={s.session.device_id}&authSignatureExpiresAt={until}"
        return hmac.digest(fake.visitor_secret.reveal().encode(), text.encode(), hashlib.sha256).hex(), until

    s = stage(session_handler=Asked(lambda renewal: renewal.renew_with_auth_signature(*sign())))
    signature, until = sign()
    s.call("login_as_visitor", auth_signature=signature, auth_signature_expires_at=until)
    s.expire()
    s.heard(SessionState.ESTABLISHED)
    assert len(fake.requests_to(Endpoint.VISITOR_LOGIN)) == 2


@pytest.mark.requirement("LOGIN-8")
def test_an_expiry_without_the_signature_that_it_is_of_is_refused(stage: OpenStage) -> None:
    s = stage()
    call = s.start("login_as_visitor", auth_signature_expires_at="2999-01-01T00:00:00.000Z")
    assert isinstance(s.failure(call), InvalidArgumentError)
    assert s.fake.requests == ()


@pytest.mark.requirement("LOGIN-9", "EXPIRE-5")
@pytest.mark.parametrize("how", ["logout", "ban", "deletion"])
def test_whatever_ends_a_login_on_its_way_ends_its_waiting_at_once(how: str, stage: OpenStage) -> None:
    s = stage()
    hold = s.fake.hold(Endpoint.LOGIN)
    login = s.start("login", "ann", auth_token=s.fake.issue_auth_token("ann"))
    hold.arrived.wait()
    header = s.start("authorization")
    expected: type[Exception] = InterruptedByError
    match how:
        case "logout":
            s.call("logout")
        case "ban":
            s.session.note_ban("ann")
            expected = UserBannedError
        case _:
            s.session.note_deletion("ann")
            expected = UserDeletedError
    assert type(s.failure(login)) is expected
    assert isinstance(s.failure(header), NotLoggedInError)
    nothing_is_left(s)
    hold.release()


@pytest.mark.requirement("LOGIN-9", "CLIENT-3")
def test_closing_ends_a_login_on_its_way(stage: OpenStage) -> None:
    s = stage()
    hold = s.fake.hold(Endpoint.LOGIN)
    login = s.start("login", "ann", auth_token=s.fake.issue_auth_token("ann"))
    hold.arrived.wait()
    s.close()
    assert isinstance(s.failure(login), SessionClosed)
    hold.release()


@pytest.mark.requirement("LOGIN-10")
def test_what_the_platform_would_not_take_is_never_sent(stage: OpenStage) -> None:
    s = stage(config=SessionConfig(limits=Limits(user_id=5)))
    for arguments in (
        {"user_id": ""},
        {"user_id": "  "},
        {"user_id": "toolong"},
        {"user_id": None},
        {"user_id": "an\ud83d"},
        {"user_id": "ann", "display_name": "x" * 101},
        {"user_id": "ann", "display_name": "Ann \ud83d"},
        {"user_id": "ann", "auth_token": "x" * 101},
        {"user_id": "ann", "auth_token": ""},
        {"user_id": "ann", "auth_token": AccessToken("another kind of secret")},
    ):
        named: dict[str, Any] = {"auth_token": "word", **arguments}
        assert isinstance(s.failure(s.start("login", **named)), InvalidArgumentError), arguments
    visitor = s.failure(s.start("login_as_visitor", auth_signature="signature"))
    assert isinstance(visitor, InvalidArgumentError)
    assert s.fake.requests == ()
    assert s.states == [SessionState.NOT_LOGGED_IN]


@pytest.mark.requirement("LOGIN-10")
def test_the_device_id_is_stable_per_store(face: Face, fake: FakePlatform, clock: ManualClock) -> None:
    from splus_session.stores import MemoryStore

    store, other, ids = MemoryStore(), MemoryStore(), []
    for each in (store, store, other):
        with Stage(face, fake, clock, store=each) as s:
            s.log_in()
            ids.append(s.session.device_id)
            s.call("logout")
    assert ids[0] == ids[1] != ids[2]
    assert [request.device_id for request in fake.requests] == ids


@pytest.mark.requirement("LOGIN-10")
def test_a_device_id_is_not_known_before_opening(face: Face) -> None:
    with pytest.raises(SessionClosed):
        _ = face.make(api_key="key").device_id


@pytest.mark.requirement("CLIENT-1")
@pytest.mark.parametrize(
    "arguments",
    [
        {"api_key": ""},
        {"api_key": None},
        {"api_key": "key", "region": "mars"},
        {"api_key": "key", "endpoint": "http://elsewhere.example"},
        {"api_key": "key", "endpoint": "no url"},
        {"api_key": "key", "endpoint": 123},
        {"api_key": "key", "region": ["sg"]},
        {"api_key": "key", "region": "mars", "endpoint": "https://of.our.own"},
        {"api_key": "key", "region": "eu", "endpoint": "https://of.our.own"},
        {"api_key": "key", "region": "sg", "endpoint": Place("https://of.our.own")},
        {"api_key": "key", "config": {}},
        {"api_key": "key", "store": object()},
    ],
)
def test_a_session_that_could_go_nowhere_is_not_made(arguments: dict[str, Any], face: Face) -> None:
    with pytest.raises(ConfigurationError):
        face.make(**arguments)


@pytest.mark.requirement("CLIENT-1")
def test_where_a_session_goes(face: Face) -> None:
    assert face.make(api_key="key").origin == face.make(api_key="key", region="sg").origin
    assert face.make(api_key="key", region="eu").origin != face.make(api_key="key").origin
    assert face.make(api_key="key", endpoint="http://127.0.0.1:9").origin == "http://127.0.0.1:9"
    assert face.make(api_key="key", endpoint="https://of.our.own").origin == "https://of.our.own"


@pytest.mark.requirement("RENEW-12")
def test_a_production_login_without_a_handler_is_warned_and_fails_its_waiters_at_expiry(
    stage: OpenStage, caplog: pytest.LogCaptureFixture
) -> None:
    s = stage()
    s.log_in()
    assert [r for r in caplog.records if r.levelno == logging.WARNING and "handler" in r.getMessage()]
    s.expire()
    for call in ("authorization", "renew_now"):
        error = s.failure(s.start(call))
        assert isinstance(error, HandlerRequiredError)
        assert isinstance(error, NotAuthorizedError), "who asks for a header catches all that denies it"
    s.session.set_session_handler(Vouching(s.fake))
    s.heard(SessionState.ESTABLISHED)


@pytest.mark.requirement("HANDLER-2")
@pytest.mark.parametrize("argument", [7, object(), "handler"])
def test_a_handler_of_the_wrong_shape_is_an_error_at_once(argument: object, stage: OpenStage) -> None:
    s = stage()
    for setter in (s.session.set_session_handler, s.session.set_access_token_handler):
        with pytest.raises(InvalidHandlerError):
            setter(argument)
    assert isinstance(
        s.failure(s.start("login", "ann", auth_token="w", session_handler=argument)), InvalidHandlerError
    )
    assert s.fake.requests == ()


@pytest.mark.requirement("HANDLER-2")
def test_a_handlers_class_in_place_of_an_instance_is_refused_in_these_words(stage: OpenStage) -> None:
    class Later:
        async def session_will_renew_access_token(self, renewal: Any) -> None: ...

    class Static:
        @staticmethod
        def session_will_renew_access_token(renewal: Any) -> None: ...

    s = stage()
    for handler in (Vouching, Later):
        words = f"pass an instance of {handler.__name__} as the handler, not the class"
        with pytest.raises(InvalidHandlerError, match=words):
            s.session.set_session_handler(handler)
    with pytest.raises(InvalidHandlerError, match="str has none"):
        s.session.set_session_handler(str)
    s.session.set_session_handler(Static)


@pytest.mark.requirement("LOGIN-3")
def test_who_did_not_answer_is_named_by_its_origin(face: Face, fake: FakePlatform, stage: OpenStage) -> None:
    with fake.serve() as server:
        origin = server.url
    s = stage(platform=None, endpoint=origin)
    assert str(s.failure(s.start("login", "ann", auth_token="w"))).endswith(f"did not answer at {origin}")
    fake.fail(Endpoint.LOGIN, faults.drop())
    s = stage(platform=face.platform(fake))
    assert str(s.failure(s.start("login", "ann", auth_token="w"))).endswith("did not answer"), "not known"


@pytest.mark.requirement("LOGIN-10")
@pytest.mark.parametrize("given", ["", " ", None, 7, "x" * (Limits().device_id + 1)])
def test_a_device_id_of_the_stores_that_cannot_be_is_refused_at_the_opening(
    given: Any, face: Face, fake: FakePlatform
) -> None:
    class Careless(MemoryStore):
        def device_id(self, make: Callable[[], str]) -> str:
            found: str = given
            return found

    session = face.make(api_key=fake.api_key, platform=face.platform(fake), store=Careless())
    with pytest.raises(InvalidArgumentError), face.open(session):
        pass
