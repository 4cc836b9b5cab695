"""Several replicas on one database: any may take any message; mail that one posts wakes whoever waits at another."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from contract.mailbox import Order
from contract.signing import SignKey
from regulator.base.intake.group_commit import GroupCommit
from regulator.base.intake.reception import Reception
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.intake import boxes, items
from tests.fakes.desk_database import DeskClock
from tests.fakes.sending_box import DeskIntake, SendingBox, desk_intake, reply_of

ORDER = Order(order_id="o-1", number="1", title_zh="整改", words="", legal_basis="", severity="P1", deadline_at_ns=1)


@pytest.fixture
async def second(desk_url: str, desk_key: SignKey, clock: DeskClock, tmp_path: Path):
    """Another replica: its own connections, the same tables and files."""
    database = DeskDatabase(desk_url)
    made = desk_intake(database, desk_key, clock, tmp_path)
    quick = Reception(made.intake.store, desk_key, made.intake.shelf, clock, look_for_mail_s=0.02)
    quick.open()
    yield quick
    quick.close()
    made.intake.reception.close()
    database.close()


async def test_a_boxs_messages_may_go_to_any_replica(intake: DeskIntake, box: SendingBox, second: Reception) -> None:
    first = box.reception
    for number in range(20):
        box.reception = (first, second)[number % 2]
        assert (await box.record(str(number))).status == 200
    chain = intake.intake.store.chain(box.box_id)
    assert (chain.state, chain.verified_seq) == ("ok", 20)


async def test_the_same_item_at_both_at_once_is_kept_once_with_one_receipt(
    intake: DeskIntake, box: SendingBox, second: Reception
) -> None:
    for number in range(10):
        await box.alarm(f"first-{number}")
        body = box.sent[-1]
        answers = await asyncio.gather(box.reception.message(body), second.message(body))
        receipts = {answer.sealed.raw.split(b'"receipt":')[1].split(b"}")[0] for answer in answers}
        assert len(receipts) == 1
    assert intake.intake.store.stats()["items_held"] == 10


async def test_files_begun_at_one_replica_are_finished_at_another(
    intake: DeskIntake, box: SendingBox, second: Reception
) -> None:
    assert (await box.file(b"a clip")).status == 200
    box.reception = second
    assert (await box.segment("s", b"a clip", "a:raised")).status == 200


async def test_mail_posted_elsewhere_ends_a_long_poll(intake: DeskIntake, box: SendingBox, second: Reception) -> None:
    poll = asyncio.create_task(second.mailbox(box.request("mailbox_poll", "poll", {"wait_s": 60, "limit": 10})))
    async with asyncio.timeout(20):
        while not second.polls_waiting:
            await asyncio.sleep(0)
        intake.intake.store.post(box.box_id, "order", ORDER)
        body = reply_of(await poll).body
    assert body is not None
    assert len(body["messages"]) == 1


async def test_what_waits_together_is_committed_together_and_fails_alone(intake: DeskIntake, box: SendingBox) -> None:
    writer = GroupCommit(intake.desk.database)
    gate = asyncio.Event()
    loop = asyncio.get_running_loop()
    blocked: list[int] = []

    def hold(db: Connection) -> int:
        blocked.append(1)
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(20)
        return 0

    def count(db: Connection) -> int:
        db.execute(boxes.update().values(software=boxes.c.software + "+"))
        return int(db.scalar(select(func.count()).select_from(items)) or 0)

    def fail(db: Connection) -> int:
        db.execute(boxes.update().values(software="half"))
        raise ValueError("refused")

    futures = [asyncio.wrap_future(writer.submit(box.box_id, work)) for work in (hold, count, fail, count)]
    gate.set()
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert [str(result) for result in results] == ["0", "0", "refused", "0"]
    await asyncio.to_thread(writer.close)
    assert intake.intake.store.boxes()[0]["software"] == "test++"
