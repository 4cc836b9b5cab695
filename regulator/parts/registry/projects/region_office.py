"""Regions and firms: what projects and scopes hang on. Kept by administrators of the province; never deleted."""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from regulator.base.act import FIRMS_CHAIN, REGIONS_CHAIN, Act
from regulator.base.kinds import FirmRole, RegionLevel, Standing
from regulator.base.model.actor import Duty, Level
from regulator.base.model.authority import require_duty
from regulator.base.model.refusals import RefusedError
from regulator.base.records.tables.registry import firms, regions
from regulator.base.texts import read_code, read_text

_ABOVE = {RegionLevel.CITY: RegionLevel.PROVINCE, RegionLevel.COUNTY: RegionLevel.CITY}


@dataclass(frozen=True, slots=True)
class Region:
    """`parent`: the code of the region above, empty for a province."""

    code: str
    name: str
    level: RegionLevel
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Firm:
    """`kind`: what the firm mostly is."""

    firm_code: str
    name: str
    kind: FirmRole = FirmRole.CONTRACTOR


def add_region(act: Act, region: Region) -> None:
    """Raises RefusedError: not the province's administrator, code taken, parent missing or of the wrong level."""
    require_duty(act.actor, Duty.ADMINISTRATOR, levels=(Level.PROVINCE,))
    code, name = read_code(region.code, "code"), read_text(region.name, "name")
    if act.db.scalar(select(regions.c.code).where(regions.c.code == code)) is not None:
        raise RefusedError(409, "code_taken", f"已有编码 {code}", f"the code {code} is taken", "code")
    _check_parent(act.db, region)
    act.db.execute(insert(regions).values(code=code, name=name, level=region.level.value, parent=region.parent))
    content = {"name": name, "level": region.level.value, "parent": region.parent}
    act.write("region_added", code, content, chain=REGIONS_CHAIN)


def rename_region(act: Act, code: str, name: str) -> None:
    """Raises RefusedError: not the province's administrator, no such region, nothing changed."""
    require_duty(act.actor, Duty.ADMINISTRATOR, levels=(Level.PROVINCE,))
    new = read_text(name, "name")
    before = act.db.scalar(select(regions.c.name).where(regions.c.code == code).with_for_update())
    if before is None:
        raise RefusedError(404, "no_such_region", f"没有区划 {code}", f"no region {code}", "code")
    if before == new:
        raise RefusedError(422, "nothing_changed", "没有变更", "nothing was changed", "name")
    act.db.execute(update(regions).where(regions.c.code == code).values(name=new))
    act.write("region_renamed", code, {"before": str(before), "after": new}, chain=REGIONS_CHAIN)


def add_firm(act: Act, firm: Firm) -> None:
    """Enter a firm. Raises RefusedError: no administrator, or the code is another firm's."""
    require_duty(act.actor, Duty.ADMINISTRATOR)
    code, name = read_code(firm.firm_code, "firm_code"), read_text(firm.name, "name")
    act.ledger.hold(act.db, FIRMS_CHAIN)  # before the row: a list that is taken over holds it from the start
    if act.db.scalar(select(firms.c.firm_code).where(firms.c.firm_code == code)) is not None:
        raise RefusedError(409, "code_taken", f"已有编码 {code}", f"the code {code} is taken", "firm_code")
    act.db.execute(insert(firms).values(firm_code=code, name=name, kind=firm.kind.value))
    act.write("firm_added", code, {"name": name, "kind": firm.kind.value}, chain=FIRMS_CHAIN)


def rename_firm(act: Act, firm_code: str, name: str) -> None:
    """Raises RefusedError: no administrator, no such firm."""
    require_duty(act.actor, Duty.ADMINISTRATOR)
    new = read_text(name, "name")
    before = _firm_name(act.db, firm_code)
    act.db.execute(update(firms).where(firms.c.firm_code == firm_code).values(name=new))
    act.write("firm_renamed", firm_code, {"before": before, "after": new}, chain=FIRMS_CHAIN)


def end_firm(act: Act, firm_code: str) -> None:
    """No longer used for anything new; what it did stays. Raises RefusedError: no administrator, no such firm."""
    require_duty(act.actor, Duty.ADMINISTRATOR, levels=(Level.PROVINCE,))
    name = _firm_name(act.db, firm_code)
    act.db.execute(update(firms).where(firms.c.firm_code == firm_code).values(status=Standing.ENDED.value))
    act.write("firm_ended", firm_code, {"name": name}, chain=FIRMS_CHAIN)


def require_active_firm(db: Connection, firm_code: str) -> str:
    """The firm's name. Raises RefusedError 422 for one that is not there or has ended."""
    found = select(firms.c.name).where(firms.c.firm_code == firm_code, firms.c.status == Standing.ACTIVE.value)
    name = db.scalar(found)
    if name is None:
        raise RefusedError(422, "no_such_firm", f"没有企业 {firm_code}", f"no firm {firm_code}", "firm_code")
    return str(name)


def _firm_name(db: Connection, firm_code: str) -> str:
    name = db.scalar(select(firms.c.name).where(firms.c.firm_code == firm_code).with_for_update())
    if name is None:
        raise RefusedError(404, "no_such_firm", f"没有企业 {firm_code}", f"no firm {firm_code}", "firm_code")
    return str(name)


def _check_parent(db: Connection, region: Region) -> None:
    above = _ABOVE.get(region.level)
    level = db.scalar(select(regions.c.level).where(regions.c.code == region.parent)) if region.parent else None
    if level != (above.value if above else None):
        zh = above.zh if above else "空"
        en = f"a {above.en}" if above else "empty"
        raise RefusedError(422, "wrong_parent", f"上级区划应为{zh}", f"the region above has to be {en}", "parent")
