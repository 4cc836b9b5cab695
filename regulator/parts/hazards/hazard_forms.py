"""What the hazard pages' forms say, as the office takes it: actions, hazards by hand, receipts. RefusedError 422."""

import re
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import TypeVar

from regulator.base.model.hazard import Channel, Grade, HazardKind, NewHazard
from regulator.base.model.hazard_states import HazardAction
from regulator.base.model.refusals import RefusedError
from regulator.base.model.shelf import Shelf
from regulator.base.web.forms import FormValues
from regulator.parts.hazards.accidents import NewReceipt, Target
from regulator.parts.hazards.catalogue import HazardCatalogue
from regulator.parts.hazards.evidence import EvidenceKind, NewEvidence, put_photo
from regulator.parts.hazards.sections import Section
from regulator.parts.hazards.step import Ask
from screens.days import typed_day, typed_moment_ns
from screens.formats import site_time

A = HazardAction
MAX_TITLE, MAX_WORDS = 200, 4000
BY_HAND = (Channel.INSPECTION, Channel.SELF_CHECK, Channel.PUBLIC_REPORT)
_KEY = re.compile(r"[0-9a-zA-Z_-]{16,64}")
Member = TypeVar("Member", bound=Enum)


@dataclass(frozen=True, slots=True)
class ActionForm:
    """Which fields an action's form has."""

    action: HazardAction
    photo: bool = False
    override: bool = False
    section: bool = False
    due_day: bool = False
    grant: bool = False
    grade: bool = False
    kind: bool = False


FORMS = {
    A.CONFIRM: ActionForm(A.CONFIRM, photo=True, grade=True),
    A.REJECT: ActionForm(A.REJECT, photo=True),
    A.SUBMIT: ActionForm(A.SUBMIT, photo=True),
    A.SEND_BACK: ActionForm(A.SEND_BACK, photo=True),
    A.CLOSE: ActionForm(A.CLOSE, photo=True, override=True),
    A.RECORD_REFUSAL: ActionForm(A.RECORD_REFUSAL, photo=True),
    A.HAND_OVER: ActionForm(A.HAND_OVER, photo=True),
    A.LOOK_BACK: ActionForm(A.LOOK_BACK, photo=True),
    A.ADD_EVIDENCE: ActionForm(A.ADD_EVIDENCE, photo=True, kind=True),
    A.WRITE_SECTION: ActionForm(A.WRITE_SECTION, photo=True, section=True),
    A.SIGN_SECTION: ActionForm(A.SIGN_SECTION, section=True),
    A.ASK_EXTENSION: ActionForm(A.ASK_EXTENSION, due_day=True),
    A.DECIDE_EXTENSION: ActionForm(A.DECIDE_EXTENSION, grant=True),
    A.DECIDE_REGRADE: ActionForm(A.DECIDE_REGRADE, grant=True),
}


def form_of(action: HazardAction) -> ActionForm:
    """Its fields; words alone for most."""
    return FORMS.get(action, ActionForm(action))


def ask_of(form: FormValues, shelf: Shelf) -> Ask:
    """The action; its photos are checked and laid on the shelf."""
    action = member(HazardAction, form["step"], "step")
    return Ask(
        action=action,
        words=text(form, "words", MAX_WORDS),
        override=text(form, "override", MAX_WORDS),
        evidence=photos_of(form, shelf),
        section=member(Section, form["section"], "section") if form.get("section") else None,
        due_day=_day(form["due_day"]) if form.get("due_day") else None,
        grant=form.get("grant") == "yes",
        grade_major=form.get("grade_major") == "yes",
        kind=member(EvidenceKind, form.get("kind", EvidenceKind.SITE_CHECK.value), "kind"),
    )


def photos_of(form: FormValues, shelf: Shelf) -> tuple[NewEvidence, ...]:
    """Every photo that came with the form, kept on the shelf."""
    return tuple(put_photo(shelf, upload.content, upload.name) for upload in form.files("photo"))


def new_hazard_of(form: FormValues, catalogue: HazardCatalogue, evidence: tuple[NewEvidence, ...]) -> NewHazard:
    """A hazard entered by hand. A catalogue item is named by the edition of the day on which it was found."""
    key = form["key"]
    if not _KEY.fullmatch(key):
        raise RefusedError(422, "bad_key", "表单编号无效，请重新打开页面", "open the form again", "key")
    channel = member(Channel, form["channel"], "channel")
    if channel not in BY_HAND:
        raise RefusedError(422, "bad_channel", "该来源不能手工登记", "this channel is not for people", "channel")
    observed_at_ns = moment(form["observed_at"], "observed_at")
    code, edition, other, other_edition = _judged(form, catalogue, observed_at_ns)
    return NewHazard(
        project_code=text(form, "project_code", 64),
        channel=channel,
        kind=member(HazardKind, form["kind"], "kind"),
        grade=Grade.GENERAL,
        title_zh=text(form, "title_zh", MAX_TITLE),
        title_en=text(form, "title_en", MAX_TITLE),
        place_id=text(form, "place_id", MAX_TITLE),
        observed_at_ns=observed_at_ns,
        event_key=f"hand/{key}",
        catalogue_code=code,
        catalogue_edition=edition,
        other_code=other,
        other_edition=other_edition,
        words=text(form, "words", MAX_WORDS),
        blobs=tuple(item.sha256 for item in evidence),
    )


def receipt_of(form: FormValues, evidence: tuple[NewEvidence, ...]) -> NewReceipt:
    """What the platform answered to an accident report."""
    return NewReceipt(
        target=member(Target, form["target"], "target"),
        receipt_number=text(form, "receipt_number", MAX_TITLE),
        submitted_at_ns=moment(form["submitted_at"], "submitted_at"),
        sha256=next((item.sha256 for item in evidence), ""),
    )


def member(kind: type[Member], value: str, field: str) -> Member:
    """A choice of a list."""
    try:
        return kind(value)
    except ValueError as error:
        names = ", ".join(str(each.value) for each in kind)
        raise RefusedError(422, "bad_choice", f"无此选项：{value[:40]}", f"expected one of {names}", field) from error


def moment(value: str, field: str) -> int:
    """A local date and time of the site as browsers write it, in UTC ns."""
    at_ns = typed_moment_ns(value)
    if at_ns is None:
        raise RefusedError(422, "bad_time", "时间格式应为 2026-03-01T08:00", "expected 2026-03-01T08:00", field)
    return at_ns


def text(form: FormValues, name: str, most: int) -> str:
    """A text of the form, within bounds."""
    value = form.get(name).strip()
    if len(value) > most:
        raise RefusedError(422, "too_long", f"{name} 超过 {most} 字", f"{name} is longer than {most}", name)
    return value


def _judged(form: FormValues, catalogue: HazardCatalogue, observed_at_ns: int) -> tuple[str, str, str, str]:
    code = text(form, "catalogue_code", 40)
    if not code:
        return "", "", "", ""
    try:
        found = catalogue.judge(code, site_time(observed_at_ns).date())
    except KeyError as error:
        zh, en = "判定标准中没有这一条", "no edition of the criteria has this item"
        raise RefusedError(422, "no_such_item", zh, en, "catalogue_code") from error
    return found.code, found.edition, found.other_code, found.other_edition


def _day(value: str) -> date:
    day = typed_day(value)
    if day is None:
        raise RefusedError(422, "bad_day", "日期格式应为 2026-03-01", "expected 2026-03-01", "due_day")
    return day
