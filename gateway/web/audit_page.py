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
from kit.words import Words
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
ACTIONS: Final[Mapping[tuple[RecordKind, str], Words]] = {
    (RecordKind.TRANSITION, TransitionKind.ACKNOWLEDGED): Words("确认报警", "acknowledged an alarm"),
    (RecordKind.TRANSITION, TransitionKind.RESET): Words("复位报警", "reset an alarm"),
    (RecordKind.TRANSITION, TransitionKind.SHELVED): Words("搁置报警", "shelved an alarm"),
    (RecordKind.TRANSITION, TransitionKind.UNSHELVED): Words("取消搁置", "took an alarm from the shelf"),
    (RecordKind.SERVICE, TransitionKind.OUT_OF_SERVICE): Words("停用", "took out of service"),
    (RecordKind.SERVICE, TransitionKind.IN_SERVICE): Words("恢复使用", "put back into service"),
    (RecordKind.ACCOUNT, AccountEventKind.FIRST_ADMINISTRATOR): Words(
        "设置第一位管理员", "made the first administrator"
    ),
    (RecordKind.ACCOUNT, AccountEventKind.PERSON_ADDED): Words("添加人员", "added a person"),
    (RecordKind.ACCOUNT, AccountEventKind.ROLE_CHANGED): Words("修改角色", "changed a role"),
    (RecordKind.ACCOUNT, AccountEventKind.DISABLED): Words("停用人员", "disabled a person"),
    (RecordKind.ACCOUNT, AccountEventKind.ENABLED): Words("启用人员", "enabled a person"),
    (RecordKind.ACCOUNT, AccountEventKind.PASSWORD_CHANGED): Words("修改本人密码", "changed the own password"),
    (RecordKind.ACCOUNT, AccountEventKind.PASSWORD_SET_BY_OTHER): Words("设置他人密码", "set a person's password"),
    (RecordKind.ACCOUNT, AccountEventKind.LOGIN): Words("登录", "logged in"),
    (RecordKind.ACCOUNT, AccountEventKind.LOGIN_FAILED): Words("登录失败", "failed login"),
    (RecordKind.ACCOUNT, AccountEventKind.LOGOUT): Words("退出登录", "logged out"),
    (RecordKind.ACCOUNT, AccountEventKind.SESSION_ENDED): Words("结束登录", "ended a login"),
    (RecordKind.ACCOUNT, AccountEventKind.WALL_GIVEN): Words("添加大屏", "added a wall screen"),
    (RecordKind.ACCOUNT, AccountEventKind.WALL_REVOKED): Words("撤销大屏", "revoked a wall screen"),
    (RecordKind.ACCOUNT, AccountEventKind.TOKEN_MADE): Words("新建程序令牌", "made a token for a program"),
    (RecordKind.ACCOUNT, AccountEventKind.TOKEN_REVOKED): Words("撤销程序令牌", "revoked a program's token"),
    (RecordKind.ACCOUNT, AccountEventKind.SECOND_FACTOR_SET): Words("启用两步验证", "set up the second factor"),
    (RecordKind.ACCOUNT, AccountEventKind.SECOND_FACTOR_REMOVED): Words("停用两步验证", "removed the second factor"),
    (RecordKind.ACCOUNT, AccountEventKind.SECOND_FACTOR_RESET): Words(
        "解除人员的两步验证", "took a person's second factor away"
    ),
    (RecordKind.ACCOUNT, AccountEventKind.RECOVERY_CODES_MADE): Words("生成新恢复码", "made new recovery codes"),
    (RecordKind.ACCOUNT, AccountEventKind.CODE_SHOWN): Words("两步验证通过", "showed a code of the second factor"),
    (RecordKind.ACCOUNT, AccountEventKind.CODE_FAILED): Words("动态验证码错误", "wrong code of the second factor"),
    (RecordKind.ACCOUNT, AccountEventKind.RECOVERY): Words(
        "在本机恢复管理员", "recovered an administrator on the box itself"
    ),
    (RecordKind.MEDIA_CASE, "case_opened"): Words("为报警立案", "opened the case of an alarm"),
    (RecordKind.MEDIA_CASE, "case_closed"): Words("结束了报警的立案", "closed the case of an alarm"),
    (RecordKind.MEDIA_VIEWED, Viewed.LIVE): Words("查看了实时视频", "looked at live video"),
    (RecordKind.MEDIA_VIEWED, Viewed.CLIP): Words("查看了录像片段", "looked at a clip"),
    (RecordKind.MEDIA_VIEWED, Viewed.FACES): Words("查看了未模糊的画面", "looked at a picture with faces"),
}
KINDS: Final[Mapping[RecordKind, Words]] = {
    RecordKind.TRANSITION: Words("报警操作", "command on an alarm"),
    RecordKind.ALARM_NOTE: Words("报警备注或判定", "wrote about an alarm"),
    RecordKind.SERVICE: Words("变更停用状态", "changed service"),
    RecordKind.ACCOUNT: Words("账号事件", "account event"),
    RecordKind.CONFIG_CHANGED: Words("重新加载配置", "loaded the configuration anew"),
    RecordKind.COMMISSIONED: Words("调试验收", "commissioned"),
    RecordKind.CHANNEL_TEST: Words("测试通道", "tested a channel"),
    RecordKind.HAND_READINGS: Words("录入人工读数", "brought hand readings"),
    RecordKind.ASSET_EVENT: Words("设定初始值", "set a baseline"),
    RecordKind.SAFETY_LOG: Words("填写安全日志", "wrote the safety log"),
    RecordKind.HANDOVER: Words("填写交接班记录", "wrote the shift handover"),
    RecordKind.MEDIA_VIEWED: Words("查看了影像", "looked at a picture"),
    RecordKind.MEDIA_CASE: Words("变更了报警的立案", "changed the case of an alarm"),
    RecordKind.CAMERA_SURVEY: Words("标绘了摄像机画面", "drew for a camera"),
    RecordKind.CAMERA_SCORES: Words("设定了摄像机判定阈值", "set a camera's thresholds"),
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
        what.said(pages.language(request)),
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
