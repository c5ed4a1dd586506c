"""The customer's backend: its own users and cookies, and its word for them. This is what you write."""

import secrets
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from splus_session import AccessToken
from splus_session.backend import AuthTokenIssuer, auth_token_route, visitor_signature_route
from splus_session.testing import FakePlatform

COOKIE = "customer-session"
PASSWORD = secrets.token_hex(16)
"""Everybody's, in the demo."""


class Customer:
    """A customer's service. Who somebody is, it knows from its own sign-in and from nothing else.

    Args:
        platform: whose server key and visitor secret it has; and whose mint it borrows, to stand for
            an identity provider of its own.
        platform_url: where to ask for auth tokens.
    """

    def __init__(self, platform: FakePlatform, platform_url: str) -> None:
        self._signed_in: dict[str, str] = {}
        self._mint: Callable[[str], AccessToken] = platform.issue_access_token
        issuer = AuthTokenIssuer(platform.server_key, endpoint=platform_url)
        self.app = Starlette(
            routes=[
                Route("/sign-in", self._sign_in, methods=["POST"]),
                Route("/sign-out", self._sign_out, methods=["POST"]),
                auth_token_route(issuer, self._who),
                Route("/api/auth/access-token", self._access_token, methods=["POST"]),
                visitor_signature_route(platform.visitor_secret, self._allow_visitor),
            ]
        )

    async def _who(self, request: Request) -> str | None:
        """Whom the request comes from."""
        return self._signed_in.get(request.cookies.get(COOKIE, ""))

    async def _allow_visitor(self, _request: Request, _device_id: str) -> bool:
        """Whether somebody may look around. Yours may want a proof that it is a human."""
        return True

    async def _sign_in(self, request: Request) -> JSONResponse:
        asked = await request.json()
        if not secrets.compare_digest(asked["password"], PASSWORD):
            return JSONResponse({"error": "wrong password"}, 401)
        cookie = secrets.token_hex(32)
        self._signed_in[cookie] = asked["userId"]
        response = JSONResponse({})
        response.set_cookie(COOKIE, cookie, httponly=True)
        return response

    async def _sign_out(self, request: Request) -> JSONResponse:
        self._signed_in.pop(request.cookies.get(COOKIE, ""), None)
        return JSONResponse({})

    async def _access_token(self, request: Request) -> JSONResponse:
        user_id = await self._who(request)
        if user_id is None:
            return JSONResponse({"error": "not signed in"}, 401)
        return JSONResponse({"accessToken": self._mint(user_id).reveal()})
