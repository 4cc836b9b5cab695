"""Devices and dangerous works of a project, and which camera watches which work. Nothing is deleted, it ends."""

import json
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from regulator.base.act import Act
from regulator.base.days import read_day_or_none
from regulator.base.kinds import DeviceKind, Standing, WorkStage, WorkType
from regulator.base.model.actor import Duty
from regulator.base.model.authority import require_duty
from regulator.base.model.refusals import RefusedError
from regulator.base.records.tables.registry import dangerous_works, devices, projects, work_watches
from regulator.base.texts import read_code, read_code_or_none, read_text
from regulator.parts.registry.projects.project_office import take_project
from regulator.parts.registry.projects.region_office import require_active_firm

KEEPERS = (Duty.ADMINISTRATOR, Duty.REVIEWER, Duty.INSPECTOR)
"""Who keeps devices and works: the people who see them on site, too."""


@dataclass(frozen=True, slots=True)
class Device:
    """`asset`: its name on the site's box (empty: not connected). `firm_code`: who rents it out or put it up."""

    project_code: str
    device_code: str
    kind: DeviceKind
    name: str
    firm_code: str = ""
    serial: str = ""
    registration: str = ""
    asset: str = ""


@dataclass(frozen=True, slots=True)
class DangerousWork:
    """From `from_day` to `to_day`, both ISO and both within; `to_day` may be empty."""

    project_code: str
    work_code: str
    type: WorkType
    name: str
    stage: WorkStage = WorkStage.PLANNED
    from_day: str = ""
    to_day: str = ""
    over_scale: bool = False


def add_device(act: Act, device: Device) -> None:
    """Enter a device. Raises RefusedError: 403, 404, bad text, unknown firm, code taken (409)."""
    require_duty(act.actor, *KEEPERS)
    take_project(act.db, act.actor, device.project_code)
    checked = _checked_device(act.db, device)
    _refuse_taken(act.db, checked)
    values = asdict(checked) | {"kind": checked.kind.value}
    act.db.execute(insert(devices).values(**values, registered_at_ns=act.now_ns))
    act.write("device_added", checked.device_code, values, checked.project_code)


def end_device(act: Act, project_code: str, device_code: str) -> None:
    """Taken down or entered by mistake. Raises RefusedError: 403, 404."""
    require_duty(act.actor, *KEEPERS)
    take_project(act.db, act.actor, project_code)
    at = devices.c
    ended = act.db.execute(
        update(devices)
        .where(at.project_code == project_code, at.device_code == device_code, at.status == Standing.ACTIVE.value)
        .values(status=Standing.ENDED.value, ended_at_ns=act.now_ns)
    )
    if ended.rowcount == 0:
        raise RefusedError(404, "no_such_device", "没有这台设备", "no such device", "device_code")
    act.write("device_ended", device_code, {}, project_code)


def put_work(act: Act, work: DangerousWork) -> None:
    """Enter a dangerous work, or bring one to what is given (stage, days). Raises RefusedError: 403, 404, 422."""
    require_duty(act.actor, *KEEPERS)
    take_project(act.db, act.actor, work.project_code)
    checked = _checked_work(work)
    at, values = dangerous_works.c, _work_columns(checked)
    ours = (at.project_code == checked.project_code, at.work_code == checked.work_code)
    before = act.db.execute(select(dangerous_works).where(*ours)).mappings().first()
    if before is None:
        act.db.execute(insert(dangerous_works).values(**values, registered_at_ns=act.now_ns))
    else:
        act.db.execute(update(dangerous_works).where(*ours).values(**values))
    old = {} if before is None else {name: before[name] for name in values}
    act.write("work_put", checked.work_code, {"before": old, "after": values}, checked.project_code)
    _keep_types(act.db, checked.project_code)


def watch_work(act: Act, project_code: str, work_code: str, device_code: str, *, watches: bool) -> None:
    """Say that a camera watches a work, or that it no longer does. Raises RefusedError: 403, 404, 422 no camera."""
    require_duty(act.actor, *KEEPERS)
    take_project(act.db, act.actor, project_code)
    _require_work(act.db, project_code, work_code)
    _require_camera(act.db, project_code, device_code)
    key = {"project_code": project_code, "work_code": work_code, "device_code": device_code}
    times = {"since_ns": act.now_ns, "until_ns": 0} if watches else {"until_ns": act.now_ns}
    dialect = postgresql if act.db.dialect.name == "postgresql" else sqlite
    added = dialect.insert(work_watches).values(**key, **times)
    act.db.execute(added.on_conflict_do_update(index_elements=list(key), set_=times))
    act.write("work_watched", work_code, {"device_code": device_code, "watches": watches}, project_code)


def _checked_device(db: Connection, device: Device) -> Device:
    checked = replace(
        device,
        device_code=read_code(device.device_code, "device_code"),
        name=read_text(device.name, "name"),
        firm_code=read_code_or_none(device.firm_code, "firm_code"),
        serial=read_text(device.serial, "serial", needed=False),
        registration=read_text(device.registration, "registration", needed=False),
        asset=read_code_or_none(device.asset, "asset"),
    )
    if checked.firm_code:
        require_active_firm(db, checked.firm_code)
    return checked


def _refuse_taken(db: Connection, device: Device) -> None:
    at = devices.c
    ours = (at.project_code == device.project_code, at.device_code == device.device_code)
    if db.scalar(select(at.device_code).where(*ours)) is not None:
        code = device.device_code
        raise RefusedError(409, "code_taken", f"已有设备编码 {code}", f"the device code {code} is taken", "device_code")


def _checked_work(work: DangerousWork) -> DangerousWork:
    checked = replace(
        work,
        work_code=read_code(work.work_code, "work_code"),
        name=read_text(work.name, "name"),
        from_day=read_day_or_none(work.from_day, "from_day"),
        to_day=read_day_or_none(work.to_day, "to_day"),
    )
    if checked.to_day and checked.to_day < checked.from_day:
        raise RefusedError(422, "wrong_days", "结束日早于开始日", "it ends before it begins", "to_day")
    if checked.stage is WorkStage.RUNNING and not checked.from_day:
        raise RefusedError(422, "wrong_days", "实施中的工程须有开始日", "a running work has a first day", "from_day")
    return checked


def _work_columns(work: DangerousWork) -> dict[str, str | int]:
    words = {"type": work.type.value, "stage": work.stage.value, "over_scale": int(work.over_scale)}
    return asdict(work) | words


def _keep_types(db: Connection, project_code: str) -> None:
    """The project's own list of types, by which lists are filtered."""
    going = (WorkStage.PLANNED.value, WorkStage.RUNNING.value, WorkStage.PAUSED.value)
    at = dangerous_works.c
    found = db.scalars(select(at.type).where(at.project_code == project_code, at.stage.in_(going)).distinct())
    types = json.dumps(sorted(found))
    db.execute(update(projects).where(projects.c.project_code == project_code).values(dangerous_works=types))


def _require_work(db: Connection, project_code: str, work_code: str) -> None:
    at = dangerous_works.c
    if db.scalar(select(at.work_code).where(at.project_code == project_code, at.work_code == work_code)) is None:
        raise RefusedError(404, "no_such_work", "没有这项危大工程", "no such dangerous work", "work_code")


def _require_camera(db: Connection, project_code: str, device_code: str) -> None:
    at = devices.c
    kind = db.scalar(select(at.kind).where(at.project_code == project_code, at.device_code == device_code))
    if kind != DeviceKind.CAMERA.value:
        raise RefusedError(422, "no_camera", f"{device_code} 不是摄像机", f"{device_code} is no camera", "device_code")
