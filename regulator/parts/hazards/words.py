"""What states, actions, grades and refusals are called on screens and documents, Chinese and English. Pure data."""

from enum import Enum
from typing import Final

from kit.words import Words
from regulator.base.deadline_days import DueClass, Urgency
from regulator.base.model.actor import Level
from regulator.base.model.hazard import Channel, Grade, HazardKind
from regulator.base.model.hazard_states import HazardAction, HazardState, Refusal
from regulator.base.model.refusals import RefusedError
from regulator.base.rules import Document
from regulator.parts.hazards.deadlines import DeadlineKind
from regulator.parts.hazards.sections import Section

S, A, R, W = HazardState, HazardAction, Refusal, Words

WORDS: Final[dict[Enum, Words]] = {
    S.PENDING: W("待研判", "to be judged"),
    S.SITE_CHECK: W("存疑·现场核查", "doubtful, site check"),
    S.REJECTED: W("误报", "not a hazard"),
    S.CONFIRMED: W("属实", "confirmed"),
    S.ORDERED: W("已下达", "ordered"),
    S.RECTIFYING: W("整改中", "being put right"),
    S.AWAITING_RECHECK: W("待复查", "to be rechecked"),
    S.CLOSED: W("销号", "closed"),
    S.REFUSED_BY_SITE: W("拒不整改", "refused by the site"),
    A.CONFIRM: W("属实", "Confirm"),
    A.REJECT: W("误报", "Not a hazard"),
    A.DOUBT: W("存疑，转现场核查", "Doubtful: check on site"),
    A.WITHDRAW: W("撤回判定，转现场核查", "Withdraw the finding: check on site"),
    A.ORDER: W("下达整改", "Order rectification"),
    A.ACCEPT: W("接受整改", "Accept the order"),
    A.DISPUTE: W("提出异议", "Dispute"),
    A.SUBMIT: W("提交整改", "Report as put right"),
    A.SEND_BACK: W("复查不合格，退回", "Recheck failed: send back"),
    A.CLOSE: W("复查合格，销号", "Recheck passed: close"),
    A.RECORD_REFUSAL: W("记录拒不整改", "Record a refusal"),
    A.HAND_OVER: W("移送线索", "Hand over as a clue"),
    A.RESUME_RECTIFICATION: W("恢复整改", "Resume rectification"),
    A.LOOK_BACK: W("回头看", "Look back"),
    A.REOPEN: W("重新打开", "Reopen"),
    A.ADD_EVIDENCE: W("补充证据", "Add evidence"),
    A.WRITE_SECTION: W("填写四不放过", "Write a section"),
    A.SIGN_SECTION: W("签认四不放过", "Sign a section"),
    A.GRADE_UP: W("判定为重大", "Grade as major"),
    A.ASK_REGRADE: W("申请降为一般", "Ask to grade as general"),
    A.DECIDE_REGRADE: W("审批降级", "Decide on the grade"),
    A.ASK_EXTENSION: W("申请延期", "Ask for an extension"),
    A.DECIDE_EXTENSION: W("审批延期", "Decide on the extension"),
    A.STOP_WORK: W("责令停工", "Stop work"),
    A.RESUME_WORK: W("同意复工", "Let work resume"),
    A.SUPERVISE: W("挂牌督办", "List for supervision"),
    R.NOT_IN_THIS_STATE: W("当前状态不能这样做", "not possible in this state"),
    R.NOT_YOUR_DUTY: W("您的职责不能这样做", "your duty does not allow it"),
    R.NOT_YOUR_LEVEL: W("您所在层级不能这样做", "your level does not allow it"),
    R.REASON_MISSING: W("须写明理由", "say why"),
    R.EVIDENCE_MISSING: W("该部分缺少文字或证据", "words or evidence of the section are missing"),
    R.NO_NEW_EVIDENCE: W("须附至少一项新证据", "at least one new item of evidence is needed"),
    R.SAME_PERSON: W("须由另一人办理（含其委托人）", "another person must do this, a delegate is none"),
    R.ALARM_STILL_ACTIVE: W(
        "触发报警的条件仍然成立或未知；如确须销号请写明理由",
        "the rule that raised it is still true or unknown: override with a reason",
    ),
    R.SECTIONS_MISSING: W("“四不放过”尚未全部签认", "the four sections are not all signed"),
    R.MAJOR_ONLY: W("仅适用于重大隐患", "for major hazards only"),
    R.GENERAL_ONLY: W("已是重大隐患", "it is major already"),
    R.NOTHING_ASKED: W("没有待审批的申请", "nothing was asked for"),
    R.ALREADY_ASKED: W("已有待审批的申请", "it was asked for already"),
    R.HIGHER_LEVEL_NEEDED: W("须由上一级审批", "a higher level must decide"),
    R.NOT_STOPPED: W("未处于停工状态", "work is not stopped"),
    R.ALREADY_DONE: W("已办理，不能重复", "this was done already"),
    Grade.GENERAL: W("一般", "general"),
    Grade.MAJOR: W("重大", "major"),
    HazardKind.HAZARD: W("事故隐患", "hazard"),
    HazardKind.NON_FATAL_ACCIDENT: W("非亡人事故", "non-fatal accident"),
    HazardKind.DANGEROUS_SITUATION: W("重大险情", "serious dangerous situation"),
    Channel.DEVICE: W("设备", "device"),
    Channel.SELF_CHECK: W("企业自查", "self check"),
    Channel.INSPECTION: W("监督检查", "inspection"),
    Channel.PUBLIC_REPORT: W("群众举报", "public report"),
    Channel.ROUND: W("全覆盖检查", "full-coverage round"),
    Level.PROVINCE: W("省", "province"),
    Level.CITY: W("市", "city"),
    Level.COUNTY: W("县", "county"),
    Level.FIRM: W("企业", "firm"),
    Level.PROJECT: W("项目", "project"),
    DueClass.OVERDUE: W("逾期", "overdue"),
    DueClass.TODAY: W("今天到期", "due today"),
    DueClass.WEEK: W("7 日内", "within 7 days"),
    DueClass.LATER: W("7 日后", "later"),
    DueClass.NONE: W("无期限", "no deadline"),
    Urgency.CALM: W("正常", "in time"),
    Urgency.WARNED: W("预警", "warning"),
    Urgency.RED: W("紧急", "urgent"),
    Urgency.OVERDUE: W("逾期", "overdue"),
    Section.CAUSE: W("原因未查清不放过", "cause"),
    Section.PEOPLE: W("责任人未处理不放过", "people"),
    Section.MEASURES: W("整改措施未落实不放过", "measures"),
    Section.EDUCATION: W("有关人员未受教育不放过", "education"),
    Document.RECTIFY: W("整改通知单", "rectification order"),
    Document.STOP_WORK: W("停工通知单", "stop-work order"),
    Document.SUPERVISE: W("挂牌督办通知书", "notice of listed supervision"),
    Document.CLOSE: W("销号单", "closing note"),
    Document.RESUME: W("复工通知单", "notice to resume work"),
}

DEADLINES: Final[dict[DeadlineKind, Words]] = {
    DeadlineKind.SITE_CHECK: W("现场核查", "site check"),
    DeadlineKind.RECTIFY: W("整改", "rectification"),
    DeadlineKind.LISTING: W("挂牌督办", "listed supervision"),
    DeadlineKind.LOOK_BACK: W("回头看", "look back"),
    DeadlineKind.ANALOGY: W("举一反三", "look-alikes"),
    DeadlineKind.ACCIDENT_PROVINCE: W("报省级平台", "report to the province"),
    DeadlineKind.ACCIDENT_NATIONAL: W("报全国平台", "report to the national platform"),
}

_STATUS = {R.NOT_YOUR_DUTY: 403, R.NOT_YOUR_LEVEL: 403, R.SAME_PERSON: 403, R.HIGHER_LEVEL_NEEDED: 403}
_INPUT = {R.REASON_MISSING: "words", R.NO_NEW_EVIDENCE: "evidence", R.EVIDENCE_MISSING: "evidence"}


def refused(refusal: Refusal) -> RefusedError:
    """The refusal as it leaves the office."""
    words = WORDS[refusal]
    status = _STATUS.get(refusal, 422 if refusal in _INPUT else 409)
    return RefusedError(status, refusal.value, words.zh, words.en, _INPUT.get(refusal, "action"))
