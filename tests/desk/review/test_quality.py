"""Second looks nobody knows of, rates with n, labels, site checks, the funnel's figures."""

import io
import json
import math
import zipfile

import pytest
from sqlalchemy import insert, select, update

from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import entries_of
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.review import review_items, review_secrets
from regulator.parts.review.blind import agreement, disagreements, drawn
from regulator.parts.review.figures import funnel_counts, load_per_position, time_spent
from regulator.parts.review.items import item_id_of
from regulator.parts.review.labels import Export, coco, labelled_pictures, record_export, yolo
from regulator.parts.review.queue import read_queue
from regulator.parts.review.rates import false_alarm_rates, rate_of, window_of
from regulator.parts.review.site_checks import Outcome, Seen, list_checks, record_outcome
from tests.fakes.review_world import BOX, ReviewWorld, reviewer


def _draw(world: ReviewWorld, item_id: str) -> None:
    """As if the sample had drawn it."""
    with world.database.transaction() as db:
        db.execute(update(review_items).where(review_items.c.item_id == item_id).values(sampled=1))


def test_one_in_twenty_is_drawn_always_the_same_ones() -> None:
    ids = [item_id_of(BOX, f"alarm-{number}") for number in range(20_000)]
    first = [item for item in ids if drawn("secret", item)]
    assert first == [item for item in ids if drawn("secret", item)]
    assert len(first) / len(ids) == pytest.approx(0.05, abs=0.006)
    assert set(first) != {item for item in ids if drawn("another secret", item)}


def test_the_second_look_is_anothers_and_knows_nothing_of_the_first(world: ReviewWorld) -> None:
    item = world.queue_alarm("a1")
    _draw(world, item)
    world.judge(world.ling, item, "true")
    world.settle()
    delegate = reviewer("u-else", "代办", world.ling.scope, on_behalf_of="u-ling")
    with world.database.reading() as db:
        assert read_queue(db, world.ling, world.clock()).rows == ()
        assert read_queue(db, delegate, world.clock()).rows == ()
        (second,) = read_queue(db, world.zhao, world.clock()).rows
        assert len(list(db.scalars(select(review_secrets.c.value)))) == 1
    told = repr(second)
    assert "凌一" not in told
    assert "true" not in told.lower().replace("mine=true", "")
    with pytest.raises(RefusedError, match="no_such_item"):
        world.judge(world.ling, second.item_id, "true")
    world.judge(world.zhao, second.item_id, "false", "4")
    world.settle()
    with world.database.reading() as db:
        assert len(list(db.execute(select(hazards)))) == 1
        found = agreement(db, world.ling.scope, 0)
        (unlike,) = disagreements(db, world.ling.scope, 0)
        assert agreement(db, world.wei.scope, 0).n == 0
    assert (found.n, found.alike, found.kappa) == (1, 0, 0.0)
    assert (unlike.item_id, unlike.first, unlike.second) == (item, "true", "false")
    assert world.item(item).verdict == "true"


def _judged(world: ReviewWorld, count: int, false: int, **values: str) -> None:
    """Final verdicts, as rows: what the rates are made of."""
    rows = []
    for number in range(count):
        alarm_id = f"{values.get('project_code', '')}{values.get('source_id', 'cam-1')}-{number}"
        box_id = values.get("box_id", BOX)
        row = {"item_id": item_id_of(box_id, alarm_id), "alarm_id": alarm_id, "box_id": box_id, "round": 1}
        row |= {"severity": "P2"}
        row |= {"project_code": "p1", "source_id": "cam-1", "rule_id": "r", "group_key": "g", "stage": "priority"}
        row |= {"state": "final", "verdict": "false" if number < false else "true", "judged_at_ns": world.clock()}
        rows.append(row | values)
    with world.database.transaction() as db:
        db.execute(insert(review_items), rows)


def test_rates_say_n_hide_what_is_too_little_and_mark_a_short_window(world: ReviewWorld) -> None:
    _judged(world, 19, 19, source_id="cam-few")
    _judged(world, 20, 3, source_id="cam-1")
    _judged(world, 40, 40, source_id="cam-elsewhere", project_code="p3")
    with world.database.transaction() as db:
        db.execute(update(review_items).where(review_items.c.alarm_id == "cam-1-19").values(verdict="doubtful"))
    _judged(world, 1, 0, source_id="cam-1 ")
    world.clock.move(days=2)
    _judged(world, 21, 3, source_id="cam-2")
    with world.database.reading() as db:
        window = window_of(db, world.ling.scope, world.clock())
        rates = false_alarm_rates(db, world.ling.scope, window)
    assert (window.indicative, round(window.covered_days, 3)) == (True, 2.0)
    shown = {rate.source_id: (rate.n, rate.share and round(rate.share.value, 4)) for rate in rates}
    assert shown == {"cam-2": (21, 0.1429), "cam-few": (19, None), "cam-1": (19, None), "cam-1 ": (1, None)}
    assert rates[0].share is not None
    assert rates[0].share.low < 3 / 21 < rates[0].share.high
    with world.database.reading() as db:
        later = window_of(db, world.ling.scope, world.clock.move(days=30))
        assert not later.indicative
        assert [rate.source_id for rate in false_alarm_rates(db, world.ling.scope, later)] == ["cam-2"]


def test_a_box_that_was_enrolled_anew_brings_no_rate_of_another_site(world: ReviewWorld) -> None:
    """Another project, or another box in the old one's place: a camera of the same name looks at something else. The
    same box under a new key goes on; where nothing is judged yet, no rate is told."""
    _judged(world, 20, 5, project_code="p1")
    _judged(world, 20, 15, project_code="p2")
    _judged(world, 19, 19, project_code="p1", box_id="box-2")
    _judged(world, 20, 20, project_code="p3", box_id="box-3")
    told = {}
    with world.database.reading() as db:
        window = window_of(db, world.ling.scope, world.clock())
        for item in db.execute(select(review_items).where(review_items.c.alarm_id.like("%-0"))):
            share = rate_of(db, world.ling.scope, window, item)
            told[item.project_code, item.box_id] = share and (share.n, share.value)
        listed = {
            each.project_code: each.share for each in false_alarm_rates(db, world.ling.scope, window) if each.share
        }
    assert told == {("p1", BOX): (20, 0.25), ("p2", BOX): (20, 0.75), ("p1", "box-2"): None, ("p3", "box-3"): None}
    assert {code: share.value for code, share in listed.items()} == {"p1": 0.25, "p2": 0.75}


def test_labels_hold_digests_verdicts_and_boxes_and_their_export_is_written_down(world: ReviewWorld) -> None:
    box = [64, 36, 128, 108, 1, 912, 7]
    for alarm, verdict, reason in (("a1", "true", ""), ("a2", "false", "5"), ("a3", "doubtful", "")):
        item = world.queue_alarm(alarm, subject=f"cam-{alarm}.bare_head_1")
        world.picture(alarm, (alarm * 32)[:64], [box, [0, 0, 640, 360, 9, 1, 0]])
        world.judge(world.ling, item, verdict, reason)
    world.settle()
    with world.database.transaction() as db:
        pictures = labelled_pictures(db, world.ling)
        assert labelled_pictures(db, world.wei) == []
        record_export(db, world.ledger, world.ling, Export("coco", "0" * 64, len(pictures)), world.clock())
        assert len(entries_of(db, "review:exports")) == 1
    document = json.loads(coco(pictures))
    assert {(image["sha256"], image["verdict"], image["false_reason"]) for image in document["images"]} == {
        (("a1" * 32), "true", 0),
        (("a2" * 32), "false", 5),
    }
    (first, _) = document["annotations"]
    assert (first["bbox"], first["area"], first["category_id"], first["score"]) == ([64, 36, 64, 72], 4608, 1, 0.912)
    archive = zipfile.ZipFile(io.BytesIO(yolo(pictures)))
    assert archive.read(f"labels/true/{'a1' * 32}.txt").decode() == "1 0.150000 0.200000 0.100000 0.200000\n"
    assert archive.read("classes.txt").decode().split() == ["helmet", "head", "person"]
    assert f"{'a2' * 32},640,360,false,5" in archive.read("manifest.csv").decode()
    assert yolo(pictures) == yolo(pictures)


def test_what_is_doubtful_is_looked_at_on_site(world: ReviewWorld) -> None:
    items = [world.queue_alarm(f"a{number}", subject=f"cam-{number}.bare_head_1") for number in range(2)]
    for item in items:
        world.judge(world.ling, item, "doubtful")
    world.settle()
    with world.database.reading() as db:
        assert [check.item_id for check in list_checks(db, world.zhao)] == sorted(items, key=items.index)
        assert list_checks(db, world.wei) == []
    with pytest.raises(RefusedError, match="words_needed"):
        Seen(Outcome.FOUND, " ")
    with world.database.transaction() as db:
        seen = Seen(Outcome.FOUND, "现场属实")
        made = record_outcome(db, world.ledger, world.verdicts.open_hazard, world.zhao, items[0], seen, world.clock())
        seen = Seen(Outcome.NOT_FOUND, "已整改")
        none = record_outcome(db, world.ledger, world.verdicts.open_hazard, world.zhao, items[1], seen, world.clock())
        assert db.scalar(select(hazards.c.hazard_id)) == made != ""
    assert none == ""
    for actor, code in ((world.zhao, "checked_already"), (world.wei, "no_such_check")):
        with pytest.raises(RefusedError, match=code), world.database.transaction() as db:
            record_outcome(db, world.ledger, world.verdicts.open_hazard, actor, items[0], seen, world.clock())


def test_the_funnel_in_figures_and_what_a_person_carries(world: ReviewWorld) -> None:
    for number in range(4):
        world.alarm(f"quiet-{number}", severity="P3")
    items = [world.queue_alarm(f"a{number}", severity="P1", subject=f"c{number}.x") for number in range(5)]
    world.queue_alarm("far", severity="P1", project_code="p3")
    for item, verdict, reason in zip(items[:4], ("true", "true", "false", "doubtful"), ("", "", "2", ""), strict=True):
        world.lease(world.ling, item)
        world.clock.move(seconds=4)
        world.judge(world.ling, item, verdict, reason)
    world.settle()
    world.clock.move(hours=1)
    world.judge(world.zhao, items[4], "false", "1")
    world.settle()
    with world.database.reading() as db:
        window = window_of(db, world.ling.scope, world.clock())
        counts = {row.severity: row for row in funnel_counts(db, world.ling.scope, window)}
        load = load_per_position(db, world.ling.scope, window)
        spent = time_spent(db, world.ling.scope, window)
        nobody = load_per_position(db, world.wei.scope, window)
    p1, whole = counts["P1"], counts[""]
    assert (p1.alarms, p1.items, p1.judged, p1.true, p1.false, p1.doubtful, p1.hazards) == (5, 5, 5, 2, 2, 1, 2)
    assert (whole.alarms, whole.items, counts["P3"].alarms) == (9, 5, 4)
    assert (load.position_hours, load.people, load.judged, load.judged_per_hour, load.peak) == (2, 2, 5, 2.5, 4)
    assert (spent.n, spent.median_s) == (4, 4.0)
    assert math.isnan(nobody.judged_per_hour)
