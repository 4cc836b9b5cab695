"""A sealed report in the browser: its own style applies, and nothing else in it may."""

import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi.responses import HTMLResponse

from gateway.parts.pit.report.daily_html import daily_html
from gateway.parts.pit.report.daily_layout import Page
from gateway.parts.pit.routes import sealed_page_policy
from screens.headers import HEADERS
from tests.fakes.web_face import Face

PAGE = Page(title="日报 <b>", facts=(), sections=(), signatures=(), footer="box-1")


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[Face]:
    made = Face(tmp_path)
    yield made
    await made.close()


def test_the_policy_names_the_style_by_its_digest_and_allows_nothing_else() -> None:
    page = daily_html(PAGE)
    style = page.split(b"<style>")[1].split(b"</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    policy = dict(part.split(" ", 1) for part in sealed_page_policy(page).split("; "))
    assert policy.pop("style-src") == f"'sha256-{digest}'"
    assert set(policy.values()) == {"'none'"}
    assert policy.keys() >= {"default-src", "base-uri", "form-action", "frame-ancestors"}
    assert b"style=" not in page
    assert b"<script" not in page


def test_a_style_that_is_not_the_sealed_one_has_another_digest() -> None:
    page = daily_html(PAGE)
    assert sealed_page_policy(page.replace(b"color:#111", b"color:#eee")) != sealed_page_policy(page)
    assert "sha256-" in sealed_page_policy(b"no style")


async def test_the_guard_keeps_the_papers_policy_and_adds_everything_else(face: Face) -> None:
    page = daily_html(PAGE)
    own = {"content-security-policy": sealed_page_policy(page)}
    face.app.add_api_route("/log/{name}/log.{kind}", lambda: HTMLResponse(page, headers=own))
    paper = (await face.client.get("/log/x/log.html")).headers
    assert paper["content-security-policy"] == own["content-security-policy"]
    assert {name: paper[name] for name in HEADERS if name not in own} == {
        k: v for k, v in HEADERS.items() if k not in own
    }
    assert paper["cache-control"] == "no-store"
    assert (await face.client.get("/api/alarms")).headers["content-security-policy"] == HEADERS[
        "content-security-policy"
    ]
