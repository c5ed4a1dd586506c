"""The client: an app with a session, and handlers that ask the customer's backend. This is what you write."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import anyio
import httpx2

from docs.examples.demo.journal import Journal, Party
from docs.examples.demo.stage import PATIENCE, BrokenPromiseError
from docs.examples.demo.world import CONFIG, World
from splus_session import (
    AccessToken,
    AuthSignature,
    AuthToken,
    Change,
    HookCall,
    SessionState,
    SplusSessionError,
)
from splus_session.aio import Session
from splus_session.ports import Renewal

Error = TypeVar("Error", bound=SplusSessionError)


class BackendClient:
    """The customer's own API, as its app calls it. Cookies say who is signed in there."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    async def sign_in(self, user_id: str, password: str) -> None:
        """Sign in to the customer's own service, which has nothing to do with social.plus."""
        await self._post("/sign-in", {"userId": user_id, "password": password})

    async def sign_out(self) -> None:
        """Sign out there."""
        await self._post("/sign-out", {})

    async def vouches_for(self, user_id: str) -> bool:
        """Whether the backend gives its word for a user."""
        try:
            await self.auth_token(user_id)
        except httpx2.HTTPStatusError:
            return False
        return True

    async def auth_token(self, user_id: str) -> AuthToken:
        """The backend's word for a user: the one who is signed in, or it gives none."""
        answer = await self._post("/api/auth/social-plus-token", {"userId": user_id})
        return AuthToken(answer["authToken"])

    async def access_token(self) -> AccessToken:
        """An access token that the backend issues itself, for who is signed in."""
        return AccessToken((await self._post("/api/auth/access-token", {}))["accessToken"])

    async def visitor_signature(self, device_id: str) -> tuple[AuthSignature, str]:
        """The backend's signature of a visitor's device, and its expiry (ISO 8601)."""
        answer = await self._post("/api/visitor/auth-signature", {"deviceId": device_id})
        return AuthSignature(answer["authSignature"]), answer["authSignatureExpiresAt"]

    async def _post(self, path: str, body: dict[str, str]) -> dict[str, Any]:
        response = await self._http.post(path, json=body)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer


class App:
    """An app: a session that renews itself with the backend's help, and an API client that it authorises."""

    def __init__(self, backend: BackendClient, journal: Journal) -> None:
        self.backend = backend
        self.changes: list[Change] = []
        """What the session told, oldest first."""
        self.hooks: list[HookCall] = []
        """The side effects that ran, oldest first."""
        self.asked = 0
        """How often the session asked for something to renew with."""
        self.session: Session
        self.api: httpx2.AsyncClient
        self._journal = journal
        self._news = anyio.Condition()

    # ── What the session calls ──────────────────────────────────────────────────────────────────

    async def session_will_renew_access_token(self, renewal: Renewal) -> None:
        """Renew a user's session with a fresh auth token. See `ports.SessionHandler`."""
        self.asked += 1
        self._journal.write(Party.CLIENT, "the session asks its handler for an auth token")
        try:
            auth_token = await self.backend.auth_token(self.session.user_id or "")
        except httpx2.HTTPError:
            renewal.unable_to_retrieve_auth_token()
        else:
            renewal.renew_with_auth_token(auth_token)

    async def on_token_renew(self, user_id: str) -> AccessToken:
        """Renew a session whose access tokens the backend issues. See `ports.AccessTokenHandler`."""
        self.asked += 1
        self._journal.write(Party.CLIENT, f"the session asks its handler for an access token for {user_id}")
        return await self.backend.access_token()

    async def sign_device(self) -> tuple[AuthSignature, str]:
        """Have the backend sign this device, at a visitor's login and renewals."""
        self.asked += 1
        return await self.backend.visitor_signature(self.session.device_id)

    async def on_change(self, change: Change) -> None:
        """Show the user where the session is."""
        self.changes.append(change)
        self._journal.note_change(change)
        await self._tell()

    async def on_hook(self, call: HookCall) -> None:
        """Do what is to be done besides: here, only take it down."""
        self.hooks.append(call)
        self._journal.write(Party.CLIENT, f"the hook {call.hook} runs")
        await self._tell()

    # ── What the scenes ask ─────────────────────────────────────────────────────────────────────

    async def read_user(self, user_id: str) -> int:
        """Call the API as any app does, and give the status of the answer."""
        return (await self.api.get(f"/api/v3/users/{user_id}")).status_code

    def states_since(self, count: int) -> list[SessionState]:
        """The states that were told after the first `count` changes."""
        return [change.state for change in self.changes[count:]]

    def ran(self, hook: str) -> int:
        """How often a hook has run."""
        return sum(call.hook == hook for call in self.hooks)

    async def fails(self, what: str, call: Awaitable[object], kind: type[Error]) -> Error:
        """Do what the session will refuse, and give the error that says why.

        Raises:
            BrokenPromiseError: it did not refuse.
        """
        try:
            await call
        except kind as error:
            self._journal.write(Party.CLIENT, f"{what} raises {kind.__name__}: {error}")
            return error
        raise BrokenPromiseError(f"{what} raises {kind.__name__}")

    async def until(self, promise: str, kept: Callable[[], bool]) -> None:
        """Wait until something that the session tells of is so.

        Raises:
            BrokenPromiseError: it did not come to be in time.
        """
        with anyio.move_on_after(PATIENCE):
            async with self._news:
                while not kept():
                    await self._news.wait()
                return
        raise BrokenPromiseError(f"{promise} (waited {PATIENCE:g} s)")

    async def until_state(self, state: SessionState) -> None:
        """Wait until the session has told of a state."""
        await self.until(state.value, lambda: bool(self.changes) and self.changes[-1].state is state)

    async def until_ran(self, hook: str, times: int = 1) -> None:
        """Wait until a hook has run so many times."""
        await self.until(f"the hook {hook} runs", lambda: self.ran(hook) == times)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


class VisitorHandler:
    """Renews a visitor's session with a fresh signature of the device."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def session_will_renew_access_token(self, renewal: Renewal) -> None:
        """See `ports.SessionHandler`."""
        signature, expires_at = await self._app.sign_device()
        renewal.renew_with_auth_signature(signature, expires_at)


@asynccontextmanager
async def open_app(world: World, *, development: bool = False) -> AsyncIterator[App]:
    """An app while the block runs. In development it has no handlers: sessions renew themselves there."""
    async with httpx2.AsyncClient(base_url=world.backend_url) as http:
        app = App(BackendClient(http), world.journal)
        session = Session(
            world.platform.api_key,
            endpoint=world.platform_url,
            development=development,
            session_handler=None if development else app,
            access_token_handler=None if development else app,
            hooks=dict.fromkeys(("on_login", "on_renewal", "on_ban", "on_logout"), app.on_hook),
            config=CONFIG,
        )
        async with session, httpx2.AsyncClient(base_url=session.origin, auth=session.auth()) as api:
            app.session, app.api = session, api
            session.on_change(app.on_change)
            yield app
