"""Reads the beginning of somebody else's response and gives it back unread.

The app that made the request may read its response as it likes, streaming or not, after we have
looked for the platform's code in it. A response that is longer than `MAX_PEEK`, or breaks off, we
leave alone: its reader meets the rest, or the error, as if we had not been there.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Final

import anyio
import httpx2

MAX_PEEK: Final = 65_536
"""The longest body that is looked into, in bytes. [SECRET-3]"""


def peek(response: httpx2.Response) -> bytes | None:
    """The whole body, decoded, if it is no longer than `MAX_PEEK`; it can still be read."""
    if response.is_stream_consumed or not isinstance(response.stream, httpx2.SyncByteStream):
        return _read_before(response)
    stream = _Peeked(response.stream)
    stream.look()
    response.stream = stream
    return _decoded(response, stream)


async def apeek(response: httpx2.Response) -> bytes | None:
    """See `peek`."""
    if response.is_stream_consumed or not isinstance(response.stream, httpx2.AsyncByteStream):
        return _read_before(response)
    stream = _AsyncPeeked(response.stream)
    await stream.look()
    response.stream = stream
    return _decoded(response, stream)


class _Beginning:
    """What was read of a stream, and how far that is."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.error: httpx2.TransportError | None = None
        self.is_whole = False
        self._room = MAX_PEEK

    def takes(self, part: bytes) -> bool:
        """Take one more part; say whether there may be more."""
        self.parts.append(part)
        self._room -= len(part)
        return self._room >= 0


class _Peeked(_Beginning, httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream) -> None:
        super().__init__()
        self._stream = stream
        self._rest: Iterator[bytes] = iter(stream)

    def look(self) -> None:
        try:
            self.is_whole = all(self.takes(part) for part in self._rest)
        except httpx2.TransportError as error:
            self.error = error

    def __iter__(self) -> Iterator[bytes]:
        yield from self.parts
        if self.error is not None:
            raise self.error
        yield from self._rest

    def close(self) -> None:
        self._stream.close()

    @property
    def elapsed(self) -> object:
        """What `Response.elapsed` asks the stream for."""
        return getattr(self._stream, "elapsed", None)


class _AsyncPeeked(_Beginning, httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        super().__init__()
        self._stream = stream
        self._rest: AsyncIterator[bytes] = aiter(stream)

    async def look(self) -> None:
        try:
            async for part in self._rest:
                if not self.takes(part):
                    return
            self.is_whole = True
        except httpx2.TransportError as error:
            self.error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            yield part
        if self.error is not None:
            raise self.error
        async for part in self._rest:
            yield part

    async def aclose(self) -> None:
        try:
            # Cancelled, and not only closed: httpx2 would leave generators within to the collector.
            with anyio.CancelScope() as scope:
                scope.cancel()
                async for _ in self._rest:
                    pass
        finally:
            await self._stream.aclose()

    @property
    def elapsed(self) -> object:
        """What `Response.elapsed` asks the stream for."""
        return getattr(self._stream, "elapsed", None)


def _read_before(response: httpx2.Response) -> bytes | None:
    """The body, if somebody, such as an event hook, has read it already."""
    try:
        return response.content if len(response.content) <= MAX_PEEK else None
    except httpx2.ResponseNotRead:
        return None


def _decoded(response: httpx2.Response, read: _Beginning) -> bytes | None:
    """The body without its Content-Encoding, or None if there is more, or too much, of it."""
    if not read.is_whole:
        return None
    encoding = response.headers.get_list("content-encoding")
    copy = httpx2.Response(
        response.status_code,
        headers=[("content-encoding", name) for name in encoding],
        stream=httpx2.ByteStream(b"".join(read.parts)),
    )
    body = b""
    try:
        for part in copy.iter_bytes():
            body += part
            if len(body) > MAX_PEEK:
                return None
    except httpx2.DecodingError:
        return None
    return body
