"""Authenticates an app's own HTTP client: `httpx2.AsyncClient(auth=session.auth())`."""

import contextlib
import inspect
from collections.abc import AsyncGenerator, Generator
from typing import Final, cast

from splus_session._errors import InvalidArgumentError, MissingExtraError, SplusSessionError

try:
    import httpx2
except ImportError:
    raise MissingExtraError("http") from None

from splus_session._failures import FailureKind
from splus_session.platform import _parse as parse
from splus_session.platform._meanings import Call, meaning
from splus_session.platform._peek import apeek, peek
from splus_session.ports import AsyncAuthorizer, Authorization, Authorizer

__all__ = ["SessionAuth"]

_HEADER: Final = "Authorization"
# Under this name a request remembers what we authorised it with. A request may come here again,
# as its app's retry or as the next hop of a redirect; then our header is told from the app's own.
_OURS: Final = "splus_session.authorization"


class SessionAuth(httpx2.Auth):
    """Authorises an httpx2 client's requests with a session's access token.

    - Every request that the app sends asks the session anew, so that no dead token leaves; one that
      comes during a login or a renewal waits for it. [EXPIRE-2] [EXPIRE-5]
    - Not so a redirect within the origin that httpx2 follows by itself, which it does only if told
      to: it copies the header and asks nobody. If the token expires or the session changes hands in
      that moment, the next hop still carries the old one. Where that matters, leave
      `follow_redirects` off and send `response.next_request`: that asks.
    - The header goes to the platform's origin only, and a request that has an `Authorization`
      header of the app's own is left alone. httpx2 drops the header where a redirect leaves the
      origin, except from `http` to `https` on the same host, which can only be this machine. [SECRET-2]
    - A 401 or 400100 is believed of our origin and our header only, and reported. If the session
      has another token then, the request is sent once more, provided that its body is in memory:
      a stream, a file or a multipart upload is not sent twice, and its app gets the 401.
      [EXPIRE-3]
    - A 400312 ends the session; the app gets that response. [BAN-3]

    To find these codes, error responses of up to 64 KiB are read here before the app gets them.
    They can still be streamed.

    Args:
        authorizer: the session; a threaded one for `httpx2.Client`, an async one for
            `httpx2.AsyncClient`.

    A request raises what `authorization()` raises: `NotAuthorizedError`, which says why there is
    no token and when to try again, or `SessionClosed`; and `InvalidArgumentError` if session and
    client are not of one kind.
    """

    def __init__(self, authorizer: Authorizer | AsyncAuthorizer) -> None:
        self._authorizer = authorizer
        self._origin = httpx2.URL(authorizer.origin).origin

    def sync_auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """What `httpx2.Client` runs for a request."""
        authorizer = _threaded(self._authorizer)
        if not self._is_ours_to_authorize(request):
            yield request
            return
        given = authorizer.authorization()
        response = yield _authorized(request, given)
        again = self._settle(authorizer, response, given)
        if again is not None:
            response = yield _authorized(response.request, again)
            self._settle(authorizer, response, again, is_last=True)

    def _settle(
        self,
        authorizer: Authorizer,
        response: httpx2.Response,
        given: Authorization,
        *,
        is_last: bool = False,
    ) -> Authorization | None:
        """Tell the session what the response says of its token; give what to send it again with."""
        if not self._is_about(response, given):
            return None
        body = peek(response)
        # The session may be closed or terminated by now: then the response says all there is.
        with contextlib.suppress(SplusSessionError):
            match _meaning(response, body):
                case FailureKind.BANNED:
                    authorizer.report_banned(given.attempt)
                case FailureKind.UNAUTHORIZED:
                    authorizer.report_rejected(given.attempt)
                    if not is_last and _can_be_sent_again(response, body):
                        return _other(given, authorizer.authorization())
                case _:
                    pass
        return None

    async def async_auth_flow(
        self, request: httpx2.Request
    ) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """What `httpx2.AsyncClient` runs for a request."""
        authorizer = _async(self._authorizer)
        if not self._is_ours_to_authorize(request):
            yield request
            return
        given = await authorizer.authorization()
        response = yield _authorized(request, given)
        again = await self._asettle(authorizer, response, given)
        if again is not None:
            response = yield _authorized(response.request, again)
            await self._asettle(authorizer, response, again, is_last=True)

    async def _asettle(
        self,
        authorizer: AsyncAuthorizer,
        response: httpx2.Response,
        given: Authorization,
        *,
        is_last: bool = False,
    ) -> Authorization | None:
        """See `_settle`."""
        if not self._is_about(response, given):
            return None
        body = await apeek(response)
        with contextlib.suppress(SplusSessionError):
            match _meaning(response, body):
                case FailureKind.BANNED:
                    await authorizer.report_banned(given.attempt)
                case FailureKind.UNAUTHORIZED:
                    await authorizer.report_rejected(given.attempt)
                    if not is_last and _can_be_sent_again(response, body):
                        return _other(given, await authorizer.authorization())
                case _:
                    pass
        return None

    def _is_ours_to_authorize(self, request: httpx2.Request) -> bool:
        """Whether the request goes to our origin and has no header of the app's own. [SECRET-2]"""
        ours = request.extensions.get(_OURS)
        if isinstance(ours, Authorization) and request.headers.get(_HEADER) == ours.header:
            del request.headers[_HEADER]
        return _HEADER not in request.headers and self._is_at_origin(request)

    def _is_about(self, response: httpx2.Response, given: Authorization) -> bool:
        """Whether this is an error that our origin answered to our header.

        The response may be to another request than ours: to one that a redirect led to.
        """
        sent = response.request
        return response.is_error and self._is_at_origin(sent) and sent.headers.get(_HEADER) == given.header

    def _is_at_origin(self, request: httpx2.Request) -> bool:
        return not request.url.is_relative_url and request.url.origin == self._origin


def _authorized(request: httpx2.Request, given: Authorization) -> httpx2.Request:
    request.headers[_HEADER] = given.header
    request.extensions[_OURS] = given
    return request


def _meaning(response: httpx2.Response, body: bytes | None) -> FailureKind | None:
    return meaning(Call.API, response.status_code, parse.code(parse.document(body)))


def _can_be_sent_again(response: httpx2.Response, body: bytes | None) -> bool:
    """Whether the request can be repeated to the letter.

    httpx2 reads a response to its end before it sends another request in its place, so that one
    whose end is not in sight is the last.
    """
    return body is not None and isinstance(response.request.stream, httpx2.ByteStream)


def _other(given: Authorization, now: Authorization) -> Authorization | None:
    """Another token of the same stay: one user's request is never sent again in another's name."""
    return now if now.session == given.session and now.attempt != given.attempt else None


def _threaded(authorizer: Authorizer | AsyncAuthorizer) -> Authorizer:
    if inspect.iscoroutinefunction(authorizer.authorization):
        raise InvalidArgumentError("an async session authorises an httpx2.AsyncClient")
    return cast("Authorizer", authorizer)


def _async(authorizer: Authorizer | AsyncAuthorizer) -> AsyncAuthorizer:
    if not inspect.iscoroutinefunction(authorizer.authorization):
        raise InvalidArgumentError("a threaded session authorises an httpx2.Client")
    return cast("AsyncAuthorizer", authorizer)
