"""What a flight recorder kept, as messages between the app, the session, its backend and the platform."""

from collections.abc import Iterable, Iterator

from attrs import frozen

from splus_session._explain import describe
from splus_session._recorder import RecordedCommand, RecordedStep
from splus_session._states import SessionState
from splus_session._text import time_in_words

APP, SESSION, BACKEND, PLATFORM = "app", "session", "backend", "platform"
PARTICIPANTS = (APP, SESSION, BACKEND, PLATFORM)
"""From left to right. The backend is the customer's, asked through the handler."""


@frozen
class Message:
    """One thing that happened between two of them, or within the session."""

    sender: str
    receiver: str
    text: str
    in_vain: bool = False
    """Whether nothing came of it: it was refused or dropped."""

    @property
    def wrong(self) -> bool:
        """Nothing here should have been otherwise."""
        return False


_REQUESTS = {
    "login": "login",
    "login_with_access_token": "login with an access token",
    "login_as_visitor": "login as a visitor",
    "login_as_bot": "login as a bot",
    "resume": "resume what is stored",
    "logout": "logout",
    "secure_logout": "secure logout",
    "renew_now": "renew now",
}
_OF_THE_APP = {"login_cancelled": "cancel the login", "handlers_changed": "other handlers"}
_ANSWERS = {
    "session_opened": "logged in",
    "login_failed": "login failed",
    "token_renewed": "renewed",
    "renewal_failed": "renewal failed",
    "token_confirmed": "the token is alive",
    "token_refuted": "the token is dead",
    "verification_failed": "no verification",
    "token_revoked": "revoked",
    "revocation_doubted": "the token is not known",
    "revocation_failed": "revocation failed",
    "token_rejected": "a request was rejected",
    "token_orphaned": "a token that nobody waits for",
    "user_banned": "the user is banned",
    "user_deleted": "the user is deleted",
}
_HANDLER = {"renewal_answered": "here is something to renew with", "renewal_unable": "unable"}
_TIME = {
    "token_expired": "the token expires",
    "renewal_due": "a renewal is due",
    "answer_overdue": "the handler did not answer in time",
    "revocation_due": "the revocation is due",
}
_CAUSES = ((APP, _REQUESTS), (APP, _OF_THE_APP), (PLATFORM, _ANSWERS), (BACKEND, _HANDLER), (SESSION, _TIME))
_COMMANDS = {
    "OpenSession": (PLATFORM, "log in"),
    "Renew": (PLATFORM, "renew"),
    "Verify": (PLATFORM, "is the token alive?"),
    "Revoke": (PLATFORM, "revoke the token"),
    "RevokeOrphan": (PLATFORM, "revoke a token that nobody uses"),
    "AskRenewal": (BACKEND, "something to renew with, please"),
}


def messages(entries: Iterable[RecordedStep]) -> Iterator[Message]:
    """What was kept, message by message, and how much time passed between."""
    last: float | None = None
    for entry in entries:
        passed = 0.0 if last is None else round(entry.at - last, 3)
        if passed:
            words = time_in_words(abs(passed))
            text = f"{words} pass" if passed > 0 else f"the clock steps back by {words}"
            yield Message(SESSION, SESSION, text)
        last = entry.at
        yield from _of_step(entry)


def _of_step(entry: RecordedStep) -> Iterator[Message]:
    sender, text = _cause(entry.event)
    # A login's number is not its own: the session gives it.
    text += _numbered(entry.attempt) if sender is not APP else ""
    if entry.failure is not None:
        text += f": {describe(entry.failure)}"
    if entry.expires_at is not None and entry.dropped is None:
        left = round(entry.expires_at - entry.at)
        text += f", for {time_in_words(left)}" if left > 0 else ""
    is_refused = entry.dropped is not None and entry.event in _REQUESTS
    is_dropped = entry.dropped is not None and not is_refused
    text += f" - dropped: {entry.dropped}" if is_dropped else ""
    yield Message(sender, SESSION, text, in_vain=is_dropped)
    if is_refused:
        yield Message(SESSION, APP, f"refused: {entry.dropped}", in_vain=True)
    for asked in entry.commands:
        yield _command(asked, entry.after)


def _cause(event: str) -> tuple[str, str]:
    for sender, texts in _CAUSES:
        if event in texts:
            return sender, texts[event]
    raise KeyError(event)


def _command(asked: RecordedCommand, state: SessionState) -> Message:
    match asked.command:
        case "Persist":
            what = "store the session" if asked.detail == "store" else "delete what is stored"
            return Message(SESSION, SESSION, what)
        case "Announce":
            reason = "" if asked.reason is None else f" ({asked.reason.value})"
            return Message(SESSION, APP, f"is {state.value}{reason}")
        case "RunHook":
            return Message(SESSION, APP, f"run {asked.detail}")
        case "ReleaseWaiters":
            outcome = "is done" if asked.failure is None else f"failed: {describe(asked.failure)}"
            what = "what was waited for" if asked.attempt is None else f"attempt {asked.attempt}"
            return Message(SESSION, APP, f"{what} {outcome}")
        case _:
            receiver, text = _COMMANDS[asked.command]
            return Message(SESSION, receiver, text + _numbered(asked.attempt))


def _numbered(attempt: int | None) -> str:
    return "" if attempt is None else f" ({attempt})"
