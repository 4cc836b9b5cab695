"""The audit: who did what when, from the evidence chain, for safety officers and administrators. Read only.

GET /audit?group=alarms&user=li&before=812      one page, newest first; `before` is the last page's lowest number
GET /audit.csv?group=&user=                     the same as a table for Excel, at most 50,000 lines
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Final

from fastapi import FastAPI, Query
from fastapi.responses import Response, StreamingResponse
from starlette.requests import Request

from gateway.accounts.account_events import AccountEventKind
from gateway.accounts.audit_reader import LAST_SEQ, AuditEntry, AuditGroup, AuditQuestion, AuditReader
from gateway.accounts.person import Role
from gateway.accounts.token_desk import CONSOLE
from gateway.evidence.evidence import RecordKind
from gateway.model.alarm import TransitionKind
from gateway.web.account_desk import ROLES
from gateway.web.pages import Pages
from gateway.web.view_log import Viewed
from gateway.web.visitor import require
from screens.formats import local_day_time
from screens.published import CSV, operation

ENTRIES_A_PAGE: Final = 100
MOST_LINES: Final = 50_000
LINES_A_CHUNK: Final = 500
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
GROUPS: Final[Mapping[AuditGroup, str]] = {
    AuditGroup.ALARMS: "Alarms",
    AuditGroup.SERVICE: "Out of service and back",
    AuditGroup.ACCOUNTS: "Accounts and logins",
    AuditGroup.CONFIGURATION: "Configuration and commissioning",
    AuditGroup.READINGS: "Hand readings and baselines",
    AuditGroup.PAPERS: "Safety log and handover",
    AuditGroup.PICTURES: "Cameras and pictures of people",
}
COLUMNS: Final = (
    "Record no.",
    "Time",
    "Who",
    "What was done",
    "About what",
    "Reason or detail",
    "From address",
    "How often",
    "Digest",
)
ACTIONS: Final[Mapping[tuple[RecordKind, str], str]] = {
    (RecordKind.TRANSITION, TransitionKind.ACKNOWLEDGED): "acknowledged an alarm",
    (RecordKind.TRANSITION, TransitionKind.RESET): "reset an alarm",
    (RecordKind.TRANSITION, TransitionKind.SHELVED): "shelved an alarm",
    (RecordKind.TRANSITION, TransitionKind.UNSHELVED): "took an alarm from the shelf",
    (RecordKind.SERVICE, TransitionKind.OUT_OF_SERVICE): "took out of service",
    (RecordKind.SERVICE, TransitionKind.IN_SERVICE): "put back into service",
    (RecordKind.ACCOUNT, AccountEventKind.FIRST_ADMINISTRATOR): "made the first administrator",
    (RecordKind.ACCOUNT, AccountEventKind.PERSON_ADDED): "added a person",
    (RecordKind.ACCOUNT, AccountEventKind.ROLE_CHANGED): "changed a role",
    (RecordKind.ACCOUNT, AccountEventKind.DISABLED): "disabled a person",
    (RecordKind.ACCOUNT, AccountEventKind.ENABLED): "enabled a person",
    (RecordKind.ACCOUNT, AccountEventKind.PASSWORD_CHANGED): "changed the own password",
    (RecordKind.ACCOUNT, AccountEventKind.PASSWORD_SET_BY_OTHER): "set a person's password",
    (RecordKind.ACCOUNT, AccountEventKind.LOGIN): "logged in",
    (RecordKind.ACCOUNT, AccountEventKind.LOGIN_FAILED): "failed login",
    (RecordKind.ACCOUNT, AccountEventKind.LOGOUT): "logged out",
    (RecordKind.ACCOUNT, AccountEventKind.SESSION_ENDED): "ended a login",
    (RecordKind.ACCOUNT, AccountEventKind.WALL_GIVEN): "added a wall screen",
    (RecordKind.ACCOUNT, AccountEventKind.WALL_REVOKED): "revoked a wall screen",
    (RecordKind.ACCOUNT, AccountEventKind.TOKEN_MADE): "made a token for a program",
    (RecordKind.ACCOUNT, AccountEventKind.TOKEN_REVOKED): "revoked a program's token",
    (RecordKind.ACCOUNT, AccountEventKind.SECOND_FACTOR_SET): "set up the second factor",
    (RecordKind.ACCOUNT, AccountEventKind.SECOND_FACTOR_REMOVED): "removed the second factor",
    (RecordKind.ACCOUNT, AccountEventKind.SECOND_FACTOR_RESET): "took a person's second factor away",
    (RecordKind.ACCOUNT, AccountEventKind.RECOVERY_CODES_MADE): "made new recovery codes",
    (RecordKind.ACCOUNT, AccountEventKind.CODE_SHOWN): "showed a code of the second factor",
    (RecordKind.ACCOUNT, AccountEventKind.CODE_FAILED): "wrong code of the second factor",
    (RecordKind.ACCOUNT, AccountEventKind.RECOVERY): "recovered an administrator on the box itself",
    (RecordKind.MEDIA_CASE, "case_opened"): "opened the case of an alarm",
    (RecordKind.MEDIA_CASE, "case_closed"): "closed the case of an alarm",
    (RecordKind.MEDIA_VIEWED, Viewed.LIVE): "looked at live video",
    (RecordKind.MEDIA_VIEWED, Viewed.CLIP): "looked at a clip",
    (RecordKind.MEDIA_VIEWED, Viewed.FACES): "looked at a picture with faces",
}
KINDS: Final[Mapping[RecordKind, str]] = {
    RecordKind.TRANSITION: "command on an alarm",
    RecordKind.ALARM_NOTE: "wrote about an alarm",
    RecordKind.SERVICE: "changed service",
    RecordKind.ACCOUNT: "account event",
    RecordKind.CONFIG_CHANGED: "loaded the configuration anew",
    RecordKind.COMMISSIONED: "commissioned",
    RecordKind.CHANNEL_TEST: "tested a channel",
    RecordKind.HAND_READINGS: "brought hand readings",
    RecordKind.ASSET_EVENT: "set a baseline",
    RecordKind.SAFETY_LOG: "wrote the safety log",
    RecordKind.HANDOVER: "wrote the shift handover",
    RecordKind.MEDIA_VIEWED: "looked at a picture",
    RecordKind.MEDIA_CASE: "changed the case of an alarm",
    RecordKind.CAMERA_SURVEY: "drew for a camera",
    RecordKind.CAMERA_SCORES: "set a camera's thresholds",
}
"""What is said where a kind's own word has no text."""
OF_SESSIONS: Final = frozenset({AccountEventKind.LOGIN, AccountEventKind.LOGOUT, AccountEventKind.SESSION_ENDED})
_ROLE_TEXTS: Final = {role.name.lower(): text for role, text in ROLES.items()}

Person = Annotated[str, Query(max_length=64)]
GroupName = Annotated[str, Query(max_length=40, description="A group of actions; anything else means all")]
Before = Annotated[int, Query(ge=1, le=LAST_SEQ)]


def audit_routes(app: FastAPI, pages: Pages, reader: AuditReader) -> None:
    """The page and its table."""

    @app.get("/audit")
    def audit(request: Request, group: GroupName = "", user: Person = "", before: Before = LAST_SEQ) -> Response:
        require(request, Role.SAFETY_OFFICER)
        chosen = _group(group)
        page = reader.page(AuditQuestion(before, chosen, user.strip()), ENTRIES_A_PAGE)
        rows = [_cells(pages, request, entry) for entry in page.entries]
        return pages.render(
            request,
            "account_audit.html",
            columns=COLUMNS,
            rows=rows,
            groups=GROUPS,
            group=chosen or "",
            user=user.strip(),
            first_page=before == LAST_SEQ,
            next_before=page.next_before_seq,
        )

    @app.get("/audit.csv", **operation("papers", "Who did what, as a table", CSV))
    def table(request: Request, group: GroupName = "", user: Person = "") -> Response:
        require(request, Role.SAFETY_OFFICER)
        found = reader.all(AuditQuestion(group=_group(group), user=user.strip()), MOST_LINES)
        cells = (_cells(pages, request, entry) for entry in found)
        headings = [pages.text(request, column) for column in COLUMNS]
        headers = {"content-disposition": 'attachment; filename="audit.csv"'}
        return StreamingResponse(_csv(headings, cells), media_type="text/csv; charset=utf-8", headers=headers)


def _group(text: str) -> AuditGroup | None:
    """Anything else means all."""
    return AuditGroup(text) if text in set(AuditGroup) else None


def _cells(pages: Pages, request: Request, entry: AuditEntry) -> tuple[str, ...]:
    """One line, as texts in the visitor's language, in the order of COLUMNS."""
    what = ACTIONS.get((entry.kind, entry.action)) or KINDS[entry.kind]
    title = entry.title_en if pages.language(request) == "en" else entry.title_zh
    return (
        str(entry.seq),
        local_day_time(entry.at_ns),
        pages.text(request, "console") if entry.user == CONSOLE.user else entry.user,
        pages.text(request, what),
        " ".join(part for part in (title, entry.subject) if part),
        _detail(pages, request, entry),
        entry.address,
        str(entry.count),
        entry.sha256,
    )


def _detail(pages: Pages, request: Request, entry: AuditEntry) -> str:
    """Roles in the visitor's language; a session's random number says nothing; everything else as it was sealed."""
    if entry.kind is not RecordKind.ACCOUNT:
        return entry.detail
    if entry.action in OF_SESSIONS:
        return ""
    roles = [_ROLE_TEXTS.get(part) for part in entry.detail.split(" to ")]
    return " → ".join(pages.text(request, role) for role in roles if role) if all(roles) else entry.detail


def _csv(headings: Iterable[str], lines: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """With a byte order mark, so that Excel reads Chinese. What Excel would take for a formula gets a quote first."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(headings)
    for number, cells in enumerate(lines, 1):
        writer.writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells])
        if number % LINES_A_CHUNK == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
