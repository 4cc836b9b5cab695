"""An answer is sealed with its photos on the disk, leaves once, and survives whatever happens in between."""

from pathlib import Path

import pytest

from gateway.media.shelf import NoRoomError
from gateway.parts.orders.answering import AnswerRefusedError, NewReply
from gateway.parts.orders.order import Answer, Standing
from gateway.parts.orders.photos import PhotoRefusedError
from tests.fakes.order_box import DEADLINE_NS, HOUR_NS, OrderBox, order, order_state, photo, said


@pytest.fixture
async def box(tmp_path: Path):
    box = OrderBox(tmp_path)
    yield box
    await box.stop()


async def test_an_order_is_there_with_its_words_its_basis_and_its_deadline(box: OrderBox) -> None:
    found = await box.ordered()
    assert (found.number, found.legal_basis) == ("整改〔2026〕1号", "建质规〔2024〕5号")
    assert found.words == "立即停止超载吊装"
    assert (found.deadline_ns, found.standing, found.replies) == (DEADLINE_NS, Standing.ORDERED, ())
    assert (found.overdue(DEADLINE_NS), found.overdue(DEADLINE_NS + 1)) == (False, True)


async def test_an_answer_with_photos_is_sealed_and_waits_to_leave(box: OrderBox) -> None:
    found = await box.ordered()
    reply = await box.office.answer(found.seq, said(Answer.RECTIFIED, "已整改", photo(1), photo(2)))
    assert [each.sha256 for each in reply.photos] == [box.shelf.put(photo(1)), box.shelf.put(photo(2))]
    (waiting,) = box.waiting()
    assert waiting["blob_sha256"] == [each.sha256 for each in reply.photos]
    assert (waiting["order_id"], waiting["answer"], waiting["words"]) == ("o-1", "rectified", "已整改")
    (sealed,) = box.sealed("order_reply")
    assert [each["sha256"] for each in sealed["photos"]] == waiting["blob_sha256"]
    assert box.office.book.by_id("o-1").replies == (reply,)  # type: ignore[union-attr]


async def test_the_same_form_sent_twice_is_one_answer(box: OrderBox) -> None:
    found = await box.ordered()
    first = await box.office.answer(found.seq, said(Answer.ACCEPTED))
    assert await box.office.answer(found.seq, said(Answer.ACCEPTED)) == first
    assert len(box.waiting()) == len(box.sealed("order_reply")) == 1


async def test_the_same_photo_twice_is_named_once(box: OrderBox) -> None:
    found = await box.ordered()
    reply = await box.office.answer(found.seq, said(Answer.RECTIFIED, "已整改", photo(1), photo(1)))
    assert len(reply.photos) == 1


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (said(Answer.RECTIFIED, "", photo()), "words_missing"),
        (said(Answer.RECTIFIED, "  \n", photo()), "words_missing"),
        (said(Answer.RECTIFIED, "已整改"), "photo_missing"),
        (said(Answer.DISPUTED), "words_missing"),
        (said(Answer.SEEN, "字" * 4001), "words_too_long"),
    ],
)
async def test_what_is_missing_is_said_and_nothing_is_sealed(box: OrderBox, new: NewReply, code: str) -> None:
    found = await box.ordered()
    with pytest.raises(AnswerRefusedError, match=code):
        await box.office.answer(found.seq, new)
    assert box.waiting() == box.sealed("order_reply") == []


async def test_one_bad_photo_among_good_ones_keeps_none_of_them(box: OrderBox) -> None:
    found = await box.ordered()
    with pytest.raises(PhotoRefusedError, match=r"2\.jpg"):
        await box.office.answer(found.seq, said(Answer.RECTIFIED, "已整改", photo(1), b"no photo"))
    assert list(box.shelf.bodies()) == []
    assert box.waiting() == []


async def test_more_than_nine_photos_are_refused(box: OrderBox) -> None:
    found = await box.ordered()
    with pytest.raises(PhotoRefusedError, match="at most 9"):
        await box.office.answer(found.seq, said(Answer.RECTIFIED, "已整改", *[photo(n) for n in range(10)]))


async def test_a_full_disk_seals_nothing(tmp_path: Path) -> None:
    box = OrderBox(tmp_path)
    box.room = False
    found = await box.ordered()
    with pytest.raises(NoRoomError):
        await box.office.answer(found.seq, said(Answer.RECTIFIED, "已整改", photo()))
    assert box.sealed("order_reply") == []
    await box.stop()


async def test_a_restart_knows_every_order_answer_and_state(tmp_path: Path) -> None:
    box = OrderBox(tmp_path)
    found = await box.ordered()
    await box.office.answer(found.seq, said(Answer.RECTIFIED, "已整改", photo()))
    await box.down("order_state", order_state("returned", words="护栏未固定", deadline_at_ns=DEADLINE_NS + HOUR_NS))
    before = box.office.orders()
    await box.stop()
    again = OrderBox(tmp_path)
    assert again.office.orders() == before
    assert again.office.orders()[0].deadline_ns == DEADLINE_NS + HOUR_NS
    assert len(again.waiting()) == 1
    await again.stop()


async def test_a_body_without_an_answer_is_what_a_kill_leaves_and_the_form_can_be_sent_again(tmp_path: Path) -> None:
    box = OrderBox(tmp_path)
    await box.ordered()
    box.shelf.put(photo(1))  # on the disk, and then the power went
    await box.stop()
    again = OrderBox(tmp_path)
    (found,) = again.office.orders()
    assert found.replies == ()
    await again.office.answer(found.seq, said(Answer.RECTIFIED, "已整改", photo(1)))
    assert len(again.waiting()) == 1
    await again.stop()


async def test_a_message_sealed_twice_counts_once(box: OrderBox) -> None:
    await box.down("order", order(), message_id="m-1")
    await box.down("order", order(words="another text under the same message"), message_id="m-1")
    (found,) = box.office.orders()
    assert found.words == "立即停止超载吊装"


async def test_an_order_said_again_in_other_words_keeps_what_was_answered(box: OrderBox) -> None:
    first = await box.ordered()
    await box.office.answer(first.seq, said(Answer.ACCEPTED))
    await box.down("order", order(words="补充：检查限位"))
    (found,) = box.office.orders()
    assert (found.seq, found.words, len(found.replies)) == (first.seq, "补充：检查限位", 1)


async def test_a_state_that_comes_before_its_order_is_not_lost(box: OrderBox) -> None:
    await box.down("order_state", order_state("withdrawn", words="误发"))
    found = await box.ordered()
    assert (found.standing, found.ended, found.answers) == (Standing.WITHDRAWN, True, ())


async def test_an_ended_order_takes_no_answer(box: OrderBox) -> None:
    found = await box.ordered()
    await box.down("order_state", order_state("closed"))
    with pytest.raises(AnswerRefusedError, match="answer_not_due"):
        await box.office.answer(found.seq, said(Answer.RECTIFIED, "已整改", photo()))


async def test_a_returned_order_is_rectified_again(box: OrderBox) -> None:
    found = await box.ordered()
    await box.office.answer(found.seq, said(Answer.RECTIFIED, "已整改", photo()))
    await box.down("order_state", order_state("returned", words="未固定"))
    again = box.office.orders()[0]
    assert again.answers == (Answer.RECTIFIED, Answer.DISPUTED)
    await box.office.answer(found.seq, said(Answer.RECTIFIED, "已固定", photo(2), reply_id="f" * 32))
    assert len(box.waiting()) == 2


async def test_open_orders_stand_first_by_their_deadline(box: OrderBox) -> None:
    await box.down("order", order("late", deadline_at_ns=DEADLINE_NS + HOUR_NS))
    await box.down("order", order("done", deadline_at_ns=1))
    await box.down("order", order("soon"))
    await box.down("order_state", order_state("closed", "done"))
    assert [each.order_id for each in box.office.orders()] == ["soon", "late", "done"]


async def test_an_answer_goes_to_the_regulator_the_order_came_from(box: OrderBox) -> None:
    await box.down("order", order(), uplink="city")
    found = box.office.orders()[0]
    await box.office.answer(found.seq, said(Answer.SEEN))
    assert box.waiting() == []
    assert [item.kind for item in box.alerts.pending("city", 10, media=True)] == ["order_reply"]


async def test_an_order_that_cannot_be_read_is_passed_over(box: OrderBox) -> None:
    await box.down("order", order_state("closed"))
    assert box.office.orders() == []
