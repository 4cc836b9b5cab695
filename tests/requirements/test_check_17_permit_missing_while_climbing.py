"""Check 17: climbing or erection that is seen without a valid permit is an alarm that cites its notice."""

from pathlib import Path

import pytest

from contract.mailbox import WorkPermit
from gateway.evidence.evidence import RecordKind
from gateway.model.permit import WorkKind
from gateway.model.verdict import Truth
from gateway.parts.permits.desk import NewPermit
from tests.fakes.loaded_site import IDLE_CRANE, crane_asset
from tests.fakes.permit_site import OFFICER, PermitSite

RULE = "crane.permit.climbing"
CLIMBING = {"work_status": 1.0, "motor": 1.0}
HOUR_NS = 3_600 * 1_000_000_000
START = "2026-03-02T08:00:00+08:00"
NAN = float("nan")


@pytest.fixture
async def box(tmp_path: Path):
    async with PermitSite(tmp_path, [crane_asset()], START) as box:
        await box.goes_on(10, 1.0, **IDLE_CRANE)
        yield box


def permit(
    box: PermitSite, work: WorkKind = WorkKind.CLIMBING, hours: float = 8.0, asset: str = "crane-1"
) -> NewPermit:
    now_ns = box.clock.now_ns()
    place = "5层" if work is WorkKind.HOT_WORK else ""
    until_ns = now_ns + round(hours * HOUR_NS)
    return NewPermit("2026-017", work, asset, place, "安装负责人", "项目监理部", now_ns, until_ns, "第3次顶升")


def from_the_desk(box: PermitSite, version: int = 1, **changes: object) -> WorkPermit:
    now_ns = box.clock.now_ns()
    fields = {
        "permit_id": "p-1",
        "version": version,
        "number": "2026-018",
        "work": "erection_dismantling",
        "asset": "crane-1",
        "holder": "安装负责人",
        "issued_by": "监管部门",
        "valid_from_ns": now_ns,
        "valid_until_ns": now_ns + 8 * HOUR_NS,
    }
    return WorkPermit.model_validate(fields | changes)


async def test_climbing_without_a_permit_is_an_alarm_citing_the_notice(box: PermitSite) -> None:
    await box.goes_on(20, 1.0, **CLIMBING)
    (told,) = await box.told(RULE)
    assert "晋建综〔2024〕103号 II(3)3" in told["clause"]
    assert "晋建综〔2024〕103号 II(3)3" in told["clause"]
    assert (told["limit_source"], told["certainty"]) == ("local_code", "V1")
    assert (told["severity"], told["suspected"], told["hazard"]) == ("P2", False, None)
    (sealed,) = await box.sealed(RULE)
    assert sealed["samples"][-1]["device"] == "crane-1:permission"


async def test_a_mast_that_grows_is_climbing_too(box: PermitSite) -> None:
    await box.goes_on(60, 1.0, crane_h_m=47.8)
    assert RULE in await box.raised("crane.permit")


async def test_a_permit_of_the_site_covers_it_and_is_sealed(box: PermitSite) -> None:
    await box.done(box.desk.enter_permit(permit(box), OFFICER))
    await box.goes_on(60, 1.0, **CLIMBING)
    assert await box.raised("crane.permit") == []
    assert box.truth(RULE) is Truth.FALSE
    (sealed,) = box.sealed_office(RecordKind.WORK_PERMIT)
    assert (sealed["event"], sealed["user"], sealed["permit"]["work"]) == ("entered", OFFICER, "climbing")


async def test_a_permit_from_the_regulator_covers_it(box: PermitSite) -> None:
    await box.down("work_permit", from_the_desk(box))
    await box.goes_on(60, 1.0, **CLIMBING)
    assert await box.raised("crane.permit") == []


async def test_a_permit_that_ends_during_the_work_leaves_it_uncovered(box: PermitSite) -> None:
    await box.done(box.desk.enter_permit(permit(box, hours=0.01), OFFICER))
    await box.goes_on(30, 1.0, **CLIMBING)
    assert await box.raised("crane.permit") == []
    await box.goes_on(30, 1.0)
    assert await box.raised("crane.permit") == [RULE]


async def test_a_withdrawn_permit_covers_nothing_and_stays_in_the_records(box: PermitSite) -> None:
    await box.done(box.desk.enter_permit(permit(box), OFFICER))
    (entered,) = box.register.permits
    await box.done(box.desk.withdraw_permit(entered.permit_id, OFFICER, "大风"))
    await box.goes_on(30, 1.0, **CLIMBING)
    assert await box.raised("crane.permit") == [RULE]
    assert [each["event"] for each in box.sealed_office(RecordKind.WORK_PERMIT)] == ["entered", "withdrawn"]
    (known,) = box.register.permits
    assert (known.withdrawn, known.number) == (True, "2026-017")


async def test_the_regulator_withdraws_its_own(box: PermitSite) -> None:
    await box.down("work_permit", from_the_desk(box))
    await box.down("work_permit", from_the_desk(box, 2, withdrawn=True))
    await box.down("work_permit", from_the_desk(box))  # the first version again, late
    await box.goes_on(30, 1.0, **CLIMBING)
    assert await box.raised("crane.permit") == [RULE]


@pytest.mark.parametrize("changes", [{"asset": "crane-2"}, {"work": "hot_work"}, {"valid_from_ns": 2**62}])
async def test_a_permit_for_something_else_does_not_count(box: PermitSite, changes: dict[str, object]) -> None:
    later = {"valid_until_ns": 2**62 + HOUR_NS} if "valid_from_ns" in changes else {}
    await box.down("work_permit", from_the_desk(box, **changes, **later))
    await box.goes_on(30, 1.0, **CLIMBING)
    assert await box.raised("crane.permit") == [RULE]


async def test_a_permit_that_comes_after_ends_the_alarm(box: PermitSite) -> None:
    await box.goes_on(20, 1.0, **CLIMBING)
    await box.done(box.desk.enter_permit(permit(box), OFFICER))
    await box.goes_on(90, 1.0)
    assert len(await box.told(RULE, "returned")) == 1


async def test_a_crane_that_only_lifts_needs_none(box: PermitSite) -> None:
    await box.goes_on(60, 1.0, load_t=2.0, motor=1.0)
    assert await box.raised("crane.permit") == []


@pytest.mark.parametrize("lost", [{"work_status": NAN}, {"crane_h_m": NAN}])
async def test_what_is_not_known_is_neither_clear_nor_an_alarm(box: PermitSite, lost: dict[str, float]) -> None:
    await box.goes_on(60, 1.0, **lost)
    assert await box.raised("crane.permit") == []
    assert box.truth(RULE) is Truth.UNKNOWN
    assert box.shown_unknown(RULE)


async def test_no_rule_claims_to_see_hot_work(box: PermitSite) -> None:
    """No instrument of the box sees it: a permit is kept, and nothing says that its absence would be noticed."""
    hot = permit(box, WorkKind.HOT_WORK, asset="")
    await box.done(box.desk.enter_permit(hot, OFFICER))
    assert [each.work for each in box.register.permits] == [WorkKind.HOT_WORK]
    assert [rule.info.rule_id for rule in box.settings.rules if "hot" in rule.info.rule_id] == []
