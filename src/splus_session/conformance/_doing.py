"""Doing actions: each by its name, and what follows from each, moment by moment."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from splus_session._text import time_in_words
from splus_session.conformance._actions import Action
from splus_session.conformance._answering import Answering
from splus_session.conformance._opening import Opening
from splus_session.conformance._sense import OF_CLIENT, Sense
from splus_session.conformance._sorting import MANY_ASKS, Sorting
from splus_session.conformance._stage import Stage
from splus_session.conformance._using import Using

PIECES: Final = 200
"""Into how many pieces one passing of time may fall."""


class Doing:
    """See the module."""

    def __init__(self, stage: Stage, sense: Sense, sorting: Sorting) -> None:
        self._stage = stage
        self._sense = sense
        self._sorting = sorting
        self._opening = Opening(stage, sorting)
        self._answering = Answering(stage, sorting)
        using, desk = Using(stage, sense, sorting), stage.desk
        self.plans: Mapping[str, Callable[[Action], None]] = {
            "app": self._answering.plan,
            "next": lambda action: desk.plan(action.how),
            "next_renewal": lambda action: desk.plan_renewal(action.how),
            "next_call": lambda action: desk.plan_call(action.how),
            "hold": lambda _: desk.plan("hold"),
            "platform": self._administer,
            "skew": self._skew,
        }
        """Actions that show nothing yet: no moment follows."""
        self.acts: Mapping[str, Callable[[Action], None]] = {
            "open": self._opening.open,
            "close": self._opening.close,
            "kill": self._opening.kill,
            "login": using.login,
            "login_with_access_token": using.login_with_access_token,
            "login_as_visitor": using.login_as_visitor,
            "login_as_bot": using.login_as_bot,
            "cancel": using.cancel,
            "logout": using.logout,
            "secure_logout": using.secure_logout,
            "renew_now": using.renew_now,
            "set_access_token_handler": using.set_access_token_handler,
            "handle": using.handle,
            "observe": using.observe,
            "call": using.call,
            "realtime": using.realtime,
            "answer": self._answering.answer,
            "release": self._release,
            "jump": self._jump,
        }
        """Actions that a moment follows, or several."""
        self.passings: Mapping[str, Callable[[Action], Iterator[None]]] = {
            "until": self._until,
            "advance": lambda action: self._pass("advance", action.seconds),
            "sleep": lambda action: self._pass("sleep", action.seconds),
        }
        """Actions that take time, with moments of their own."""

    def do(self, action: Action) -> Iterator[None]:
        """Do it; yields when a moment is over."""
        if action.do in OF_CLIENT and action.client not in self._stage.clients:
            self._opening.open(Action("open", action.client))
            yield from self._what_follows()
        if action.do in self.plans:
            self.plans[action.do](action)
        elif action.do in self.passings:
            yield from self.passings[action.do](action)
        else:
            self.acts[action.do](action)
            yield from self._what_follows()

    def _what_follows(self) -> Iterator[None]:
        """First what the client did by itself, then the app's answers."""
        self._sorting.digest()
        yield
        for _ in range(MANY_ASKS):  # a client may ask again as soon as it is answered, and never end
            if not self._answering.answer_next():
                return
            self._sorting.digest()
            yield

    # ── The platform ────────────────────────────────────────────────────────────────────────────

    def _administer(self, action: Action) -> None:
        client = self._stage.clients.get("a")
        user = (client and client.oracle.snapshot.user_id) or "ann"
        self._stage.desk.administer(action.how, user)

    def _release(self, action: Action) -> None:
        self._stage.desk.release(action.how)
        self._stage.talk.ask_again()
        self._stage.talk.settle()

    # ── Time ────────────────────────────────────────────────────────────────────────────────────

    def _skew(self, action: Action) -> None:
        self._stage.clock.jump(action.seconds)
        self._stage.hail(keep=False)

    def _jump(self, action: Action) -> None:
        for client in self._stage.clients.values():
            client.set_back = client.set_back or action.seconds < 0
            client.oracle.not_before += min(0.0, action.seconds)
        self._stage.clock.jump(action.seconds)
        self._tell_time("jump", action.seconds)

    def _until(self, action: Action) -> Iterator[None]:
        when = self._sense.time_of(action)
        assert when is not None  # noqa: S101  the action makes sense
        return self._pass("advance", when - self._stage.clock.now())

    def _pass(self, how: str, seconds: float) -> Iterator[None]:
        """Let time pass; while the machine is awake in pieces: each ends when something is due."""
        clock = self._stage.clock
        end = clock.now() + seconds
        for _ in range(PIECES):
            now = clock.now()
            if now >= end:
                return
            dues = [due for client in self._stage.open_clients() for due in client.oracle.dues()]
            if how == "advance":
                piece = min([end, *(due for due in dues if now < due < end)]) - now
                clock.advance(piece)
            else:
                piece = end - now
                clock.sleep(piece)
            self._tell_time(how, piece)
            yield from self._what_follows()

    def _tell_time(self, how: str, seconds: float) -> None:
        in_real_time = self._stage.in_real_time
        words = time_in_words(seconds)
        self._stage.note("kit", "client", f"{words} pass" if in_real_time else f"{how} {words}")
        for client in self._stage.clients.values():
            client.notes["time"], client.notes["seconds"] = how, seconds
            if client.is_open:
                client.oracle.advance(self._stage.clock.now())
        if in_real_time:
            self._stage.talk.ask_again()
        else:
            self._stage.commands += 1
            self._stage.talk.send({"do": how, "seconds": seconds})
        self._stage.talk.settle()
