"""The closed loop through the office: judged, ordered, answered, rechecked, closed and looked back at."""

import pytest
from sqlalchemy import insert, select

from contract.chain import ChainHead
from contract.signing import SignKey
from regulator.base.model.actor import Actor
from regulator.base.model.hazard import Channel
from regulator.base.model.hazard_states import HazardAction, HazardState
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import entries_about, verify_ledger
from regulator.base.records.tables.hazards import hazard_evidence
from regulator.base.records.tables.intake import alarms
from regulator.parts.hazards.analogy import AnalogyResult, Seen, checks_of, record_check, report
from regulator.parts.hazards.deadlines import open_deadlines
from regulator.parts.hazards.evidence import EvidenceKind
from tests.fakes.hazard_bench import AUDITOR, BOX, CHEN, LI, SITE, STRANGER, WANG, HazardBench

A, S = HazardAction, HazardState


def refused_with(
    bench: HazardBench, code: str, hazard_id: str, action: HazardAction, actor: Actor, **what: object
) -> None:
    with pytest.raises(RefusedError) as refused:
        bench.act(hazard_id, action, actor, **what)
    assert refused.value.code == code


def test_a_general_hazard_is_closed_by_two_parties(bench: HazardBench, desk_key: SignKey) -> None:
    hazard_id = bench.open()
    refused_with(bench, "no_such_hazard", hazard_id, A.CONFIRM, STRANGER)
    refused_with(bench, "not_your_duty", hazard_id, A.CONFIRM, AUDITOR)
    refused_with(bench, "not_in_this_state", hazard_id, A.ORDER, LI)
    bench.act(hazard_id, A.CONFIRM, LI)
    bench.act(hazard_id, A.ORDER, LI, words="三日内加装")
    (order,) = bench.posted.orders
    assert (order.number, order.severity, order.words) == ("ZG-330106-2026-0001", "P2", "三日内加装")
    assert order.deadline_at_ns == bench.value(hazard_id, "due_at_ns")
    assert "15 日" in order.legal_basis
    refused_with(bench, "no_new_evidence", hazard_id, A.SUBMIT, SITE)
    bench.act(hazard_id, A.ACCEPT, SITE)
    before = bench.photo()
    bench.act(hazard_id, A.SUBMIT, SITE, evidence=(before,))
    refused_with(bench, "no_new_evidence", hazard_id, A.CLOSE, WANG)
    refused_with(bench, "no_new_evidence", hazard_id, A.CLOSE, WANG, evidence=(before,))
    bench.act(hazard_id, A.SEND_BACK, WANG, words="仅装一半")
    bench.clock.move(days=1)
    bench.put_right(hazard_id)
    assert bench.act(hazard_id, A.CLOSE, WANG, evidence=(bench.photo(),)) is S.CLOSED
    assert bench.value(hazard_id, "due_at_ns") == 0
    with bench.database.reading() as db:
        assert [row.what for row in open_deadlines(db, hazard_id)] == ["look_back", "look_back"]
        end = verify_ledger(db, "project:p1", {desk_key.public.key_id: desk_key.public})
        assert isinstance(end, ChainHead)
        about = entries_about(db, hazard_id)
        moves = [entry.fields["kind"] for entry in about if str(entry.fields["kind"]).startswith("hazard_")]
        seqs = set(db.scalars(select(hazard_evidence.c.ledger_seq)))
        assert seqs <= {entry.seq for entry in about}
    assert moves == [
        "hazard_opened",
        "hazard_confirm",
        "hazard_order",
        "hazard_accept",
        "hazard_submit",
        "hazard_send_back",
        "hazard_submit",
        "hazard_close",
    ]


def test_it_recurs_and_is_reopened(bench: HazardBench) -> None:
    hazard_id = bench.open()
    for action, actor in ((A.CONFIRM, LI), (A.ORDER, LI)):
        bench.act(hazard_id, action, actor)
    bench.put_right(hazard_id)
    bench.act(hazard_id, A.CLOSE, LI, evidence=(bench.photo(),))
    bench.clock.move(days=29)
    bench.act(hazard_id, A.LOOK_BACK, WANG, words="完好", evidence=(bench.photo(),))
    bench.clock.move(days=20)
    assert bench.act(hazard_id, A.REOPEN, WANG, words="再次缺失") is S.CONFIRMED
    with bench.database.reading() as db:
        assert open_deadlines(db, hazard_id) == []
    bench.act(hazard_id, A.ORDER, LI)
    assert bench.value(hazard_id, "round") == 2


def test_whoever_answered_does_not_recheck_nor_does_a_delegate(bench: HazardBench) -> None:
    both = Actor("li", "李工", LI.scope, LI.duties, on_behalf_of="site")
    hazard_id = bench.open()
    bench.act(hazard_id, A.CONFIRM, LI)
    bench.act(hazard_id, A.ORDER, LI)
    bench.put_right(hazard_id)
    refused_with(bench, "same_person", hazard_id, A.CLOSE, both, evidence=(bench.photo(),))
    bench.act(hazard_id, A.ADD_EVIDENCE, WANG, evidence=(bench.photo(),), kind=EvidenceKind.RECHECK)
    assert bench.act(hazard_id, A.CLOSE, LI) is S.CLOSED


def test_a_confirmed_major_is_stopped_listed_and_sought_elsewhere(bench: HazardBench) -> None:
    hazard_id = bench.major()
    row = bench.row(hazard_id)
    assert (row.grade, row.listed_level, row.works_type, row.stopped_at_ns) == (
        "major",
        "city",
        "lifting",
        bench.clock(),
    )
    kinds = sorted(order.number[:2] for order in bench.posted.orders)
    assert kinds == ["DB", "DB", "TG", "ZG"]
    assert {box for box, _, _ in bench.posted.messages} == {BOX}
    with bench.database.transaction() as db:
        (check,) = checks_of(db, hazard_id)
        assert (check.project_code, check.result) == ("p2", None)
        seen = Seen(AnalogyResult.NONE, "三台塔吊安全装置完好")
        record_check(db, bench.office.ledger, (hazard_id, "p2"), seen, CHEN, bench.clock())
        assert report(db, hazard_id).is_complete
        with pytest.raises(RefusedError, match="already_done"):
            record_check(db, bench.office.ledger, (hazard_id, "p2"), seen, CHEN, bench.clock())


def test_a_major_is_not_graded_down_by_one_person(bench: HazardBench) -> None:
    hazard_id = bench.major()
    refused_with(bench, "nothing_asked", hazard_id, A.DECIDE_REGRADE, WANG)
    bench.act(hazard_id, A.ASK_REGRADE, WANG, words="复核为一般")
    refused_with(bench, "same_person", hazard_id, A.DECIDE_REGRADE, WANG)
    refused_with(bench, "not_your_duty", hazard_id, A.DECIDE_REGRADE, LI)
    bench.act(hazard_id, A.DECIDE_REGRADE, CHEN, grant=False)
    assert bench.value(hazard_id, "grade") == "major"
    bench.clock.move(hours=1)
    bench.act(hazard_id, A.ASK_REGRADE, WANG, words="补充材料")
    bench.act(hazard_id, A.DECIDE_REGRADE, CHEN)
    row = bench.row(hazard_id)
    assert (row.grade, row.listed_level) == ("general", "")


def test_refused_by_the_site_and_handed_over(bench: HazardBench) -> None:
    hazard_id = bench.major()
    bench.act(hazard_id, A.DISPUTE, SITE, words="不同意")
    refused_with(bench, "no_new_evidence", hazard_id, A.RECORD_REFUSAL, LI, words="拒绝停工")
    bench.act(hazard_id, A.RECORD_REFUSAL, LI, words="拒绝停工", evidence=(bench.photo(),))
    refused_with(bench, "not_your_duty", hazard_id, A.HAND_OVER, LI, words="移送")
    bench.act(hazard_id, A.HAND_OVER, WANG, words="移送危险作业罪线索")
    assert bench.value(hazard_id, "handed_over_at_ns") == bench.clock()
    assert bench.act(hazard_id, A.RESUME_RECTIFICATION, LI, words="已同意整改") is S.RECTIFYING


@pytest.mark.parametrize(("kind", "works", "projects"), [("tower-crane", "lifting", ["p2"]), ("deep-pit", "pit", [])])
def test_a_boxs_alarm_says_which_works_are_alike(
    bench: HazardBench, kind: str, works: str, projects: list[str]
) -> None:
    """Without an article of the catalogue: by the kind of asset, in the word that boxes send."""
    with bench.database.transaction() as db:
        row = {"box_id": BOX, "alarm_id": "a1", "project_code": "p1", "rule_id": "r", "severity": "P1"}
        db.execute(insert(alarms).values(**row, asset_kind=kind))
    hazard_id = bench.open(channel=Channel.DEVICE, box_id=BOX, alarm_id="a1", event_key=f"{BOX}/a1")
    bench.act(hazard_id, A.GRADE_UP, LI, words="构成重大隐患")
    assert bench.value(hazard_id, "works_type") == works
    with bench.database.reading() as db:
        assert [check.project_code for check in checks_of(db, hazard_id)] == projects
