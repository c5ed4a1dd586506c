"""Other token libraries, each holding a fresh token in memory, as functions that give a header.

They are installed by `make bench` into an environment of their own and imported by name, since
neither the tests nor the type checkers know them.
"""

import datetime
import importlib
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

TOKEN = "a-token-that-every-peer-holds"
HOUR = 3600


def _module(name: str) -> Any:
    return importlib.import_module(name)


def _google() -> tuple[Callable[[], object], Callable[[], Awaitable[object]]]:
    expiry = datetime.datetime.now(datetime.UTC).replace(tzinfo=None) + datetime.timedelta(hours=10)
    plain = _module("google.oauth2.credentials").Credentials(TOKEN, expiry=expiry)

    def header() -> object:
        headers: dict[str, str] = {}
        plain.before_request(None, "GET", "https://api.example", headers)
        return headers["authorization"]

    static = _module("google.auth.aio.credentials").StaticCredentials(TOKEN)

    async def aheader() -> object:
        headers: dict[str, str] = {}
        await static.before_request(None, "GET", "https://api.example", headers)
        return headers["authorization"]

    return header, aheader


def _botocore() -> tuple[Callable[[], object], Callable[[], Awaitable[object]]]:
    expiry = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=10)
    plain = _module("botocore.credentials").RefreshableCredentials(
        "id", "secret", TOKEN, expiry, dict, "bench"
    )
    aio = _module("aiobotocore.credentials").AioRefreshableCredentials(
        "id", "secret", TOKEN, expiry, dict, "bench"
    )

    def header() -> object:
        return "Bearer " + plain.get_frozen_credentials().token

    async def aheader() -> object:
        return "Bearer " + (await aio.get_frozen_credentials()).token

    return header, aheader


def _azure() -> tuple[Callable[[], object], Callable[[], Awaitable[object]]]:
    credentials = _module("azure.core.credentials")
    policies = _module("azure.core.pipeline.policies")
    pipeline = _module("azure.core.pipeline")
    http_request = _module("azure.core.rest").HttpRequest
    token = credentials.AccessTokenInfo(TOKEN, int(time.time()) + 10 * HOUR)

    class Credential:
        def get_token_info(self, *_: object, **__: object) -> object:
            return token

    class AsyncCredential:
        async def get_token_info(self, *_: object, **__: object) -> object:
            return token

        async def close(self) -> None: ...

    plain = policies.BearerTokenCredentialPolicy(Credential(), "scope")
    aio = policies.AsyncBearerTokenCredentialPolicy(AsyncCredential(), "scope")
    request = pipeline.PipelineRequest(
        http_request("GET", "https://api.example"), pipeline.PipelineContext(None)
    )
    plain.on_request(request)

    def header() -> object:
        plain.on_request(request)
        return request.http_request.headers["Authorization"]

    async def aheader() -> object:
        await aio.on_request(request)
        return request.http_request.headers["Authorization"]

    return header, aheader


def _authlib() -> tuple[Callable[[], object], Callable[[], Awaitable[object]]]:
    token = {"access_token": TOKEN, "token_type": "Bearer", "expires_at": int(time.time()) + 10 * HOUR}
    plain = _module("authlib.integrations.requests_client").OAuth2Session("id", token=dict(token))
    aio = _module("authlib.integrations.httpx_client").AsyncOAuth2Client("id", token=dict(token))

    def header() -> object:
        plain.ensure_active_token(plain.token)
        return plain.token_auth.prepare("https://api.example", {}, "")[1]["Authorization"]

    async def aheader() -> object:
        await aio.ensure_active_token(aio.token)
        return aio.token_auth.prepare("https://api.example", {}, "")[1]["Authorization"]

    return header, aheader


def _msal() -> tuple[Callable[[], object], None]:
    class Reply:
        status_code = 200

        def __init__(self, text: str) -> None:
            self.text = text
            self.headers: dict[str, str] = {}

        def raise_for_status(self) -> None: ...

    class Http:
        def get(self, *_: object, **__: object) -> Reply:
            authority = "https://login.microsoftonline.com/t"
            return Reply(
                json.dumps(
                    {
                        "authorization_endpoint": f"{authority}/a",
                        "token_endpoint": f"{authority}/b",
                        "issuer": f"{authority}/v2.0",
                    }
                )
            )

        def post(self, *_: object, **__: object) -> Reply:
            return Reply(json.dumps({"access_token": TOKEN, "expires_in": 36000, "token_type": "Bearer"}))

        def close(self) -> None: ...

    app = _module("msal").ConfidentialClientApplication(
        "id",
        client_credential="secret",
        authority="https://login.microsoftonline.com/t",
        http_client=Http(),
    )

    def header() -> object:
        return "Bearer " + app.acquire_token_for_client(["scope/.default"])["access_token"]

    return header, None


def _supabase() -> tuple[Callable[[], object], Callable[[], Awaitable[object]]]:
    auth = _module("supabase_auth")
    types = _module("supabase_auth.types")
    user = {
        "id": "u",
        "aud": "authenticated",
        "created_at": "2026-01-01T00:00:00Z",
        "app_metadata": {},
        "user_metadata": {},
    }
    session = types.Session(
        access_token=TOKEN,
        refresh_token="r",
        expires_in=10 * HOUR,
        expires_at=int(time.time()) + 10 * HOUR,
        token_type="bearer",
        user=types.User(**user),
    )
    options = {"url": "http://127.0.0.1:9", "auto_refresh_token": False, "persist_session": False}
    plain, aio = auth.SyncGoTrueClient(**options), auth.AsyncGoTrueClient(**options)
    # The state that a sign-in leaves behind; there is no public way in without a server.
    plain._in_memory_session = session
    aio._in_memory_session = session

    def header() -> object:
        return "Bearer " + plain.get_session().access_token

    async def aheader() -> object:
        return "Bearer " + (await aio.get_session()).access_token

    return header, aheader


PEERS: dict[str, Callable[[], tuple[Callable[[], object], Callable[[], Awaitable[object]] | None]]] = {
    "google-auth": _google,
    "botocore, aiobotocore": _botocore,
    "azure-core": _azure,
    "authlib": _authlib,
    "msal": _msal,
    "supabase_auth": _supabase,
}
