"""A gateway's own connection to the desk in the desk's benchmark: HTTP/1.1, kept alive, one request at a time.

A gateway has one connection, not a share of a pool; and a simulator that spends more on HTTP than the desk would
measure itself. Knows exactly what a twin needs: POST, a status, a body of a said length. When a replica does not answer
the next call goes to the next one, as a reverse proxy would send it. Raises httpx's errors, which a twin knows.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

TIMEOUT_S = 60.0
HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answered:
    """What a twin reads of a response."""

    status_code: int
    content: bytes

    def raise_for_status(self) -> None:
        """Raises httpx.RequestError for anything but 200."""
        if self.status_code != httpx.codes.OK:
            raise httpx.RequestError(f"answered with {self.status_code}: {self.content[:200]!r}")


class GatewayLink:
    """One gateway's link; `urls` are the replicas, the first one preferred."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._places = [urlsplit(url) for url in urls]
        self._now_at = 0
        self._wires: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, address: str, content: bytes, headers: Mapping[str, str]) -> Answered:
        """One request, once. Raises httpx.ConnectError, ReadError or ReadTimeout; then the next replica is next."""
        place = self._places[self._now_at]
        lines = [f"POST {address} HTTP/1.1", f"host: {place.netloc}", f"content-length: {len(content)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        request = "\r\n".join(lines).encode() + HEAD_END + content
        try:
            async with asyncio.timeout(TIMEOUT_S):
                reader, writer = self._wires or await self._connect()
                writer.write(request)
                return await self._read(reader)
        except (OSError, EOFError, ValueError, TimeoutError, asyncio.LimitOverrunError) as error:
            self._fail_over()
            raise httpx.ReadError(f"{place.netloc}: {type(error).__name__}") from None

    def close(self) -> None:
        """Hang up."""
        if self._wires is not None:
            self._wires[1].close()
        self._wires = None

    async def hang_up(self) -> None:
        """The same, and wait until it is done."""
        wires = self._wires
        self.close()
        if wires is not None:
            with contextlib.suppress(OSError):
                await wires[1].wait_closed()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        place = self._places[self._now_at]
        self._wires = await asyncio.open_connection(place.hostname, place.port)
        return self._wires

    async def _read(self, reader: asyncio.StreamReader) -> Answered:
        head = (await reader.readuntil(HEAD_END)).split(b"\r\n")
        status, length, closing = int(head[0].split(b" ", 2)[1]), 0, False
        for line in head[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            closing = closing or (name.lower() == b"connection" and value.strip().lower() == b"close")
        content = await reader.readexactly(length)
        if closing:
            self.close()
        return Answered(status, content)

    def _fail_over(self) -> None:
        self.close()
        self._now_at = (self._now_at + 1) % len(self._places)
