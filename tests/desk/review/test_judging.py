"""Leases and verdicts: one person an item, ten seconds to take it back, a hazard only once it stands."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from contract.chain import ChainHead
from contract.signing import SignKey
from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import entries_about, verify_ledger
from regulator.base.records.tables.hazards import hazard_evidence, hazards
from regulator.base.records.tables.review import review_verdicts
from regulator.parts.review.judgement import ItemState, read_judgement
from regulator.parts.review.leases import release
from regulator.parts.review.queue import read_queue
from regulator.parts.review.verdicts import Verdicts
from tests.fakes.review_world import BOX, ReviewWorld, reviewer


def _hazards(world: ReviewWorld) -> list[str]:
    with world.database.reading() as db:
        return list(db.scalars(select(hazards.c.event_key).order_by(hazards.c.event_key)))


def _kinds(world: ReviewWorld, item_id: str) -> list[str]:
    with world.database.reading() as db:
        at = review_verdicts.c
        return list(db.scalars(select(at.kind).where(at.item_id == item_id).order_by(at.number)))


def _refused(code: str):  # type: ignore[no-untyped-def]
    return pytest.raises(RefusedError, match=code)


def test_a_lease_keeps_others_away_and_names_its_holder_until_it_has_run_out(world: ReviewWorld) -> None:
    item = world.queue_alarm("a1")
    world.lease(world.ling, item)
    world.clock.move(seconds=59)
    with _refused("leased") as told:
        world.lease(world.zhao, item)
    assert "凌一" in told.value.message_zh
    with _refused("leased"):
        world.judge(world.zhao, item, "true")
    with world.database.reading() as db:
        (theirs,) = read_queue(db, world.zhao, world.clock()).rows
        (own,) = read_queue(db, world.ling, world.clock()).rows
    assert (theirs.held_by, theirs.mine, own.held_by, own.mine) == ("凌一", False, "", True)
    world.lease(world.ling, item)
    with _refused("leased"):
        world.clock.move(seconds=59)
        world.lease(world.zhao, item)
    world.clock.move(seconds=1)
    world.lease(world.zhao, item)
    with _refused("leased"):
        world.judge(world.ling, item, "true")
    with world.database.transaction() as db:
        release(db, world.ling, item, world.clock())
    assert world.item(item).lease_by == "u-zhao"


def test_looking_is_written_down_once_a_person(world: ReviewWorld) -> None:
    item = world.queue_alarm("a1")
    world.lease(world.ling, item)
    world.lease(world.ling, item)
    world.clock.move(seconds=61)
    world.lease(world.zhao, item)
    with world.database.reading() as db:
        views = [entry.fields for entry in entries_about(db, item) if entry.fields["kind"] == "review_viewed"]
        seen = [
            read_queue(db, actor, world.clock()).rows[0].seen
            for actor in (world.zhao, world.wei)
            if actor is world.zhao
        ]
    assert [view["actor"]["user_id"] for view in views] == ["u-ling", "u-zhao"]
    assert seen == [True]


def test_of_two_that_reach_for_an_item_at_once_one_gets_it(world: ReviewWorld) -> None:
    items = [world.queue_alarm(f"a{number}", subject=f"cam-{number}.bare_head_1") for number in range(6)]
    got: list[tuple[str, str]] = []
    codes: set[str] = set()
    start = threading.Barrier(2)

    def work(actor: Actor) -> None:
        for item in items:
            start.wait(timeout=30)
            try:
                world.judge(actor, item, "true")
            except RefusedError as refused:
                codes.add(refused.code)
            else:
                got.append((item, actor.user_id))

    threads = [threading.Thread(target=work, args=(actor,)) for actor in (world.ling, world.zhao)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(item for item, _ in got) == sorted(items)
    assert codes == {"judged_already"}
    with world.database.reading() as db:
        assert db.scalar(select(func.count()).select_from(review_verdicts)) == len(items)


def test_a_true_verdict_opens_a_hazard_when_it_stands(world: ReviewWorld, desk_key: SignKey) -> None:
    item = world.queue_alarm("a1", hazard_code="MH24-1", hazard_edition="2024")
    world.picture("a1", "ab" * 32, [[1, 2, 30, 40, 1, 900, 7]])
    world.lease(world.ling, item)
    world.clock.move(seconds=3)
    assert world.judge(world.ling, item, "true").state is ItemState.PROVISIONAL
    world.clock.move(seconds=9)
    assert world.verdicts.finalise_due(world.database, world.clock()) == 0
    assert _hazards(world) == []
    world.clock.move(seconds=1)
    assert [world.verdicts.finalise_due(world.database, world.clock()) for _ in range(2)] == [1, 0]
    row = world.item(item)
    with world.database.reading() as db:
        hazard = db.execute(select(hazards)).one()
        assert list(db.scalars(select(hazard_evidence.c.sha256))) == ["ab" * 32]
        kinds = [str(entry.fields["kind"]) for entry in entries_about(db, item)]
        assert isinstance(verify_ledger(db, "project:p1", {desk_key.public.key_id: desk_key.public}), ChainHead)
    assert (hazard.event_key, hazard.opened_by, hazard.catalogue_code) == (f"{BOX}/a1", "u-ling", "MH24-1")
    assert (row.state, row.hazard_id, row.took_ms) == ("final", hazard.hazard_id, 3000)
    assert kinds == ["review_queued", "review_viewed", "review_judged", "review_final"]
    assert _kinds(world, item) == ["judged", "final"]


def test_ten_seconds_to_undo_and_no_longer_and_only_ones_own(world: ReviewWorld) -> None:
    item, other = world.queue_alarm("a1"), world.queue_alarm("a2", subject="cam-2.bare_head_1")
    world.judge(world.ling, item, "true")
    world.judge(world.ling, other, "false", "5")
    with _refused("too_late"):
        world.undo(world.zhao, item)
    world.clock.move(seconds=9.999)
    world.undo(world.ling, item)
    world.clock.move(seconds=0.001)
    with _refused("too_late"):
        world.undo(world.ling, other)
    world.settle()
    assert (world.item(item).state, world.item(item).verdict) == ("open", "")
    assert (world.item(other).state, world.item(other).false_reason) == ("final", 5)
    assert _hazards(world) == []
    assert _kinds(world, item) == ["judged", "undone"]
    world.judge(world.zhao, item, "false", "9", "看错")
    assert _kinds(world, item) == ["judged", "undone", "judged"]


def test_reopened_with_a_reason_and_the_hazard_stays_one(world: ReviewWorld) -> None:
    item = world.queue_alarm("a1")
    world.judge(world.ling, item, "true")
    with _refused("not_final"), world.database.transaction() as db:
        world.verdicts.reopen(db, world.zhao, item, "再看", world.clock())
    world.settle()
    with _refused("words_needed"), world.database.transaction() as db:
        world.verdicts.reopen(db, world.zhao, item, " ", world.clock())
    with world.database.transaction() as db:
        world.verdicts.reopen(db, world.zhao, item, "现场反馈不符", world.clock())
    world.judge(world.zhao, item, "true")
    world.settle()
    assert _hazards(world) == [f"{BOX}/a1"]
    assert _kinds(world, item) == ["judged", "final", "reopened", "judged", "final"]


def test_an_order_at_once_makes_it_final_without_waiting(world: ReviewWorld) -> None:
    item = world.queue_alarm("a1")
    world.judge(world.ling, item, "true")
    with world.database.transaction() as db:
        hazard_id = world.verdicts.finalise(db, item, world.clock())
    assert world.item(item).hazard_id == hazard_id != ""
    with _refused("too_late"):
        world.undo(world.ling, item)


def test_what_cannot_follow_comes_back_to_the_queue_with_the_reason(world: ReviewWorld) -> None:
    item = world.queue_alarm("a1", raised_at_ns=world.clock() + 3_600_000_000_000)
    world.judge(world.ling, item, "true")
    assert world.settle() == 0
    with world.database.reading() as db:
        at = review_verdicts.c
        words = db.scalar(select(at.words).where(at.kind == "refused"))
    assert "observed_after_opening" in str(words)
    assert world.item(item).state == "open"


def test_outside_the_scope_there_is_nothing(world: ReviewWorld) -> None:
    item = world.queue_alarm("a1")
    with world.database.reading() as db:
        assert read_queue(db, world.wei, world.clock()).rows == ()
    for attempt in (lambda: world.lease(world.wei, item), lambda: world.judge(world.wei, item, "true")):
        with pytest.raises(RefusedError) as refused:
            attempt()
        assert (refused.value.status, refused.value.code) == (404, "no_such_item")


def test_judging_needs_the_duty_and_a_supervision_body(world: ReviewWorld) -> None:
    item = world.queue_alarm("a1")
    site = reviewer("u-site", "工地", Scope(Level.PROJECT, "p1"))
    for actor in (replace(world.ling, duties=frozenset({Duty.VIEWER, Duty.ADMINISTRATOR, Duty.AUDITOR})), site):
        with _refused("no_reviewer"):
            world.judge(actor, item, "true")
    assert world.item(item).state == "open"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (("maybe", "", ""), "no_such_verdict"),
        (("false", "", ""), "reason_needed"),
        (("true", "3", ""), "reason_needed"),
        (("false", "0", ""), "no_such_reason"),
        (("false", "10", ""), "no_such_reason"),
        (("false", "²", ""), "no_such_reason"),
        (("doubtful", "", "字" * 2001), "words_too_long"),
    ],
)
def test_a_verdict_that_is_none_is_refused(said: tuple[str, str, str], code: str) -> None:
    with _refused(code):
        read_judgement(*said)


def test_a_hazard_that_fails_takes_the_verdict_back_with_it(world: ReviewWorld) -> None:
    item = world.queue_alarm("a1")

    def broken(*_: object) -> str:
        raise OSError("disk full")

    world.judge(world.ling, item, "true")
    world.clock.move(seconds=10)
    with pytest.raises(OSError, match="disk full"):
        Verdicts(world.ledger, broken).finalise_due(world.database, world.clock())
    assert world.item(item).state == "provisional"
    assert world.verdicts.finalise_due(world.database, world.clock()) == 1
