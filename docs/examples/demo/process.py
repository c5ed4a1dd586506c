"""An app as a process of its own, on threads instead of an event loop: for `killed.py` to start, and to kill.

It gets its orders by standard input, a line of JSON and then words, and says by standard output, in lines of
JSON, what its session tells. Secrets come that way, too: a command line is for all the machine to read.
"""

import json
import sys
from typing import Any

import httpx2

from splus_session import AuthToken, Change
from splus_session.ports import Renewal
from splus_session.stores.sqlite import SqliteStore
from splus_session.sync import Session


class App:
    """The customer's app, as `client.App` is, for threads."""

    def __init__(self, orders: dict[str, str]) -> None:
        self._user_id = orders["userId"]
        self._password = orders["password"]
        self._backend = httpx2.Client(base_url=orders["backend"])

    def auth_token(self) -> AuthToken:
        """The backend's word for its user."""
        signed_in = self._backend.post("/sign-in", json={"userId": self._user_id, "password": self._password})
        signed_in.raise_for_status()
        answer = self._backend.post("/api/auth/social-plus-token", json={"userId": self._user_id})
        return AuthToken(answer.raise_for_status().json()["authToken"])

    def session_will_renew_access_token(self, renewal: Renewal) -> None:
        """See `ports.SessionHandler`."""
        renewal.renew_with_auth_token(self.auth_token())


def main() -> None:
    """Resume the stored session, or log in; then do as told, until there is nothing more to do."""
    orders: dict[str, str] = json.loads(sys.stdin.readline())
    app = App(orders)
    session = Session(
        orders["apiKey"],
        endpoint=orders["platform"],
        session_handler=app,
        store=SqliteStore(orders["store"]),
    )
    with session:
        session.on_change(_tell)
        if session.user_id is None:
            session.login(orders["userId"], auth_token=app.auth_token())
        for order in sys.stdin:
            if order.strip() == "call the API":
                _call(session)
            else:
                session.logout()


def _call(session: Session) -> None:
    with httpx2.Client(base_url=session.origin, auth=session.auth()) as api:
        _say(status=api.get(f"/api/v3/users/{session.user_id}").status_code)


def _tell(change: Change) -> None:
    previous = change.previous and change.previous.value
    _say(state=change.state.value, previous=previous, reason=change.reason.value, at=change.at)


def _say(**said: Any) -> None:
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
