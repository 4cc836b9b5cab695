"""The page of permits and warnings: entered, withdrawn, acknowledged, checked; roles; mistakes with what was typed."""

from pathlib import Path

import pytest

from tests.fakes.office_face import LEADER, READER
from tests.fakes.order_box import HOUR_NS, permit, warning
from tests.fakes.order_face import OrderFace

SPAN = {"valid_from": "2023-11-15T06:00", "valid_until": "2023-11-15T12:00"}
"""The box's clock stands at 2023-11-15 06:13:20 in Shanghai."""
PERMIT = {"work": "climbing", "asset": "crane-1", "number": "2026-017", "holder": "安装负责人", "issued_by": "监理部"}
PERMIT |= {"place": "", "reason": "第3次顶升"} | SPAN
RAIN = {"kind": "rainstorm", "level": "orange", "source": "气象台", "words": "<b>大雨</b>"} | SPAN


@pytest.fixture
async def face(tmp_path: Path):
    face = OrderFace(tmp_path)
    yield face
    await face.close()


async def test_a_permit_is_entered_and_withdrawn_and_stays(face: OrderFace) -> None:
    await face.submit("/permits", "/permits/permit", **PERMIT)
    shown = await face.page("/permits?done=permit")
    assert "许可已录入并存证" in shown
    assert "2026-017 · <strong>有效</strong>" in shown
    (known,) = face.box.register.permits
    await face.submit("/permits", f"/permits/permit/{known.seq}/withdraw", reason="大风")
    assert "2026-017 · 已撤销" in await face.page("/permits")
    assert [each["event"] for each in face.box.sealed("work_permit")] == ["entered", "withdrawn"]


async def test_a_warning_is_entered_acknowledged_and_withdrawn_and_the_check_follows(face: OrderFace) -> None:
    await face.submit("/permits", "/permits/warning", **RAIN)
    shown = await face.page("/permits")
    assert "尚未签收" in shown
    assert "&lt;b&gt;大雨&lt;/b&gt;" in shown
    (known,) = face.box.register.warnings
    face.who.now = LEADER
    await face.submit("/permits", f"/permits/warning/{known.seq}/acknowledge", words="已停工")
    assert "主管 (zhu) 已签收" in await face.page("/permits")


async def test_after_a_storm_each_item_is_checked(face: OrderFace) -> None:
    now_ns = face.box.clock.now_ns()
    await face.box.down("weather_warning", warning(valid_from_ns=now_ns - HOUR_NS, valid_until_ns=now_ns - 1))
    assert (await face.page("/permits")).count("待检查") == 2
    await face.submit("/permits", "/permits/check", item="crane-1", result="sound", words="试吊合格")
    await face.submit("/permits", "/permits/check", 422, item="scaffold", result="unsound", words="")
    await face.submit("/permits", "/permits/check", item="scaffold", result="unsound", words="连墙件松动")
    shown = await face.page("/permits")
    assert "连墙件松动" in shown
    assert shown.count("待检查") == 1
    await face.submit("/permits", "/permits/check", 422, item="nothing", result="sound")


@pytest.mark.parametrize(
    ("action", "fields", "said"),
    [
        ("permit", PERMIT | {"number": " "}, "此项必填"),
        ("permit", PERMIT | {"asset": "crane-9"}, "请选择塔机"),
        ("permit", PERMIT | {"work": "digging"}, "请选择类别"),
        ("permit", PERMIT | {"valid_until": "2023-11-15T05:00"}, "结束须晚于开始"),
        ("permit", PERMIT | {"valid_until": "2026-11-15T05:00"}, "最长31天"),
        ("permit", PERMIT | {"valid_until": "soon"}, "请填写日期和时间"),
        ("permit", PERMIT | {"work": "hot_work"}, "此项必填"),
        ("permit", PERMIT | {"reason": "字" * 2001}, "最多 2000 字"),
        ("warning", RAIN | {"level": "purple"}, "请选择预警等级"),
        ("warning", RAIN | {"kind": "snow"}, "请选择类别"),
        ("warning", RAIN | {"source": ""}, "此项必填"),
    ],
)
async def test_a_mistake_comes_back_with_what_was_typed(
    face: OrderFace, action: str, fields: dict[str, str], said: str
) -> None:
    reply = await face.submit("/permits", f"/permits/{action}", 422, **fields)
    assert said in reply.text
    assert f'value="{fields["valid_from"]}"' in reply.text
    assert face.box.sealed("work_permit") == face.box.sealed("weather_warning") == []


async def test_what_the_regulator_issued_is_not_withdrawn_here(face: OrderFace) -> None:
    await face.box.down("work_permit", permit())
    (known,) = face.box.register.permits
    assert f"/permits/permit/{known.seq}/withdraw" not in await face.page("/permits")
    reply = await face.submit("/permits", f"/permits/permit/{known.seq}/withdraw", 409, reason="理由")
    assert "只能由其撤销" in reply.text


async def test_a_page_that_shows_an_older_version_is_refused(face: OrderFace) -> None:
    await face.box.down("weather_warning", warning())
    (old,) = face.box.register.warnings
    await face.box.down("weather_warning", warning(version=2, level="red"))
    await face.submit("/permits", f"/permits/warning/{old.seq}/acknowledge", 409, words="")
    assert face.box.sealed("weather_warning") == []


async def test_roles(face: OrderFace) -> None:
    face.who.now = LEADER
    assert "/permits/permit" not in await face.page("/permits")
    await face.submit("/log", "/permits/permit", 403, **PERMIT)
    await face.submit("/log", "/permits/warning", 403, **RAIN)
    await face.submit("/log", "/permits/check", 403, item="crane-1", result="sound")
    face.who.now = READER
    await face.box.down("weather_warning", warning())
    (known,) = face.box.register.warnings
    await face.submit("/log", f"/permits/warning/{known.seq}/acknowledge", 403, words="")


async def test_without_word_from_the_regulator_it_says_not_known(face: OrderFace) -> None:
    face.box.heard_at_ns = 1
    shown = await face.page("/permits")
    assert "是否有新预警未知" in shown
    assert '<span class="unknown-word">未知</span>' in shown


async def test_pages_are_whole_in_english(face: OrderFace) -> None:
    catalogue = face.app.state.pages.catalogue
    await face.box.down("weather_warning", warning())
    await face.box.down("work_permit", permit())
    catalogue.missing.clear()
    assert "It cannot detect hot work" in await face.page("/permits?lang=en")
    await face.page("/permits")
    assert catalogue.missing == set()
