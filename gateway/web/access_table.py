"""Who may ask for what on the box's face: a row for every route and every method. What has no row is refused.

    door     who is let in                                          examples
    PLAIN    anybody; nobody is looked up                           /healthz /static/
    PUBLIC   anybody                                                /login /setup /wall/pair
    CODE     a viewer, or whoever owes a code of the second factor  /login/code
    SET_UP   a viewer, or whoever has to set up a second factor      /me/second-factor
    ROLE     whoever has this role or a higher one                  all else

In: a method and the address of a route, as it was registered. Out: its row. The guard asks here and nowhere else.
tests/unit/gateway/web/test_access.py holds every row against the answers of the running application.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from gateway.web.visitor import Role
from screens.asked_route import AskedRoute


class Door(Enum):
    """Who is let in; see the module."""

    PLAIN = "plain"
    PUBLIC = "public"
    CODE = "code"
    SET_UP = "set_up"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class Access:
    """A row. `unencrypted`: may be sent over a network that others read along; it lets nobody command."""

    door: Door
    role: Role = Role.NOBODY
    unencrypted: bool = False


PLAIN: Final = Access(Door.PLAIN)
PUBLIC: Final = Access(Door.PUBLIC)
UNENCRYPTED: Final = Access(Door.PUBLIC, unencrypted=True)
CODE: Final = Access(Door.CODE, Role.VIEWER)
SET_UP: Final = Access(Door.SET_UP, Role.VIEWER)
LOOK: Final = Access(Door.ROLE, Role.VIEWER)
WORK: Final = Access(Door.ROLE, Role.SUPERVISOR)
DECIDE: Final = Access(Door.ROLE, Role.SAFETY_OFFICER)
KEEP: Final = Access(Door.ROLE, Role.ADMINISTRATOR)
# fmt: off
_ROWS: Final = (
    (PLAIN, """
        GET /static/{digest}/{name:path}
        GET /healthz
        GET /readyz
    """),
    (PUBLIC, """
        GET POST /login
        GET POST /setup
        GET /wall/pair
        GET /ca.crt
    """),
    (UNENCRYPTED, """
        POST /preferences
        POST /logout
        POST /wall/pair
    """),
    (CODE, """
        GET POST /login/code
    """),
    (SET_UP, """
        GET /me/second-factor
        POST /me/second-factor/begin
        POST /me/second-factor/confirm
    """),
    (LOOK, """
        POST /me/second-factor/codes
        POST /me/second-factor/remove
        GET /api/alarms
        GET /api/alarms/{alarm_id}
        GET /api/points
        GET /api/assets
        GET /api/history
        GET /api/health
        GET /metrics
        GET /api/events
        GET /api/live
        GET /api/openapi.json
        GET /me
        POST /me/password
        POST /me/sessions/{session_id}/end
        GET /
        GET /wall
        GET /parts/overview-alarms
        GET /parts/overview-plan
        GET /parts/overview-bars
        GET /parts/topbar
        GET /api/curve
        GET /curves/values
        GET /curves.csv
        GET /curves.svg
        GET /curves
        GET /cameras
        GET /parts/cameras
        GET /cameras/{camera}
        GET /parts/cameras/{camera}/figures
        GET /cameras/{camera}/still.jpg
        GET /sound
        GET /parts/channels
        GET /alarms
        GET /parts/alarms
        GET /parts/alarm-tabs
        GET /alarms/history.csv
        GET /alarms/{alarm_id}
        GET /parts/alarms/{alarm_id}/state
        GET /parts/alarms/{alarm_id}/facts
        GET /parts/alarms/{alarm_id}/records
        GET /alarms/{alarm_id}/sheet
        GET /parts/alarms/{alarm_id}/pictures
        GET /alarms/{alarm_id}/pictures/{sha256}
        GET /health
        GET /parts/health
        GET /api/health/report
        GET /figures
        GET /figures.csv
        GET /log
        GET /log/{name}/log.{kind}
        GET /handover
        GET /handover/{name}
        GET /orders
        GET /orders/{seq}
        GET /orders/{seq}/photos/{sha256}
        GET /permits
        GET /packs
        GET /api/pits/{asset}/reports
        GET /api/pits/{asset}/reports/{name}
        GET /api/cranes/{asset}/cycles
        GET /api/cranes/{asset}/ledger
    """),
    (WORK, """
        POST /api/alarms/{alarm_id}/acknowledge
        GET /cameras/{camera}/live.mp4
        POST /sound/channels/{name}/test
        POST /api/alarms/{alarm_id}/note
        POST /alarms/acknowledge
        POST /alarms/{alarm_id}/{name}
        GET /alarms/{alarm_id}/clips/{sha256}
        POST /handover/save
        POST /handover/hand
        POST /handover/{name}/take
        POST /handover/{name}/withdraw
        POST /orders/{seq}/answer
        POST /permits/warning/{seq}/acknowledge
        POST /api/pits/{asset}/readings
    """),
    (DECIDE, """
        GET /audit
        GET /audit.csv
        GET POST /cameras/{camera}/survey
        GET POST /cameras/{camera}/survey/moved
        GET /cameras/{camera}/survey/{sha256}.jpg
        POST /api/alarms/{alarm_id}/shelve
        POST /api/alarms/{alarm_id}/unshelve
        POST /api/alarms/{alarm_id}/reset
        POST /api/alarms/{alarm_id}/false_alarm
        POST /api/alarms/{alarm_id}/withdraw_judgement
        POST /api/alarms/{alarm_id}/hand_over
        POST /api/subjects/{subject}/out_of_service
        POST /api/subjects/{subject}/in_service
        GET /alarms/service
        POST /alarms/service/{way}
        POST /alarms/{alarm_id}/case/{name}
        POST /log/{name}/save
        POST /log/{name}/sign
        POST /log/{name}/supplement
        POST /permits/permit
        POST /permits/warning
        POST /permits/permit/{seq}/withdraw
        POST /permits/warning/{seq}/withdraw
        POST /permits/check
        POST /packs/{offer_id}/approve
        POST /packs/{offer_id}/decline
        POST /api/pits/{asset}/baselines
        POST /api/cranes/{asset}/tilt_baseline
    """),
    (KEEP, """
        GET POST /people
        POST /people/{name}/{order}
        GET POST /walls
        POST /walls/{wall_id}/revoke
        GET POST /tokens
        POST /tokens/{token_id}/revoke
        POST /api/reload
    """),
)
# fmt: on
_OFFICERS_FORM: Final = "POST", "/alarms/{alarm_id}/{name}"
_OFFICERS_NAMES: Final = frozenset({"false_alarm", "withdraw_judgement", "hand_over", "shelve", "unshelve", "reset"})
"""Of the forms of an alarm, those that a supervisor may not send."""
READING: Final = ("GET", "HEAD")


def each_row() -> Iterator[tuple[tuple[str, str], Access]]:
    """Method and address, and what the table says of them."""
    for access, rows in _ROWS:
        for words in map(str.split, rows.strip().splitlines()):
            yield from (((method, words[-1]), access) for method in words[:-1])


TABLE: Final[Mapping[tuple[str, str], Access]] = dict(each_row())
"""Method and address of every route -> its row."""
_OPEN: Final = {path: access for (_, path), access in TABLE.items() if access.role is Role.NOBODY}


def access_of(method: str, asked: AskedRoute) -> Access | None:
    """The row of a request; None: the route has none and stays closed. What no route answers is told (404, 405) to
    whoever could look or work here, and on an open page to anybody."""
    if not asked.taken:
        return _OPEN.get(asked.path, LOOK if method in READING else WORK)
    if (method, asked.path) == _OFFICERS_FORM and asked.values.get("name") in _OFFICERS_NAMES:
        return DECIDE
    return TABLE.get((method, asked.path))


def open_to_all(method: str, path: str) -> bool:
    """Whether a route needs nobody to be known. `path`: as it was registered."""
    row = TABLE.get((method, path))
    return row is not None and row.role is Role.NOBODY
