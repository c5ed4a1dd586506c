"""The platform for threaded sessions: over HTTP."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from splus_session._errors import MissingExtraError

try:
    import httpx2
except ImportError:
    raise MissingExtraError("http") from None

from splus_session._credentials import Grant
from splus_session._secrets import AccessToken, ApiKey
from splus_session.platform import _wire as wire
from splus_session.platform._endpoint import Endpoint, wrap_api_key
from splus_session.platform._http import (
    DEFAULT_TIMEOUT,
    TIMEOUT,
    checked_timeout,
    client_options,
    log_silence,
    to_httpx2,
    to_reply,
    why,
)
from splus_session.ports import Answer

__all__ = ["HttpPlatform"]


class HttpPlatform:
    """The platform over HTTP: a `Platform`. Its methods never raise; call them from any thread.

    Args:
        endpoint: where it is.
        api_key: names the application there.
        timeout: how long one request may take from its start to its last byte, in seconds.
        client: what sends the requests; it stays open when this object is closed. Its transport,
            proxies and certificates are used; its headers, cookies, authentication and base URL
            are not, and it follows no redirect. None: a client of our own.
        now: our clock, UTC seconds.

    Raises:
        ConfigurationError: an API key or a timeout that cannot be. [CLIENT-1]
    """

    def __init__(
        self,
        endpoint: Endpoint,
        api_key: ApiKey | str,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        client: httpx2.Client | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        try:
            self._api_key = wrap_api_key(api_key)
        finally:
            del api_key  # or the traceback of a refusal would show it
        self._endpoint = endpoint
        self._timeout = checked_timeout(timeout)
        self._client = client or httpx2.Client(**client_options(endpoint))
        self._owns_client = client is None
        self._now = now
        self._flights: set[_Flight] = set()

    def open_session(self, grant: Grant, *, device_id: str) -> Answer:
        """Log in or renew; see `Platform.open_session`. [LOGIN-8]"""
        return self._ask(wire.open_session(grant, device_id=device_id, api_key=self._api_key))

    def verify(self, access_token: AccessToken) -> Answer:
        """Ask whether a token is alive; see `Platform.verify`. [EXPIRE-3]"""
        return self._ask(wire.verify(access_token))

    def revoke(self, access_token: AccessToken) -> Answer:
        """Void a token; see `Platform.revoke`. [LOGOUT-3]"""
        return self._ask(wire.revoke(access_token))

    def close(self) -> None:
        """Let go of connections; what is asked afterwards is unreachable, and what is under way now."""
        if not self._owns_client:
            return
        # A thread that waits for a connection is not woken by closing it, and would read from the next
        # one of the same number. So these hang up, and come to their ends, before anything is closed.
        until = time.monotonic() + _LANDING
        for flight in tuple(self._flights):
            flight.abandon(max(0.0, until - time.monotonic()))
        self._client.close()

    def _ask(self, asked: wire.Request) -> Answer:
        if not asked.is_sendable:
            return wire.unsendable(asked)
        flight = _Flight(lambda trace: self._exchange(asked, trace))
        self._flights.add(flight)
        try:
            landed = flight.lands_within(self._timeout)
        finally:
            self._flights.discard(flight)
        reply = flight.reply
        if reply is None:
            log_silence(self._endpoint, asked, flight.why if landed else TIMEOUT)
            return wire.UNREACHABLE
        return wire.read(asked, reply)

    def _exchange(self, asked: wire.Request, trace: "_Trace") -> wire.Reply:
        sent_at = self._now()
        timeout = httpx2.Timeout(self._timeout).as_dict()
        response = self._client.send(
            to_httpx2(self._endpoint, asked, {"timeout": timeout, "trace": trace}),
            stream=True,
            auth=None,
            follow_redirects=False,
        )
        body = wire.Body()
        try:
            for part in response.iter_bytes():
                if not body.feed(part):
                    break
        finally:
            response.close()
        return to_reply(response, body, sent_at, self._now())


_LANDING: Final = 1.0
"""Real seconds that closing waits for threads whose connections it shut. They need none but their turn."""

_Trace = Callable[[str, Mapping[str, object]], None]


class _Flight:
    """One request on a thread of its own, so that nothing in it holds up who waits for it.

    httpx2 bounds each read, not the whole: an answer that drips in passes every bound, and so
    does a name server that says nothing. At the deadline the flight is abandoned: its connection
    is shut, so that its thread ends too.
    """

    def __init__(self, exchange: Callable[[_Trace], wire.Reply]) -> None:
        self._exchange = exchange
        self._landed = threading.Event()
        self._abandoned = False
        self._socket: socket.socket | None = None
        self.reply: wire.Reply | None = None
        self.why = ""
        """Why there is no reply, if it landed without one."""

    def lands_within(self, seconds: float) -> bool:
        """Fly, and say whether that came to its end in time, with a reply or without."""
        try:
            threading.Thread(target=self._fly, name="splus-session request", daemon=True).start()
            return self._landed.wait(seconds)
        except RuntimeError:  # no thread to be had: too many, or the interpreter is shutting down
            return False
        finally:
            if not self._landed.is_set():
                self._abandoned = True
                self._hang_up()

    def abandon(self, patience: float) -> None:
        """Hang up, and give it so many seconds to come to its end, if it was connected."""
        self._abandoned = True
        if self._hang_up():
            self._landed.wait(patience)

    def _fly(self) -> None:
        try:
            self.reply = self._exchange(self._trace)
        except Exception as error:
            self.why = why(error)
        finally:
            self._landed.set()

    def _trace(self, _event: str, info: Mapping[str, object]) -> None:
        # Connecting, with TLS or without, returns a network stream; it knows its socket.
        get_extra_info = getattr(info.get("return_value"), "get_extra_info", None)
        if get_extra_info is not None:
            self._socket = get_extra_info("socket")
            if self._abandoned:
                self._hang_up()

    def _hang_up(self) -> bool:
        """Whether there was a connection."""
        if self._socket is None:
            return False
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        return True
