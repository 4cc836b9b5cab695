"""The device channel: not closed while its rule is true or unknown; a true verdict has judged; edition of the day."""

import pytest
from sqlalchemy import insert, update

from regulator.base.model.hazard import Channel
from regulator.base.model.hazard_states import HazardAction
from regulator.base.model.refusals import RefusedError
from regulator.base.records.tables.intake import alarms
from regulator.parts.hazards.catalogue import Judged
from regulator.parts.hazards.catalogue_file import load_catalogue
from regulator.parts.hazards.opening import open_hazard
from screens.formats import site_time
from tests.fakes.hazard_bench import BOX, LI, WANG, HazardBench

A = HazardAction


def from_alarm(bench: HazardBench, **changes: object) -> str:
    device = {"channel": Channel.DEVICE, "box_id": BOX, "alarm_id": "a1", "event_key": f"{BOX}/a1", "rule_id": "edge"}
    with bench.database.transaction() as db:
        return open_hazard(db, bench.office.ledger, bench.found(**(device | changes)), LI, bench.clock())


def test_a_true_verdict_has_judged_but_graded_nothing(bench: HazardBench) -> None:
    assert bench.value(from_alarm(bench), "state") == "confirmed"
    suspected = {"catalogue_code": "MH24-8-4", "catalogue_edition": "2024", "event_key": f"{BOX}/a2"}
    assert bench.value(from_alarm(bench, **suspected), "state") == "pending"


def test_it_is_not_closed_while_its_rule_is_true_or_unknown_without_a_reason(bench: HazardBench) -> None:
    hazard_id = from_alarm(bench)
    bench.act(hazard_id, A.ORDER, LI)
    bench.put_right(hazard_id)
    with pytest.raises(RefusedError, match="alarm_still_active"):
        bench.act(hazard_id, A.CLOSE, WANG, evidence=(bench.photo(),))
    with bench.database.transaction() as db:
        row = {"box_id": BOX, "alarm_id": "a1", "project_code": "p1", "rule_id": "edge", "severity": "P2"}
        db.execute(insert(alarms).values(**row, active=1))
    with pytest.raises(RefusedError, match="alarm_still_active"):
        bench.act(hazard_id, A.CLOSE, WANG, evidence=(bench.photo(),))
    with bench.database.transaction() as db:
        db.execute(update(alarms).values(active=0, returned_at_ns=bench.clock()))
    bench.act(hazard_id, A.CLOSE, WANG, evidence=(bench.photo(),))


def test_an_override_with_words_closes_it_and_stands_in_the_ledger(bench: HazardBench) -> None:
    hazard_id = from_alarm(bench)
    bench.act(hazard_id, A.ORDER, LI)
    bench.put_right(hazard_id)
    with pytest.raises(RefusedError, match="alarm_still_active"):
        bench.act(hazard_id, A.CLOSE, WANG, override="  ", evidence=(bench.photo(),))
    bench.act(hazard_id, A.CLOSE, WANG, override="传感器已拆除", evidence=(bench.photo(),))
    assert bench.value(hazard_id, "state") == "closed"


@pytest.mark.parametrize(
    ("day", "judged"),
    [
        ("2024-12-12T23:59:59", Judged("MH22-8-5", "2022", "MH24-8-4", "2024")),
        ("2024-12-13T00:00:00", Judged("MH24-8-4", "2024", "MH22-8-5", "2022")),
    ],
)
def test_the_edition_of_the_day_judges_and_both_codes_are_known(day: str, judged: Judged) -> None:
    """Check 16 at the desk, without a database."""
    from regulator.parts.hazards.hazard_forms import moment

    at = site_time(moment(day, "observed_at")).date()
    assert load_catalogue().judge("MH24-8-4", at) == judged
    assert load_catalogue().judge("MH22-8-5", at) == judged
