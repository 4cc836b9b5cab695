"""S7: orders with countdown and doubts, answers with photos, roles, and every mistake in words."""

from pathlib import Path

import pytest

from gateway.line.clock_state import Sync
from gateway.model.alert import Receipt
from tests.fakes.office_face import LEADER, OFFICER, READER
from tests.fakes.order_box import HOUR_NS, order, order_state, photo
from tests.fakes.order_face import OrderFace, photo_file

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
async def face(tmp_path: Path):
    face = OrderFace(tmp_path)
    yield face
    await face.close()


async def test_an_order_shows_its_basis_its_words_and_how_long_is_left(face: OrderFace) -> None:
    found = await face.box.ordered(words=HOSTILE)
    shown = await face.page(f"/orders/{found.seq}")
    for text in ("整改〔2026〕1号", "建质规〔2024〕5号", "剩余 2 天", "&lt;script&gt;"):
        assert text in shown
    assert HOSTILE not in shown
    assert "已下达" in await face.page("/orders")


async def test_an_overdue_order_says_so_whatever_was_answered(face: OrderFace) -> None:
    now_ns = face.face.view.parts.clock.now_ns()
    found = await face.box.ordered(deadline_at_ns=now_ns - 3 * HOUR_NS)
    await face.answer(found.seq, [photo_file(photo())], answer="rectified", words="已整改")
    shown = await face.page("/orders")
    assert "已逾期 3 小时" in shown
    assert "整改完成，申请复查" in shown


@pytest.mark.parametrize("sync", [Sync.FREE, Sync.UNKNOWN])
async def test_a_clock_that_nobody_keeps_makes_the_countdown_doubtful(face: OrderFace, sync: Sync) -> None:
    await face.box.ordered()
    assert "未确认同步" not in await face.page("/orders")
    face.sync = sync
    assert "未确认同步" in await face.page("/orders")


async def test_a_regulator_not_heard_for_an_hour_is_said(face: OrderFace) -> None:
    face.box.heard_at_ns = face.face.view.parts.clock.now_ns() - HOUR_NS - 1
    assert "未与监管部门联系上" in await face.page("/orders")
    face.box.heard_at_ns = None
    assert "未设置与监管部门的连接" in await face.page("/orders")


async def test_an_answer_with_photos_is_sealed_shown_and_waits_to_leave(face: OrderFace) -> None:
    found = await face.box.ordered()
    files = [photo_file(photo(1)), photo_file(photo(2, "PNG"), "b.png")]
    await face.answer(found.seq, files, answer="rectified", words="护栏已恢复")
    (waiting,) = face.box.waiting()
    assert (waiting["words"], waiting["user"], len(waiting["blob_sha256"])) == ("护栏已恢复", OFFICER.name, 2)
    shown = await face.page(f"/orders/{found.seq}?done=1")
    assert "等待发送" in shown
    assert "已存证，正在上报" in shown
    picture = await face.client.get(f"/orders/{found.seq}/photos/{waiting['blob_sha256'][1]}")
    assert (picture.content, picture.headers["content-type"]) == (photo(2, "PNG"), "image/png")
    assert picture.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("receipt", "words"),
    [(Receipt.accepted("r-1"), "监管部门已于"), (Receipt.rejected("too_large: 文件过大"), "监管部门未接收：too_large")],
)
async def test_what_became_of_an_answer_is_shown(face: OrderFace, receipt: Receipt, words: str) -> None:
    found = await face.box.ordered()
    await face.answer(found.seq, [], answer="accepted")
    (item,) = face.box.alerts.pending("regulator", 9, media=True)
    face.box.alerts.resolve([(item, receipt)], face.box.clock.now_ns()).result(10)
    assert words in await face.page(f"/orders/{found.seq}")


async def test_the_same_form_twice_is_one_answer(face: OrderFace) -> None:
    found = await face.box.ordered()
    for _ in range(2):
        await face.answer(found.seq, [], answer="seen", reply_id="a" * 32)
    assert len(face.box.waiting()) == 1


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([photo_file(b"<html>no photo</html>", "report.jpg")], "report.jpg：不是 JPEG 或 PNG 照片"),
        ([photo_file(photo()), photo_file(photo(2)[:-200], "cut.jpg")], "cut.jpg：照片损坏或不完整"),
        ([photo_file(b"\xff\xd8\xff" + bytes(13 * 2**20), "big.jpg")], "big.jpg：13.0 MB，每张最大 12 MB"),
        ([photo_file(photo(n), f"{n}.jpg") for n in range(10)], "最多 9 张照片"),
        ([], "须附至少一张照片"),
    ],
    ids=["no photo", "cut off", "too large", "too many", "none"],
)
async def test_a_bad_photo_is_named_and_the_words_are_still_there(face: OrderFace, files: list, said: str) -> None:  # type: ignore[type-arg]
    found = await face.box.ordered()
    reply = await face.answer(found.seq, files, 422, answer="rectified", words="写了很久的整改说明")
    assert said in reply.text
    assert "写了很久的整改说明" in reply.text
    assert face.box.waiting() == []


async def test_fifty_megabytes_are_refused_by_name(face: OrderFace) -> None:
    found = await face.box.ordered()
    body = photo() + bytes(50 * 2**20)
    reply = await face.answer(found.seq, [photo_file(body, "phone.jpg")], 422, answer="rectified", words="已整改")
    assert "phone.jpg：50.0 MB，每张最大 12 MB" in reply.text
    assert list(face.box.shelf.bodies()) == []


async def test_a_body_beyond_all_photos_is_refused_before_it_is_read(face: OrderFace) -> None:
    found = await face.box.ordered()
    headers = {"content-type": "multipart/form-data; boundary=x", "content-length": str(200 * 2**20)}
    reply = await face.client.post(f"/orders/{found.seq}/answer", content=b"", headers=headers)
    assert reply.status_code == 413


async def test_a_form_of_another_page_is_refused(face: OrderFace) -> None:
    found = await face.box.ordered()
    reply = await face.client.post(
        f"/orders/{found.seq}/answer", data={"csrf": "forged", "answer": "seen"}, files=[photo_file(photo())]
    )
    assert reply.status_code == 403
    assert face.box.waiting() == []


async def test_roles(face: OrderFace) -> None:
    found = await face.box.ordered()
    face.who.now = READER
    assert 'name="answer"' not in await face.page(f"/orders/{found.seq}")
    face.who.now = LEADER
    shown = await face.page(f"/orders/{found.seq}")
    assert 'value="accepted"' in shown
    assert 'value="rectified"' not in shown
    await face.answer(found.seq, [photo_file(photo())], 403, answer="rectified", words="已整改")
    await face.answer(found.seq, [], answer="accepted")
    assert [each["answer"] for each in face.box.waiting()] == ["accepted"]


async def test_an_answer_that_is_no_longer_due_says_so(face: OrderFace) -> None:
    found = await face.box.ordered()
    await face.answer(found.seq, [], answer="seen")
    reply = await face.answer(found.seq, [], 409, answer="seen")
    assert "刷新页面" in reply.text
    await face.answer(found.seq, [], 422, answer="nonsense")
    await face.box.down("order_state", order_state("closed", words="复查合格"))
    shown = await face.page(f"/orders/{found.seq}")
    assert "复查合格" in shown
    assert 'name="answer"' not in shown


@pytest.mark.parametrize("path", ["/orders/999999", "/orders/abc", "/orders/" + "9" * 40])
async def test_no_such_order(face: OrderFace, path: str) -> None:
    await face.page(path, 404)


async def test_a_photo_of_another_order_is_not_given(face: OrderFace) -> None:
    found = await face.box.ordered()
    await face.answer(found.seq, [photo_file(photo())], answer="rectified", words="已整改")
    await face.box.down("order", order("o-2"))
    other = face.box.office.book.by_id("o-2")
    assert other is not None
    sha256 = face.box.waiting()[0]["blob_sha256"][0]
    await face.page(f"/orders/{other.seq}/photos/{sha256}", 404)
    await face.page(f"/orders/{found.seq}/photos/../../keys", 404)


async def test_a_photo_that_was_changed_on_the_disk_is_not_shown_as_evidence(face: OrderFace) -> None:
    found = await face.box.ordered()
    await face.answer(found.seq, [photo_file(photo())], answer="rectified", words="已整改")
    sha256 = face.box.waiting()[0]["blob_sha256"][0]
    face.box.shelf.path(sha256).write_bytes(photo(9))
    await face.page(f"/orders/{found.seq}/photos/{sha256}", 500)


async def test_pages_are_whole_in_english(face: OrderFace) -> None:
    found = await face.box.ordered()
    shown = await face.page(f"/orders/{found.seq}?lang=en")
    assert "Rectify by the deadline" in shown
    assert "2 d 0 h left" in shown
