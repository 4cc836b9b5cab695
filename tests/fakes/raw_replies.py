"""A TCP server that answers every request with the same bytes, whatever they are, and then hangs up.

    async with RawReplies(b"not HTTP at all") as url: ...

`drip_s` sends one byte at a time with that pause between them: an answer that never gets whole in time.
"""

import asyncio
from types import TracebackType


class RawReplies:
    def __init__(self, content: bytes, drip_s: float = 0.0) -> None:
        self._content = content
        self._drip_s = drip_s

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pieces = [self._content[i : i + 1] for i in range(len(self._content))] if self._drip_s else [self._content]
        try:
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(self._drip_s)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()
