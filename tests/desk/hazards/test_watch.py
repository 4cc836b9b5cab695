"""What time does to a general hazard: county, city, province; a listing that is proposed once and decided by people."""

from regulator.base.model.hazard_states import HazardAction
from regulator.parts.hazards.requests import requests_of
from regulator.parts.hazards.stock import stock_of
from regulator.parts.hazards.watch import holders_of
from tests.fakes.hazard_bench import CHEN, LI, HazardBench

A = HazardAction


def test_overdue_goes_up_once_a_level_and_a_listing_is_proposed_once(bench: HazardBench) -> None:
    hazard_id = bench.open()
    bench.act(hazard_id, A.CONFIRM, LI)
    bench.act(hazard_id, A.ORDER, LI)
    for days in (16, 7, 30, 1):
        bench.clock.move(days=days)
        bench.watch.run(bench.clock())
        bench.watch.run(bench.clock())
    with bench.database.reading() as db:
        assert [row.level for row in holders_of(db, hazard_id)] == ["county", "city", "province"]
        assert [(row.kind, row.asked_by, row.outcome) for row in requests_of(db, hazard_id)] == [
            ("supervision", "system", "")
        ]
    assert bench.value(hazard_id, "state") == "ordered"
    bench.act(hazard_id, A.SUPERVISE, CHEN, words="长期未整改")
    with bench.database.reading() as db:
        assert [row.outcome for row in requests_of(db, hazard_id)] == ["granted"]
        stock = stock_of(db, LI, 3, bench.clock())
    assert bench.value(hazard_id, "listed_level") == "city"
    flows = [(flow.month.month, flow.opening, flow.new, flow.closed, flow.closing) for flow in stock.months]
    assert flows == [(2, 0, 0, 0, 0), (3, 0, 1, 0, 1), (4, 1, 0, 0, 1)]
    assert stock.ages == (0, 1, 0, 0)
