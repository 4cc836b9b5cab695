"""Import of one good line through the same offices as a person's form, with the same checks."""

from collections.abc import Callable, Mapping

from sqlalchemy import select

from regulator.base.act import Act
from regulator.base.days import read_day
from regulator.base.kinds import Category, DeviceKind, FirmRole
from regulator.base.model.refusals import RefusedError
from regulator.base.records.tables.registry import firms, regions
from regulator.base.texts import read_code, read_word
from regulator.parts.registry.importing.columns import ImportKind
from regulator.parts.registry.projects.device_office import Device, add_device
from regulator.parts.registry.projects.project_office import Project, put_firm, register_project
from regulator.parts.registry.projects.region_office import Firm, add_firm
from regulator.parts.registry.projects.set_office import Action, Proposal, SetRules, propose

_FIRMS = {"owner": FirmRole.OWNER, "contractor": FirmRole.CONTRACTOR, "supervisor": FirmRole.SUPERVISOR}
_Carrier = Callable[[Act, SetRules, str, Mapping[str, str]], None]


def carry(act: Act, rules: SetRules, kind: ImportKind, import_id: str, values: Mapping[str, str]) -> None:
    """Raises RefusedError, whose field names the column."""
    _CARRIERS[kind](act, rules, import_id, values)


def _project(act: Act, _rules: SetRules, _import_id: str, values: Mapping[str, str]) -> None:
    category = read_word(Category, values["category"], "category") if values["category"] else Category.OTHER
    plain = {key: values[key] for key in ("project_code", "name", "county_code", "stage", "started_on", "address")}
    city = read_code(values["city_code"], "city_code")
    province = act.db.scalar(select(regions.c.parent).where(regions.c.code == city)) or ""
    if not province:
        raise RefusedError(422, "no_such_city", f"没有市 {city}", f"no city {city}", "city_code")
    register_project(act, Project(**plain, province_code=province, city_code=city, category=category))
    for name, role in _FIRMS.items():
        if code := values[f"{name}_code"]:
            _firm(act, code, values[f"{name}_name"], role, f"{name}_code")
            put_firm(act, values["project_code"], code, role)


def _firm(act: Act, code: str, name: str, role: FirmRole, column: str) -> None:
    """One that the registry does not know is entered by its name."""
    known = act.db.scalar(select(firms.c.firm_code).where(firms.c.firm_code == read_code(code, column)))
    if known is None and not name:
        zh, en = f"没有企业 {code}，须填写名称", f"no firm {code}: give its name, too"
        raise RefusedError(422, "no_such_firm", zh, en, column)
    if known is None:
        add_firm(act, Firm(code, name, role))


def _device(act: Act, _rules: SetRules, _import_id: str, values: Mapping[str, str]) -> None:
    plain = {key: text for key, text in values.items() if key != "kind"}
    add_device(act, Device(**plain, kind=read_word(DeviceKind, values["kind"], "kind")))


def _member(act: Act, rules: SetRules, import_id: str, values: Mapping[str, str]) -> None:
    wanted = Proposal(
        action=Action.ADD,
        project_code=values["project_code"],
        effective_day=read_day(values["effective_day"], "effective_day"),
        category=read_word(Category, values["category"], "category"),
        category_reason=values["category_reason"],
        ground="import",
        batch=import_id,
    )
    propose(act.because(values["reason"]), rules, wanted)


_CARRIERS: dict[ImportKind, _Carrier] = {
    ImportKind.PROJECTS: _project,
    ImportKind.DEVICES: _device,
    ImportKind.SET: _member,
}
