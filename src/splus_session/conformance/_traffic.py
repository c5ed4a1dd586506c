"""What a client has under way that no thread's stack tells of, counted: requests, and calls of its store."""

import ssl
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager

from splus_session._errors import MissingExtraError

try:
    import httpx2
except ImportError:
    raise MissingExtraError("http") from None

from splus_session._credentials import Record
from splus_session.ports import Store

__all__ = ["CountedStore", "Traffic"]


class Traffic:
    """Counts for one world of an adapter, all its clients together. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.sent = 0
        """How many requests have begun."""
        self.open = 0
        """How many of these have not ended."""
        self.working = 0
        """How many calls are at work on this machine, though their threads seem to wait."""
        self.is_over = False
        """Whether nothing is to be sent any more: another run has begun, and is not to see it."""

    def begin(self) -> Callable[[], None]:
        """A request begins. Gives back what ends it; ending it twice is fine.

        Raises:
            httpx2.ConnectError: nothing is to be sent any more.
        """
        with self._lock:
            if self.is_over:
                raise httpx2.ConnectError("the run is over")
            self.sent += 1
            self.open += 1
        is_open = [True]

        def end() -> None:
            with self._lock:
                self.open -= len(is_open)
                is_open.clear()

        return end

    @contextmanager
    def at_work(self) -> Generator[None]:
        """Nobody is idle while this block runs."""
        with self._lock:
            self.working += 1
        try:
            yield
        finally:
            with self._lock:
                self.working -= 1

    def transport(self, to: str | None = None) -> httpx2.BaseTransport:
        """What an `httpx2.Client` takes as `transport`, so that its requests are counted.

        Args:
            to: the origin that they are sent to, wherever they are for.
        """
        return _Transport(self, httpx2.HTTPTransport(verify=_TRUST, limits=_LIMITS), to)

    def async_transport(self, to: str | None = None) -> httpx2.AsyncBaseTransport:
        """The same for an `httpx2.AsyncClient`."""
        return _AsyncTransport(self, httpx2.AsyncHTTPTransport(verify=_TRUST, limits=_LIMITS), to)


# The kit's platform speaks plain http. Nothing else is trusted, and reading certificates takes long.
_TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# No connection is kept: one that the server closes meanwhile would be something that happens.
_LIMITS = httpx2.Limits(max_keepalive_connections=0)


class CountedStore:
    """A store whose calls count as work: a thread that waits for a disk or a lock is not idle."""

    def __init__(self, store: Store, traffic: Traffic) -> None:
        self._store = store
        self._traffic = traffic

    def load(self, key: str) -> Record | None:
        """See `Store.load`."""
        with self._traffic.at_work():
            return self._store.load(key)

    def save(self, key: str, record: Record) -> None:
        """See `Store.save`."""
        with self._traffic.at_work():
            self._store.save(key, record)

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        with self._traffic.at_work():
            self._store.delete(key)

    def device_id(self, make: Callable[[], str]) -> str:
        """See `Store.device_id`."""
        with self._traffic.at_work():
            return self._store.device_id(make)


def _sent_to(origin: str | None, request: httpx2.Request) -> httpx2.Request:
    """The same request, to another origin. Whoever made it looks at its own afterwards."""
    if origin is None:
        return request
    url = httpx2.URL(origin).copy_with(raw_path=request.url.raw_path)
    return httpx2.Request(
        request.method, url, headers=request.headers, stream=request.stream, extensions=request.extensions
    )


class _Transport(httpx2.BaseTransport):
    def __init__(self, traffic: Traffic, inner: httpx2.BaseTransport, to: str | None) -> None:
        self._traffic = traffic
        self._inner = inner
        self._to = to

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        end = self._traffic.begin()
        try:
            response = self._inner.handle_request(_sent_to(self._to, request))
        except BaseException:
            end()
            raise
        assert isinstance(response.stream, httpx2.SyncByteStream)  # noqa: S101  for the type checker
        response.stream = _Stream(response.stream, end)
        return response

    def close(self) -> None:
        self._inner.close()


class _Stream(httpx2.SyncByteStream):
    """An answer's body. The request has ended once that was read, or closed."""

    def __init__(self, inner: httpx2.SyncByteStream, end: Callable[[], None]) -> None:
        self._inner = inner
        self._end = end

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._inner
        finally:  # who has read it all may close it much later
            self._end()

    def close(self) -> None:
        try:
            self._inner.close()
        finally:
            self._end()


class _AsyncTransport(httpx2.AsyncBaseTransport):
    def __init__(self, traffic: Traffic, inner: httpx2.AsyncBaseTransport, to: str | None) -> None:
        self._traffic = traffic
        self._inner = inner
        self._to = to

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        end = self._traffic.begin()
        try:
            response = await self._inner.handle_async_request(_sent_to(self._to, request))
        except BaseException:
            end()
            raise
        assert isinstance(response.stream, httpx2.AsyncByteStream)  # noqa: S101  for the type checker
        response.stream = _AsyncStream(response.stream, end)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _AsyncStream(httpx2.AsyncByteStream):
    """The same for an async client."""

    def __init__(self, inner: httpx2.AsyncByteStream, end: Callable[[], None]) -> None:
        self._inner = inner
        self._end = end

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._inner:
                yield part
        finally:
            self._end()

    async def aclose(self) -> None:
        try:
            await self._inner.aclose()
        finally:
            self._end()
