"""A running box, a program with a token of every scope, a real socket: three cameras, two cranes, a pit, an open alarm.

with published_box(folder) as box:
    schema = box.schema()
    reply = box.ask("GET", "/api/points")
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from gateway.accounts.token_desk import make_token
from gateway.accounts.tokens import TokenScope, Wanted
from tests.fakes.screen_box import ScreenBox

OLD_TOKEN = "a-token-of-thirty-two-characters"
"""Of the site file: with it, no local program is let in without a token."""
WHO = {"user": "wang", "reason": "已通知司机停机"}


class PublishedBox:
    """The box, and a program that brings its token."""

    def __init__(self, box: ScreenBox, token: str) -> None:
        self.box, self.url, self.token = box, box.url, token
        self.client = httpx.Client(base_url=box.url, headers={"authorization": f"Bearer {token}"}, timeout=30)

    def ask(self, method: str, path: str, **parts: Any) -> httpx.Response:
        """One request; `parts` as httpx takes them."""
        return self.client.request(method, path, **parts)

    def schema(self) -> dict[str, Any]:
        """The schema as the box serves it."""
        reply = self.ask("GET", "/api/openapi.json")
        assert reply.status_code == 200, reply.text
        served: dict[str, Any] = reply.json()
        return served


@contextmanager
def published_box(folder: Path) -> Iterator[PublishedBox]:
    """Started, with an alarm; ended in the end."""
    token = folder / "token"
    token.write_text(OLD_TOKEN)
    screen_box = ScreenBox(folder, cameras=True)
    site = yaml.safe_load(screen_box.site_file.read_text(encoding="utf-8"))
    site["web"]["token"] = {"file": str(token)}
    pit = next(asset for asset in site["assets"] if asset["id"] == "pit-1")["pit"]
    pit["points"].append({"name": "dj-01", "item": "surface_settlement", "by_hand": True, "already_cumulative": True})
    screen_box.site_file.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    with screen_box as box:
        wanted = Wanted("测试程序", [str(scope) for scope in TokenScope])
        drafted = make_token(Path(site["storage"]["folder"]), wanted, time.time_ns(), lambda _draft: None)
        published = PublishedBox(box, drafted.secret)
        try:
            yield published
        finally:
            published.client.close()
