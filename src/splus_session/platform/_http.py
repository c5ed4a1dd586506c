"""What both drivers share of httpx2: how a client is set up, and how a request becomes its own."""

import functools
import logging
import math
import ssl
from collections.abc import Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final

import httpx2

from splus_session._errors import ConfigurationError
from splus_session.platform._endpoint import Endpoint
from splus_session.platform._wire import Body, Reply, Request

DEFAULT_TIMEOUT: Final = 30.0
"""How long one request may take, all in all, in seconds."""

TIMEOUT: Final = "timeout"
"""Why there is no answer, if time ran out first."""

_log = logging.getLogger("splus_session.platform")


def client_options(endpoint: Endpoint) -> dict[str, Any]:
    """How a client of our own talks to the platform.

    - TLS is verified, against the system's certificates, which are read once for all sessions.
    - No cookie is kept: it could hold a token longer than the session does. [LOGOUT-5]
    - No connection is kept: requests are hours apart, and one over a connection that the platform
      has closed meanwhile would fail without anybody knowing whether it was carried out.
    - Proxies and certificates that the environment names are used, since many a network has no
      other way out and TLS goes through a proxy unread; but not to this machine itself, where
      plain http is allowed and a proxy would read it. [SECRET-2]
    """
    return {
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=())),
        "follow_redirects": False,
        "limits": httpx2.Limits(max_keepalive_connections=0),
        "timeout": None,
        "trust_env": not endpoint.is_loopback,
        "verify": _trust(),
    }


@functools.cache
def _trust() -> ssl.SSLContext:
    # Reading the certificates takes tens of milliseconds, in which an event loop would stand still.
    return httpx2.create_ssl_context()


def checked_timeout(timeout: float) -> float:
    """The timeout.

    Raises:
        ConfigurationError: not a positive, finite number of seconds.
    """
    if not 0 < timeout < math.inf:
        raise ConfigurationError(f"a timeout is a positive number of seconds, got {timeout!r}")
    return timeout


def to_httpx2(endpoint: Endpoint, asked: Request, extensions: dict[str, Any]) -> httpx2.Request:
    """The request as httpx2 sends it. A client's own headers, cookies and base URL stay out of it."""
    return httpx2.Request(
        asked.method,
        endpoint.origin + asked.path,
        headers=asked.headers(),
        content=asked.body(),
        extensions=extensions,
    )


def to_reply(response: httpx2.Response, body: Body, sent_at: float, received_at: float) -> Reply:
    """The answer as the wire format reads it."""
    return Reply(response.status_code, response.headers, body.whole(), sent_at, received_at)


def log_silence(endpoint: Endpoint, asked: Request, reason: str) -> None:
    """Log that there is no answer."""
    _log.debug("no answer from %s to %s %s: %s", endpoint.origin, asked.method, asked.path, reason)


def why(error: Exception) -> str:
    """What went wrong, by the names of the errors alone: their messages may quote a header."""
    return " < ".join(type(cause).__name__ for cause in _causes(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
