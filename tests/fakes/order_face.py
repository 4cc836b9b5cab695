"""The pages of orders and permits over a real order box, asked as a browser would; who asks is whom the test says."""

import re
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from gateway.line.clock_state import ClockState, Sync
from gateway.parts.orders.orders_page import OrderSources, order_routes
from gateway.parts.permits.permits_page import permit_routes
from tests.fakes.office_face import OFFICER, OfficeFace
from tests.fakes.order_box import OrderBox

_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_REPLY = re.compile(r'name="reply_id" value="([^"]+)"')
Files = list[tuple[str, tuple[str, bytes, str]]]


class OrderFace:
    """`box` is where orders arrive; `sync` is what the machine's clock says of itself."""

    def __init__(self, folder: Path) -> None:
        self.face = OfficeFace(folder / "face")
        self.box = OrderBox(folder / "orders")
        self.sync = Sync.KEPT
        self.app: FastAPI = self.face.app
        box = self.box
        sources = OrderSources(
            box.office, box.outbox, lambda: ("regulator",), box.register.source_heard, lambda: ClockState(self.sync)
        )
        order_routes(self.app, self.app.state.pages, sources)
        permit_routes(self.app, self.app.state.pages, box.desk)
        self.client = self.face.client
        self.who = self.face.who
        self.who.now = OFFICER

    async def page(self, path: str, status: int = 200) -> str:
        return await self.face.page(path, status)

    async def submit(self, page: str, action: str, status: int = 303, **fields: str) -> httpx.Response:
        """Fill in a form of a page and send it."""
        data = {"csrf": await self._csrf(page)} | fields
        reply = await self.client.post(action, data=data)
        assert reply.status_code == status, reply.text
        return reply

    async def answer(self, seq: int, files: Files, status: int = 303, **fields: str) -> httpx.Response:
        """Send the answer form of an order; `reply_id` as the page says unless given."""
        shown = await self.page(f"/orders/{seq}")
        reply_id = _REPLY.search(shown)
        data = {"csrf": await self._csrf(f"/orders/{seq}"), "reply_id": reply_id[1] if reply_id else ""} | fields
        reply = await self.client.post(f"/orders/{seq}/answer", data=data, files=files or _no_files())
        assert reply.status_code == status, reply.text
        return reply

    async def _csrf(self, page: str) -> str:
        found = _CSRF.search(await self.page(page))
        assert found is not None
        return found[1]

    async def close(self) -> None:
        await self.box.stop()
        await self.face.close()


def photo_file(body: bytes, name: str = "IMG_1.jpg") -> tuple[str, tuple[str, bytes, str]]:
    """One file of a form."""
    return "photos", (name, body, "image/jpeg")


def _no_files() -> Any:
    """What a browser sends for a file field in which nothing was chosen."""
    return [("photos", ("", b"", "application/octet-stream"))]
