"""Reports: drafted when a period has ended, issued by a person, rendered once, corrected only by a further edition.

    draft  --issue (a person)-->  issued          numbers are frozen in the draft's body; issuing renders that body
      '----------- correct ----------'--> a new draft, gathered anew, that names the edition before and says why

Of two replicas that draft the same edition one does; of two that issue it one wins and the other is refused. What was
issued is read from the shelf byte for byte. Raises RefusedError; nothing is changed then.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from regulator.base.desk import Desk
from regulator.base.documents.documents import HTML_TYPE, PDF_TYPE
from regulator.base.model.actor import SYSTEM, Actor, Duty, Level
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import Deed, entries_about
from regulator.base.records.tables.reports import reports
from regulator.parts.reports.gathering import gather_report
from regulator.parts.reports.paper import Head, PaperLanguage, has_english, paper_of
from regulator.parts.reports.periods import Period, PeriodKind, ended_last, read_period
from regulator.parts.reports.regions import ReportRegion, readable, report_regions, signs_for
from regulator.parts.reports.report_html import report_html
from regulator.parts.reports.report_pdf import FONT, FontMissingError, report_pdf
from regulator.parts.reports.statistics.roll_up import is_rolled_up
from screens.formats import local_day_time

PREFIXES = {PeriodKind.MONTH: "YB", PeriodKind.HALF_YEAR: "BN", PeriodKind.YEAR: "NB"}
DRAFTS_A_RUN = 20
MAX_REASON = 500
SIGNERS = (Duty.APPROVER,)
NOT_FOUND = RefusedError(404, "no_such_report", "没有这份报告", "no such report", "number")
NO_ENGLISH = RefusedError(404, "no_english", "这份报告没有英文版", "this report has no English paper", "language")
ENGLISH = ("html_en_sha256", "pdf_en_sha256")
"""What the ledger's entry of an issued report calls the digests of its English papers."""
ISSUED_ALREADY = RefusedError(409, "issued_already", "该报告已签发", "this report has been issued", "number")


@dataclass(frozen=True, slots=True)
class Report:
    """One edition. `digest`: SHA-256 of the body. Digests of the papers are empty until it is issued."""

    number: str
    kind: PeriodKind
    period: str
    level: Level
    region_code: str
    edition: int
    issued: bool
    replaces: str
    reason: str
    digest: str
    html_sha256: str
    pdf_sha256: str
    issuer_name: str
    drafted_at_ns: int
    issued_at_ns: int


class ReportOffice:
    """`font`: what the PDF is set in. Stateless but for the desk."""

    def __init__(self, desk: Desk, font: str = FONT) -> None:
        self._desk, self._font = desk, font

    def draft_due(self, now_ns: int, most: int = DRAFTS_A_RUN) -> int:
        """Draft what ended last and has no report yet, once all of its days are rolled up; how many were drafted."""
        drafted = 0
        for period in ended_last(now_ns):
            with self._desk.database.reading() as db:
                ready = is_rolled_up(db, period.last_day + timedelta(days=1))
                missing = self._missing(db, period) if ready else []
            for region in missing[: max(0, most - drafted)]:
                drafted += self.draft(region, period, SYSTEM, now_ns) is not None
        return drafted

    def draft(
        self,
        region: ReportRegion,
        period: Period,
        actor: Actor,
        now_ns: int,
        corrects: tuple[Report, str] | None = None,
    ) -> Report | None:
        """Gather and keep a draft; None when somebody else has made this edition. 422: the period is not over."""
        if period.end_ns > now_ns:
            raise RefusedError(422, "not_over", "该期间尚未结束", "the period is not over yet", "period")
        before, reason = corrects or (None, "")
        edition = before.edition + 1 if before else 1
        head = Head(
            number=f"{PREFIXES[period.kind]}-{region.code or 'P'}-{period.label}-{edition}",
            kind=period.kind.value,
            period=period.label,
            period_zh=period.zh,
            level=region.level.value,
            region_code=region.code,
            region_name=region.name,
            edition=edition,
            replaces=before.number if before else "",
            reason=reason,
            desk_name=self._desk.settings.name_zh,
            drafted_at_ns=now_ns,
            period_en=period.en,
            desk_name_en=self._desk.settings.name_en,
        )
        with self._desk.database.reading() as db:
            body = gather_report(db, region.scope, period, head).body
        return self._keep(head, body, actor, now_ns)

    def correct(self, number: str, reason: str, actor: Actor, now_ns: int) -> Report:
        """A new draft in place of the newest edition. 403, 404, 409 not the newest, 422 no reason."""
        if not reason.strip() or len(reason) > MAX_REASON:
            raise RefusedError(422, "reason_needed", "须填写更正原因", "say why it is corrected", "reason")
        with self._desk.database.reading() as db:
            report = self._signed_by(db, actor, number)
            if self._newest(db, report) != report.edition:
                raise RefusedError(409, "not_the_newest", "已有更新的版本", "there is a newer edition", "number")
            known = report_regions(db, self._desk.settings.province_code, self._desk.settings.name_zh)
        wanted = (report.level, report.region_code)
        region = next((each for each in known if (each.level, each.code) == wanted), None)
        if region is None:
            raise RefusedError(409, "no_such_region", "该区域已注销", "this region is no longer in force", "number")
        made = self.draft(region, read_period(report.period), actor, now_ns, (report, reason.strip()))
        if made is None:
            raise RefusedError(409, "not_the_newest", "已有更新的版本", "there is a newer edition", "number")
        return made

    def issue(self, number: str, actor: Actor, now_ns: int) -> Report:
        """Render and sign. 403, 404, 409 issued already or not the newest, 500 no font, 503 the shelf is down."""
        with self._desk.database.reading() as db:
            report, body = self._signed_by(db, actor, number), self._body(db, number)
            self._require_open(db, report)
        time = local_day_time(now_ns)
        signed = f"签发人：{actor.name}　签发时间：{time}（北京时间）"
        html_sha256, pdf_sha256 = self._rendered(body, report.digest, signed, "zh")
        english: dict[str, Any] = {}
        if has_english(body):
            signed = f"Issued by: {actor.name}, at: {time} (Beijing time)"
            english = dict(zip(ENGLISH, self._rendered(body, report.digest, signed, "en"), strict=True))
        values = {"html_sha256": html_sha256, "pdf_sha256": pdf_sha256, "issued_at_ns": now_ns, "state": "issued"}
        with self._desk.database.transaction() as db:
            db.execute(select(reports.c.number).where(reports.c.number == number).with_for_update()).one()
            report = self._signed_by(db, actor, number)
            self._require_open(db, report)
            told = {"digest": report.digest, "html_sha256": html_sha256, "pdf_sha256": pdf_sha256}
            told |= {"replaces": report.replaces, **english}
            seq = self._write(db, "report_issued", report, told, actor, now_ns)
            people = {"issued_by": actor.user_id, "issuer_name": actor.name, "ledger_seq": seq}
            db.execute(update(reports).where(reports.c.number == number).values(**values, **people))
            return report_of(db.execute(select(reports).where(reports.c.number == number)).one())

    def known(self, db: Connection, actor: Actor, number: str) -> Report:
        """One that the actor may read. Raises RefusedError 404."""
        row = db.execute(select(reports).where(reports.c.number == number, readable(db, actor))).first()
        if row is None:
            raise replace(NOT_FOUND)
        return report_of(row)

    def paper(self, db: Connection, actor: Actor, number: str, *, pdf: bool, language: PaperLanguage = "zh") -> bytes:
        """What was issued, from the shelf; of a draft a page that says so. Raises RefusedError: 404, 500, 503.

        Both languages are rendered when it is issued; the ledger's entry of that holds the digests of the English ones.
        A report that was made before papers were in two languages has none: 404.
        """
        report = self.known(db, actor, number)
        if not report.issued:
            body = self._body(db, number)
            if pdf or (language == "en" and not has_english(body)):
                raise replace(NOT_FOUND if pdf else NO_ENGLISH)
            return report_html(paper_of(body, report.digest, language=language))
        digests = (report.html_sha256, report.pdf_sha256) if language == "zh" else self._english(db, number)
        try:
            return self._desk.shelf.read(digests[pdf])
        except (LookupError, ValueError):
            zh, en = "保存的报告与签发时的校验值不符", "the stored report is not the one that was issued"
            raise RefusedError(500, "report_damaged", zh, en, "number") from None
        except OSError as error:
            raise _shelf_down(error) from error

    def has_english(self, db: Connection, report: Report) -> bool:
        """Whether there is an English paper of it."""
        if not report.issued:
            return has_english(self._body(db, report.number))
        try:
            return bool(self._english(db, report.number))
        except RefusedError:
            return False

    def _english(self, db: Connection, number: str) -> tuple[str, str]:
        for entry in entries_about(db, number):
            said = json.loads(entry.body)
            told = said["content"] if said["kind"] == "report_issued" else {}
            if ENGLISH[0] in told:
                return told[ENGLISH[0]], told[ENGLISH[1]]
        raise replace(NO_ENGLISH)

    def _missing(self, db: Connection, period: Period) -> list[ReportRegion]:
        at = reports.c
        rows = db.execute(
            select(at.level, at.region_code).where(at.kind == period.kind.value, at.period == period.label)
        )
        have = {(row.level, row.region_code) for row in rows}
        known = report_regions(db, self._desk.settings.province_code, self._desk.settings.name_zh)
        return [each for each in known if (each.level.value, each.code) not in have]

    def _keep(self, head: Head, body: bytes, actor: Actor, now_ns: int) -> Report | None:
        digest = hashlib.sha256(body).hexdigest()
        same = ("number", "kind", "period", "level", "region_code", "edition", "replaces", "reason", "drafted_at_ns")
        row: dict[str, Any] = {name: getattr(head, name) for name in same}
        row |= {"body": body.decode(), "digest": digest, "drafted_by": actor.user_id}
        with self._desk.database.transaction() as db:
            dialect = postgresql if db.dialect.name == "postgresql" else sqlite
            added = dialect.insert(reports).values(**row).on_conflict_do_nothing().returning(reports.c.number)
            if db.execute(added).first() is None:
                return None
            report = report_of(db.execute(select(reports).where(reports.c.number == head.number)).one())
            told = {"digest": digest, "replaces": head.replaces, "reason": head.reason}
            self._write(db, "report_drafted", report, told, actor, now_ns)
        return report

    def _rendered(self, body: str, digest: str, signed: str, language: PaperLanguage) -> tuple[str, str]:
        paper = paper_of(body, digest, signed, language)
        try:
            pdf = report_pdf(paper, self._font)
        except FontMissingError as error:
            zh, en = f"缺少字体，未签发：{error}", f"the font is missing, nothing was issued: {error}"
            raise RefusedError(500, "font_missing", zh, en) from None
        try:
            shelf = self._desk.shelf
            return shelf.put(report_html(paper), HTML_TYPE), shelf.put(pdf, PDF_TYPE)
        except OSError as error:
            raise _shelf_down(error) from error

    def _signed_by(self, db: Connection, actor: Actor, number: str) -> Report:
        report = self.known(db, actor, number)
        if not actor.has(*SIGNERS) or not signs_for(actor, report.level.value, report.region_code):
            zh, en = "须由本级审批人员办理", "an approver of this very region has to do it"
            raise RefusedError(403, "not_your_duty", zh, en, "number")
        return report

    def _require_open(self, db: Connection, report: Report) -> None:
        if report.issued:
            raise replace(ISSUED_ALREADY)
        if self._newest(db, report) != report.edition:
            raise RefusedError(409, "not_the_newest", "已有更新的版本", "there is a newer edition", "number")

    @staticmethod
    def _newest(db: Connection, report: Report) -> int:
        at = reports.c
        same = (at.kind == report.kind.value, at.period == report.period, at.level == report.level.value)
        return db.scalar(select(func.max(at.edition)).where(*same, at.region_code == report.region_code)) or 0

    @staticmethod
    def _body(db: Connection, number: str) -> str:
        return str(db.scalar(select(reports.c.body).where(reports.c.number == number)))

    def _write(
        self, db: Connection, kind: str, report: Report, content: dict[str, Any], actor: Actor, now_ns: int
    ) -> int:
        chain = f"report:{report.level.value}:{report.region_code}"
        return self._desk.ledger.append(db, Deed(kind, report.number, content, chain=chain), actor, now_ns).seq


def list_reports(db: Connection, actor: Actor, kind: str, limit: int) -> list[Report]:
    """Those that the actor may read, the newest period first, the newest edition first."""
    at = reports.c
    found = select(*(column for column in at if column.name != "body")).where(readable(db, actor))
    found = found.where(at.kind == kind) if kind else found
    order = (at.period.desc(), at.kind, at.region_code, at.edition.desc())
    return [report_of(row) for row in db.execute(found.order_by(*order).limit(limit))]


def report_of(row: "Row[Any]") -> Report:
    """A report, read from a row of `reports`."""
    known = row._mapping
    given = ("kind", "level", "issued")
    same = {name: known[name] for name in Report.__slots__ if name not in given}
    return Report(
        **same, kind=PeriodKind(known["kind"]), level=Level(known["level"]), issued=known["state"] == "issued"
    )


def _shelf_down(error: OSError) -> RefusedError:
    zh, en = f"文件库暂不可用，未办理：{error}", f"the store of files cannot be reached: {error}"
    return RefusedError(503, "shelf_down", zh, en)
