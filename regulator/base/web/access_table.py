"""Who may ask for what on the desk's face: a row for every route and every method. What has no row is refused.

    door     who is let in                                              examples
    PLAIN    anybody; nobody is looked up                               /healthz /static/
    SIGNED   boxes, by signatures that the route itself checks          /v1/
    PUBLIC   anybody                                                    /login /documents/check/
    CODE     whoever has logged in, or owes a code of the second factor  /login/code
    SET_UP   whoever has logged in, or has to set up a second factor     /me/second-factor
    OWN      whoever has logged in, without a role and with any password /me /seat
    ROLE     one of `duties`, at one of `levels`                        all else

In: a method and the address of a route, as it was registered. Out: its row. The guard asks here and nowhere else; that
things lie in the visitor's scope is asked where they are found. tests/desk/web/test_access.py holds every row against
the answers of the running application.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from regulator.base.model.actor import Actor, Duty, Level
from screens.asked_route import AskedRoute


class Door(Enum):
    """Who is let in; see the module."""

    PLAIN = "plain"
    SIGNED = "signed"
    PUBLIC = "public"
    CODE = "code"
    SET_UP = "set_up"
    OWN = "own"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class Access:
    """A row. `duties` and `levels` count for ROLE alone."""

    door: Door
    duties: frozenset[Duty] = frozenset(Duty)
    levels: frozenset[Level] = frozenset(Level)

    def admits(self, actor: Actor) -> bool:
        """Whether somebody may ask who has come in by the door."""
        return actor.has(*self.duties) and actor.level in self.levels


def _at(levels: frozenset[Level], *duties: Duty) -> Access:
    return Access(Door.ROLE, frozenset(duties), levels)


_ALL: Final = frozenset(Level)
_BODIES: Final = frozenset({Level.PROVINCE, Level.CITY, Level.COUNTY})
_SITES: Final = frozenset({Level.FIRM, Level.PROJECT})
_KEEPER, _APPROVER, _REVIEWER = Duty.ADMINISTRATOR, Duty.APPROVER, Duty.REVIEWER
_INSPECTOR, _AUDITOR, _RESPONDER = Duty.INSPECTOR, Duty.AUDITOR, Duty.RESPONDER

PLAIN: Final = Access(Door.PLAIN)
SIGNED: Final = Access(Door.SIGNED)
PUBLIC: Final = Access(Door.PUBLIC)
CODE: Final = Access(Door.CODE)
SET_UP: Final = Access(Door.SET_UP)
OWN: Final = Access(Door.OWN)
LOOK: Final = Access(Door.ROLE)
WORK: Final = Access(Door.ROLE, frozenset(Duty) - {Duty.VIEWER, Duty.AUDITOR})
_KEEP: Final = _at(_ALL, _KEEPER)
_KEEP_LIST: Final = _at(_BODIES, _KEEPER)
_KEEP_ALL: Final = _at(frozenset({Level.PROVINCE}), _KEEPER)
_LEAD: Final = _at(_BODIES, _KEEPER, _APPROVER)
_JUDGE: Final = _at(_BODIES, _REVIEWER)
_CHECK: Final = _at(_BODIES, _INSPECTOR, _REVIEWER)
_DESK: Final = _at(_BODIES, _REVIEWER, _APPROVER, _INSPECTOR, _AUDITOR)
_RISE: Final = _at(_BODIES, _REVIEWER, _APPROVER, _KEEPER)
_DEVICES: Final = _at(_BODIES, _KEEPER, _REVIEWER, _INSPECTOR)
_FIND: Final = _at(_ALL, _INSPECTOR, _REVIEWER, _APPROVER, _RESPONDER)
_ACCIDENT: Final = _at(_BODIES, _REVIEWER, _APPROVER)
_DECIDE: Final = _at(_BODIES, _APPROVER)
_DECIDE_ALL: Final = _at(frozenset({Level.PROVINCE}), _APPROVER)
_LIVE: Final = _at(_ALL, _INSPECTOR, _REVIEWER, _APPROVER)
_TAKE: Final = _at(_ALL, _INSPECTOR, _REVIEWER, _APPROVER, _AUDITOR)
_SIGN: Final = _at(_ALL, _APPROVER)
_SITE: Final = _at(_SITES, _RESPONDER)
# fmt: off
_ROWS: Final = (
    (PLAIN, """
        GET /healthz
        GET /readyz
        GET /favicon.ico
        GET /static/{digest}/{name:path}
    """),
    (SIGNED, """
        POST /v1/enrol
        POST /v1/messages
        POST /v1/mailbox
        GET PUT /v1/blobs/{sha256}
        PUT /v1/live/{sha256}
        GET HEAD POST PUT PATCH DELETE /v1/{rest:path}
    """),
    (PUBLIC, """
        GET POST /login
        POST /logout
        POST /preferences
        POST /api/login
        POST /api/logout
        GET /oidc/start
        GET /oidc/callback
        GET /documents/check/{number}
    """),
    (CODE, """
        GET POST /login/code
    """),
    (SET_UP, """
        GET /me/second-factor
        POST /me/second-factor/begin
        POST /me/second-factor/confirm
    """),
    (OWN, """
        POST /me/second-factor/codes
        POST /me/second-factor/remove
        GET /me
        POST /me/password
        POST /me/sessions/end
        POST /me/delegations
        POST /me/delegations/end
        POST /seat
        GET /api/session
    """),
    (LOOK, """
        GET /
        GET /accidents
        GET /api/coverage
        GET /api/hazards
        GET /api/openapi.json
        GET /api/wall/changes
        GET /api/wall/events
        GET /api/wall/tiles
        GET /board
        GET /calendar
        GET /calendar.ics
        GET /coverage
        GET /docking
        GET /documents
        GET /documents/{number}
        GET /documents/{number}/{form}
        GET /draws
        GET /draws/{draw_id}
        GET /draws/{draw_id}/pool.json
        GET /draws/{draw_id}/result.json
        GET /findings
        GET /fleet
        GET /fleet/packs
        GET /fleet/packs/{sha256}
        GET /guarantors
        GET /hazards
        GET /hazards/stock
        GET /hazards/{hazard_id}
        GET /hazards/{hazard_id}/evidence/{sha256}
        GET /key-risks
        GET /key-risks/{level}/{code}/report
        GET /media/{sha256}
        GET /permits
        GET /permits/{notice_id}
        GET /projects
        GET /projects/{code}
        GET /projects/{code}/cameras/{camera}/still
        GET /regions
        GET /reports
        GET /reports/{number}
        GET /reports/{number}/{form}
        GET /risk
        GET /risk/how
        GET /risk/projects/{code}
        GET /rounds
        GET /rounds/{round_id}
        GET /safety-logs
        GET /safety-logs/{code}
        GET /set
        GET /statistics
        GET /supervision
        GET /themes
        GET /themes/{theme_id}
        GET /verify
        GET /wall
        GET /wall/card/{code}
        GET /witness
    """),
    (WORK, """
        POST /hazards/{hazard_id}/act
        POST /hazards/{hazard_id}/evidence
        POST /set/proposals/{proposal_id}/withdraw
        POST /verify
    """),
    (_at(_ALL, Duty.VIEWER, _INSPECTOR, _REVIEWER, _APPROVER, _AUDITOR, _RESPONDER), """
        GET /api/wall/stills/{code}
    """),
    (_KEEP, """
        GET POST /people
        POST /people/{user_id}/{deed}
        POST /grants/{grant_id}/{deed}
        POST /fleet/packs/import
        GET /import
        GET /import/{import_id}
    """),
    (_KEEP_LIST, """
        POST /import/preview
        POST /import/{import_id}/commit
        POST /projects
        POST /projects/{code}/change
        POST /projects/{code}/firms
        POST /projects/{code}/firms/release
        POST /firms
        POST /firms/{code}/name
        POST /fleet/enrolment/codes/{code_sha256}/revoke
        POST /fleet/enrolment/import
        POST /fleet/enrolment/issue
    """),
    (_KEEP_ALL, """
        POST /regions
        POST /regions/{code}/name
        POST /firms/{code}/end
    """),
    (_at(_ALL, _KEEPER, _AUDITOR), """
        GET /audit
    """),
    (_at(frozenset({Level.PROVINCE}), _KEEPER, _AUDITOR), """
        GET /witness/{head_number}/head.json
        GET /witness/{head_number}/stamp.tsr
    """),
    (_at(_ALL, _KEEPER, _APPROVER), """
        POST /docking/{name}/now
        POST /docking/{name}/again
    """),
    (_LEAD, """
        POST /draws
        POST /draws/conflicts
        POST /draws/conflicts/{conflict_id}/end
        POST /draws/{draw_id}/begin
        POST /draws/{draw_id}/draw
        POST /draws/{draw_id}/redraw
        POST /fleet/enrolment/boxes/{box_id}/revoke
        POST /rounds
        POST /themes
    """),
    (_at(_BODIES, _KEEPER, _APPROVER, _AUDITOR), """
        GET /fleet/enrolment
    """),
    (_at(_ALL, _INSPECTOR, _REVIEWER), """
        GET /rounds/{round_id}/sheet
    """),
    (_at(_BODIES, _KEEPER, _APPROVER, _INSPECTOR, _REVIEWER), """
        POST /key-risks/events
        POST /rounds/{round_id}/follow
    """),
    (_RISE, """
        POST /key-risks/by-hand
        POST /key-risks/{level}/{code}/exit/upload
        POST /projects/{code}/works/{work_code}/guarantors
        POST /set/proposals
    """),
    (_DEVICES, """
        POST /projects/{code}/devices
        POST /projects/{code}/devices/{device_code}/end
        POST /projects/{code}/status
        POST /projects/{code}/works
        POST /projects/{code}/works/{work_code}/watch
    """),
    (_DESK, """
        GET /review
        GET /review/checks
        GET /review/figures
        GET /review/items/{item_id}
        GET /review/items/{item_id}/curve.svg
        GET /review/items/{item_id}/facts
        GET /review/items/{item_id}/thumbnail
        GET /review/judged
        GET /review/queue
        GET /review/shelf
        GET /samples
    """),
    (_at(_BODIES, _REVIEWER, _APPROVER, _INSPECTOR), """
        POST /samples/export
    """),
    (_JUDGE, """
        POST /review/items/{item_id}/acknowledge
        POST /review/items/{item_id}/fetch-back
        POST /review/items/{item_id}/lease
        POST /review/items/{item_id}/reopen
        POST /review/items/{item_id}/sheet
        POST /review/items/{item_id}/shelve
        POST /review/items/{item_id}/undo
        POST /review/items/{item_id}/verdict
        POST /review/sheets/{sheet_id}/undo
        POST /review/sheets/{sheet_id}/verdict
    """),
    (_CHECK, """
        POST /key-risks/{level}/{code}/check
        POST /review/checks/{item_id}
        POST /rounds/{round_id}/checks
        POST /themes/{theme_id}/checks
    """),
    (_FIND, """
        GET /hazards/new
        POST /hazards/new/evidence
        POST /hazards/{hazard_id}/analogy
    """),
    (_ACCIDENT, """
        POST /hazards/{hazard_id}/follow-up
        POST /hazards/{hazard_id}/receipt/evidence
        POST /permits/permit
        POST /permits/warning
        POST /permits/{notice_id}/withdraw
    """),
    (_at(_ALL, _REVIEWER, _APPROVER), """
        POST /findings/{finding_id}/close
    """),
    (_DECIDE, """
        POST /fleet/enrolment/boxes/{box_id}/admit
        POST /reports/draft
        POST /fleet/enrolment/boxes/{box_id}/assign
        POST /rounds/{round_id}/close
    """),
    (_DECIDE_ALL, """
        POST /set/decide-many
        POST /set/proposals/{proposal_id}/admit
        POST /set/proposals/{proposal_id}/decide
    """),
    (_at(frozenset({Level.PROVINCE, Level.CITY}), _APPROVER), """
        POST /key-risks/{level}/{code}/exit/approve
    """),
    (_LIVE, """
        GET POST /live/{code}/{camera}
        GET /live/views/{view}
        GET /live/views/{view}/stream.mp4
        POST /live/views/{view}/renew
        POST /live/views/{view}/stop
    """),
    (_TAKE, """
        GET /hazards/{hazard_id}/handed-over
        GET /hazards/{hazard_id}/package
    """),
    (_SIGN, """
        POST /fleet/packs/{sha256}/offer
        POST /fleet/packs/{sha256}/withdraw
        POST /reports/{number}/correct
        POST /reports/{number}/issue
    """),
    (_SITE, """
        POST /safety-logs
        POST /safety-logs/check-ins
    """),
    (_at(_ALL, _KEEPER, _APPROVER, _REVIEWER, _RESPONDER), """
        POST /calendar/{entry_id}
    """),
    (_at(_ALL, _RESPONDER, _INSPECTOR, _REVIEWER), """
        POST /key-risks/{level}/{code}/report
    """),
)
# fmt: on
READING: Final = ("GET", "HEAD")


def each_row() -> Iterator[tuple[tuple[str, str], Access]]:
    """Method and address, and what the table says of them."""
    for access, rows in _ROWS:
        for words in map(str.split, rows.strip().splitlines()):
            yield from (((method, words[-1]), access) for method in words[:-1])


TABLE: Final[Mapping[tuple[str, str], Access]] = dict(each_row())
"""Method and address of every route -> its row."""
_OPEN_DOORS: Final = (Door.PLAIN, Door.SIGNED, Door.PUBLIC)
_OPEN: Final = {path: access for (_, path), access in TABLE.items() if access.door in _OPEN_DOORS}


def access_of(method: str, asked: AskedRoute) -> Access | None:
    """The row of a request; None: the route has none and stays closed. What no route answers is told (404, 405) to
    whoever could look or work here, and on an open page to anybody."""
    if asked.taken:
        return TABLE.get((method, asked.path))
    return _OPEN.get(asked.path, LOOK if method in READING else WORK)


def open_to_all(method: str, path: str) -> bool:
    """Whether a route needs nobody to be known. `path`: as it was registered."""
    row = TABLE.get((method, path))
    return row is not None and row.door in _OPEN_DOORS
