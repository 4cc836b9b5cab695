"""S7 in a real browser, before a real regulator: an order arrives, a phone answers it with photos, the word of the desk
comes back; permits and warnings are entered by hand."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from contract.mailbox import OrderState
from gateway.accounts.person import Role
from kit.clock import SystemClock
from screens.formats import site_time
from tests.browser.axe import axe_clean
from tests.browser.looks import DESK, PHONE, ZOOMED, overflow_px
from tests.fakes.order_box import HOUR_NS, order, photo, warning
from tests.fakes.pack_box import offer
from tests.fakes.regulator import FakeRegulator
from tests.fakes.screen_box import ScreenBox
from tests.fakes.waiting import wait_until

BOX = "screen-box"
LOOKS = (PHONE, PHONE.in_language("en").by("dark"), DESK, ZOOMED.by("dark"))


@pytest.fixture
def regulator(tmp_path: Path) -> Iterator[FakeRegulator]:
    with FakeRegulator(tmp_path / "regulator", max_blob_bytes=16 * 2**20) as regulator:
        yield regulator


@pytest.fixture
def box(tmp_path: Path, regulator: FakeRegulator) -> Iterator[ScreenBox]:
    """The box of these tests speaks with a regulator."""
    code = tmp_path / "enrol-code"
    code.write_text(regulator.code_for(BOX, "SCREEN-1"))
    uplink = {"name": "regulator", "kind": "regulator", "url": regulator.url, "enrol_code": {"file": str(code)}}
    with ScreenBox(tmp_path, uplinks=[uplink | {"mailbox_wait_s": 20, "heartbeat_s": 5, "rule_packs": "ask"}]) as box:
        wait_until(regulator.store.boxes, "the box enrolled")
        yield box


def arrives(regulator: FakeRegulator, **changes: object) -> None:
    """An order due in two days (unless it says otherwise), kept by the box when this returns."""
    due = {"deadline_at_ns": SystemClock().now_ns() + 48 * HOUR_NS}
    regulator.post(BOX, "order", order(**due | changes))
    wait_until(lambda: int(regulator.store.boxes()[0]["waiting"]) == 0, "the order kept by the box")


def large_photo(folder: Path, name: str) -> Path:
    """On the disk, where the browser reads it itself: 13 MB in a message keep it busy for seconds."""
    path = folder / name
    path.write_bytes(photo(1) + bytes(13 * 2**20))
    return path


def replies(regulator: FakeRegulator) -> list[dict[str, object]]:
    return [json.loads(row["body"]) for row in regulator.store.items("order_reply")]


async def test_a_phone_answers_an_order_with_photos_and_the_regulator_holds_them(box, regulator, open_page) -> None:
    arrives(regulator)
    page = await open_page("/orders", look=PHONE, role=Role.SAFETY_OFFICER)
    await expect(page.get_by_text("剩余 1 天 23 小时")).to_be_visible()
    await page.get_by_role("link", name="限期整改").click()
    await expect(page.get_by_text("建质规〔2024〕5号")).to_be_visible()
    assert await page.get_by_label("现在拍照").get_attribute("capture") == "environment"
    await page.get_by_label("整改完成，申请复查").check()
    await page.get_by_label("整改情况，或异议理由").fill("护栏已恢复 🦺")
    files = [{"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": photo(n, side_px=400)} for n in (1, 2)]
    await page.get_by_label("已拍的照片").set_input_files(files)
    await page.get_by_role("button", name="签字并上报").click()
    await expect(page.get_by_role("status")).to_contain_text("已存证")
    await expect(page.locator(".order-photos img")).to_have_count(2)
    assert (
        await page.locator(".order-photos img").first.evaluate(
            "async (img) => { await img.decode(); return img.naturalWidth; }"
        )
        == 400
    )
    wait_until(lambda: replies(regulator), "the answer at the regulator")
    (reply,) = replies(regulator)
    assert (reply["answer"], reply["words"], len(reply["blob_sha256"])) == ("rectified", "护栏已恢复 🦺", 2)
    state = OrderState(order_id="o-1", state="returned", words="立杆未固定", changed_at_ns=SystemClock().now_ns())
    regulator.post(BOX, "order_state", state)
    wait_until(lambda: int(regulator.store.boxes()[0]["waiting"]) == 0, "the state kept by the box")
    await page.goto(page.url.partition("?")[0])
    await expect(page.get_by_text("立杆未固定")).to_be_visible()
    await expect(page.get_by_text("监管部门已于")).to_be_visible()


async def test_a_photo_too_large_is_told_before_it_travels(box, regulator, open_page, tmp_path) -> None:
    arrives(regulator)
    page = await open_page("/orders", look=PHONE, role=Role.SAFETY_OFFICER)
    await page.get_by_role("link", name="限期整改").click()
    await page.get_by_label("已拍的照片").set_input_files(large_photo(tmp_path, "phone.jpg"))
    await expect(page.get_by_role("alert")).to_contain_text("phone.jpg 过大：13.0 MB，每张最大 12 MB")
    await page.get_by_label("整改完成，申请复查").check()
    await page.get_by_role("button", name="签字并上报").click()
    await expect(page.locator(".order-reply")).to_have_count(0)
    assert "/answer" not in page.url


async def test_a_photo_chosen_before_the_script_came_is_told_too(box, regulator, open_page, tmp_path) -> None:
    arrives(regulator)
    page = await open_page("/orders", role=Role.SAFETY_OFFICER)
    held: asyncio.Future[Route] = asyncio.get_running_loop().create_future()
    await page.route("**/orders.js*", lambda route: held.set_result(route))  # noqa: PLW0108 - a bound method is refused
    await page.get_by_role("link", name="限期整改").click()
    script = await held
    await page.get_by_label("已拍的照片").set_input_files(large_photo(tmp_path, "early.jpg"))
    await script.continue_()
    await expect(page.get_by_role("alert")).to_contain_text("early.jpg 过大")


async def test_without_a_script_what_is_no_photo_is_refused_and_the_words_stay(
    box, regulator, open_page, troubles
) -> None:
    troubles.expect("422")
    arrives(regulator)
    page = await open_page("/orders", role=Role.SAFETY_OFFICER, java_script_enabled=False)
    await page.get_by_role("link", name="限期整改").click()
    await page.get_by_label("整改完成，申请复查").check()
    await page.get_by_label("整改情况，或异议理由").fill("写了很久")
    wrong = {"name": "report.jpg", "mimeType": "image/jpeg", "buffer": b"<html>no photo</html>"}
    await page.get_by_label("已拍的照片").set_input_files([wrong])
    await page.get_by_role("button", name="签字并上报").click()
    await expect(page.get_by_role("alert").first).to_contain_text("report.jpg：不是 JPEG 或 PNG 照片")
    await expect(page.get_by_label("整改情况，或异议理由")).to_have_value("写了很久")
    assert replies(regulator) == []


async def test_the_countdown_turns_into_overdue_while_the_page_is_open(box, regulator, open_page) -> None:
    arrives(regulator, deadline_at_ns=SystemClock().now_ns() + 12 * 10**9)
    page = await open_page("/orders", look=DESK.in_language("en"))
    await expect(page.locator(".order-left")).to_contain_text("overdue by", timeout=25_000)
    await expect(page.locator(".order-left")).to_have_class("order-left near overdue")


async def test_a_warning_is_acknowledged_and_a_permit_entered_on_a_phone(box, regulator, open_page) -> None:
    now_ns = SystemClock().now_ns()
    regulator.post(BOX, "weather_warning", warning(valid_from_ns=now_ns, valid_until_ns=now_ns + 3 * HOUR_NS))
    wait_until(lambda: int(regulator.store.boxes()[0]["waiting"]) == 0, "the warning kept by the box")
    page = await open_page("/permits", look=PHONE, role=Role.SAFETY_OFFICER)
    await expect(page.get_by_text("尚未签收")).to_be_visible()
    await page.get_by_label("采取的措施").fill("已停止吊装")
    await page.get_by_role("button", name="签收").click()
    await expect(page.get_by_text("已停止吊装")).to_be_visible()
    await page.get_by_text("录入作业许可").click()
    form = page.locator("form.permit-form").first
    await form.get_by_label("作业", exact=True).select_option("climbing")
    await form.get_by_label("塔机（动火不填）").select_option("crane-1")
    for label, text in (("许可编号", "2026-017"), ("作业负责人", "安装负责人"), ("审批人（单位）", "监理部")):
        await form.get_by_label(label).fill(text)
    start = site_time(now_ns)
    await form.get_by_label("开始").fill(start.strftime("%Y-%m-%dT%H:%M"))
    await form.get_by_label("结束").fill((start + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M"))
    await form.get_by_role("button", name="录入并存证").click()
    await expect(page.get_by_role("status")).to_contain_text("许可已录入并存证")
    await expect(page.get_by_text("2026-017")).to_be_visible()


async def test_every_page_fits_its_window_and_axe_finds_nothing(box, regulator, open_page) -> None:
    arrives(regulator, words="整改要求" * 60)
    now_ns = SystemClock().now_ns()
    regulator.post(BOX, "weather_warning", warning(valid_from_ns=now_ns - HOUR_NS, valid_until_ns=now_ns - 1))
    wait_until(lambda: int(regulator.store.boxes()[0]["waiting"]) == 0, "the warning kept by the box")
    for look in LOOKS:
        page = await open_page("/orders", look=look, role=Role.SAFETY_OFFICER)
        one = await page.locator("a.order-link").get_attribute("href")
        for path in ("/orders", one, "/permits"):
            await page.goto(f"{box.url}{path}")
            await page.locator("details.card").evaluate_all("all => all.forEach((each) => { each.open = true; })")
            await axe_clean(page)
            assert await overflow_px(page) <= 0, f"{path} {look}"


async def test_a_pack_that_waits_is_read_and_decided_by_whoever_looks(box, regulator, open_page) -> None:
    regulator.post(BOX, "rule_pack", offer(reason="市住建局通知（2026年第3号）", offered_by="东江市住建局"))
    wait_until(lambda: int(regulator.store.boxes()[0]["waiting"]) == 0, "the pack kept by the box")
    for look in LOOKS:
        page = await open_page("/packs", look=look, role=Role.SAFETY_OFFICER)
        await expect(page.locator(".pack-decision")).to_be_visible()
        await page.locator("main details > summary").click()
        assert await overflow_px(page) <= 0
        await axe_clean(page)
        await page.close()
