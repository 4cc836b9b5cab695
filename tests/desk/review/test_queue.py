"""The queue's order and pages, contact sheets, and what hostile words do to a search."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import entries_about
from regulator.parts.review.funnel import Stage
from regulator.parts.review.judgement import read_judgement
from regulator.parts.review.queue import Wanted, count_waiting, read_place, read_queue
from regulator.parts.review.sheets import judge_sheet, lay_out
from tests.fakes.review_world import ReviewWorld

MINUTE_NS = 60_000_000_000


def _order(world: ReviewWorld, **wanted: str) -> list[str]:
    with world.database.reading() as db:
        return [row.title_zh for row in read_queue(db, world.ling, world.clock(), Wanted(**wanted)).rows]


def test_priority_then_age_then_risk_a_page_at_a_time(world: ReviewWorld) -> None:
    now_ns = world.clock()
    made = [
        ("late P1", "P1", 1, Stage.PRIORITY),
        ("old P2", "P2", 90, Stage.UNACKNOWLEDGED),
        ("early P1", "P1", 5, Stage.PRIORITY),
        ("P2 of the same minute", "P2", 30, Stage.UNACKNOWLEDGED),
        ("repeated P2 of the same minute", "P2", 30, Stage.REPEATED),
        ("handed over", "P3", 200, Stage.HANDED_OVER),
    ]
    for number, (title, severity, minutes, stage) in enumerate(made):
        raised = now_ns - minutes * MINUTE_NS
        world.queue_alarm(f"a{number}", stage, title_zh=title, severity=severity, raised_at_ns=raised)
    whole = _order(world)
    assert whole == [
        "early P1",
        "late P1",
        "old P2",
        "repeated P2 of the same minute",
        "P2 of the same minute",
        "handed over",
    ]
    pages, after = [], None
    with world.database.reading() as db:
        for _ in range(4):
            page = read_queue(db, world.ling, now_ns, after=after, limit=2)
            pages.append([row.title_zh for row in page.rows])
            after = page.next and read_place(str(page.next))
            if after is None:
                break
        assert count_waiting(db, world.ling, world.clock()) == {"P1": 2, "P2": 3, "P3": 1, "log": 0}
        assert count_waiting(db, world.wei, world.clock()) == {"P1": 0, "P2": 0, "P3": 0, "log": 0}
    assert [title for page in pages for title in page] == whole
    assert [len(page) for page in pages] == [2, 2, 2]


def test_a_search_finds_words_and_takes_them_as_words(world: ReviewWorld) -> None:
    hostile = """'; DROP TABLE review_items; -- <script>alert(1)</script> 100% _"""
    world.queue_alarm("a1", title_zh=hostile)
    world.queue_alarm("a2", title_en="Edge open", title_zh="临边", subject="cam-9.edge_open_1", project_code="p2")
    assert _order(world, words=hostile) == [hostile]
    assert _order(world, words="100% _") == [hostile]
    assert _order(world, words="%") == [hostile]
    assert _order(world, words="EDGE") == _order(world, words="cam-9") == _order(world, project_code="p2") == ["临边"]
    assert _order(world, words="'; DROP TABLE") == [hostile]


@pytest.mark.parametrize("text", ["1", "1.2.3", "a.b.c.d", "1.2.x.y"])
def test_a_place_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="bad_place"):
        read_place(text)


def test_a_sheet_is_judged_at_once_for_what_was_on_it(world: ReviewWorld) -> None:
    items = [world.queue_alarm(f"a{number:02}") for number in range(18)]
    grave = world.queue_alarm("grave", severity="P1")
    elsewhere = world.queue_alarm("elsewhere", subject="cam-2.bare_head_1")
    world.lease(world.zhao, items[0])
    said = read_judgement("false", "1", "")
    with world.database.transaction() as db:
        sheet = lay_out(db, world.ledger, world.ling, items[3], world.clock())
    assert len(sheet.item_ids) == 16
    assert not {items[0], grave, elsewhere} & set(sheet.item_ids)
    picked = sheet.item_ids[:5]
    for wrong in ([], [elsewhere], [*picked, grave]):
        with pytest.raises(RefusedError, match="not_on_sheet"), world.database.transaction() as db:
            judge_sheet(db, world.verdicts, world.ling, sheet.sheet_id, wrong, said, world.clock())
    with pytest.raises(RefusedError, match="no_such_sheet"), world.database.transaction() as db:
        judge_sheet(db, world.verdicts, world.zhao, sheet.sheet_id, picked, said, world.clock())
    with world.database.transaction() as db:
        judge_sheet(db, world.verdicts, world.ling, sheet.sheet_id, picked, said, world.clock())
    rows = [world.item(item) for item in picked]
    assert {(row.state, row.verdict, row.bulk, row.sheet_id) for row in rows} == {
        ("provisional", "false", 1, sheet.sheet_id)
    }
    with world.database.reading() as db:
        judged = [e.fields["content"] for e in entries_about(db, picked[0]) if e.fields["kind"] == "review_judged"]
    assert judged[0]["bulk"] is True
    with world.database.transaction() as db:
        assert world.verdicts.undo_sheet(db, world.ling, sheet.sheet_id, world.clock()) == 5
    assert {world.item(item).state for item in picked} == {"open"}


def test_a_sheet_is_all_or_nothing_and_grows_old(world: ReviewWorld) -> None:
    items = [world.queue_alarm(f"a{number}") for number in range(3)]
    said = read_judgement("false", "1", "")
    with world.database.transaction() as db:
        sheet = lay_out(db, world.ledger, world.ling, items[0], world.clock())
    world.clock.move(seconds=61)
    world.judge(world.zhao, items[1], "true")
    with pytest.raises(RefusedError, match="judged_already"), world.database.transaction() as db:
        judge_sheet(db, world.verdicts, world.ling, sheet.sheet_id, items, said, world.clock())
    assert [world.item(item).verdict for item in items] == ["", "true", ""]
    world.clock.move(seconds=600)
    with pytest.raises(RefusedError, match="sheet_too_old"), world.database.transaction() as db:
        judge_sheet(db, world.verdicts, world.ling, sheet.sheet_id, items[:1], said, world.clock())


def test_a_sheet_and_single_verdicts_at_once_never_wait_for_each_other(world: ReviewWorld) -> None:
    items = sorted(world.queue_alarm(f"a{number}") for number in range(8))
    with world.database.transaction() as db:
        sheet = lay_out(db, world.ledger, world.ling, items[0], world.clock())
    world.clock.move(seconds=61)
    said, start, codes = read_judgement("false", "1", ""), threading.Barrier(2), []

    def together() -> None:
        start.wait(timeout=30)
        try:
            with world.database.transaction() as db:
                judge_sheet(db, world.verdicts, world.ling, sheet.sheet_id, sheet.item_ids, said, world.clock())
        except RefusedError as refused:
            codes.append(refused.code)

    def one_by_one() -> None:
        start.wait(timeout=30)
        for item in reversed(items):
            try:
                world.judge(world.zhao, item, "true")
            except RefusedError as refused:
                codes.append(refused.code)

    with ThreadPoolExecutor(2) as pool:
        for work in [pool.submit(together), pool.submit(one_by_one)]:
            work.result(timeout=60)
    verdicts = [world.item(item).verdict for item in items]
    assert verdicts in (["false"] * 8, ["true"] * 8)
    assert set(codes) == {"judged_already"}


def test_a_p1_has_no_sheet(world: ReviewWorld) -> None:
    item = world.queue_alarm("a1", severity="P1")
    with pytest.raises(RefusedError, match="never_bulk"), world.database.transaction() as db:
        lay_out(db, world.ledger, world.ling, item, world.clock())
