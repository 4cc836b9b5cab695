"""The two check sheets of a round (notice A1): the site, and the duty of the firm and its key people. Pure.

The questions are the product's own short form of what the notices name; a tenant may bring its own list.
"""

from dataclasses import dataclass

from regulator.registry.kinds import Word


class SheetKind(Word):
    """Which sheet."""

    SITE = "site", "现场检查表", "site sheet"
    DUTY = "duty", "履职检查表", "duty sheet"


class Answer(Word):
    """To a question, and of the sheet as a whole (its worst answer)."""

    FITS = "fits", "符合", "in order"
    NOT_APPLICABLE = "not_applicable", "不涉及", "does not apply"
    HAZARD = "hazard", "存在隐患", "hazard found"


class ItemLevel(Word):
    """逐企业、逐项目、逐设备."""

    FIRM = "firm", "企业", "firm"
    PROJECT = "project", "项目", "project"
    DEVICE = "device", "设备", "device"


@dataclass(frozen=True, slots=True)
class Question:
    """One line of a sheet."""

    key: str
    zh: str
    en: str


SHEETS: dict[SheetKind, tuple[Question, ...]] = {
    SheetKind.SITE: (
        Question("plan", "专项施工方案已编审、论证并按方案实施", "the special plan is made, reviewed and followed"),
        Question("acceptance", "已验收并挂牌", "accepted and marked so"),
        Question("state", "实体状态符合标准", "its state meets the standard"),
        Question("monitoring", "监测、安全装置有效", "monitoring and safety devices work"),
        Question("people", "作业人员持证、防护到位", "people hold certificates and wear protection"),
    ),
    SheetKind.DUTY: (
        Question("system", "安全生产责任制与制度落实", "responsibilities are set and lived"),
        Question("key_people", "关键岗位人员到岗履职", "key people are present and do their duty"),
        Question("leader_checks", "负责人带队检查与带班记录", "leaders inspect and are on duty, on record"),
        Question("hazard_loop", "隐患排查治理闭环", "hazards are found, fixed and closed"),
        Question("training", "教育培训与交底", "training and disclosure"),
    ),
}
REQUIRED: dict[ItemLevel, tuple[SheetKind, ...]] = {
    ItemLevel.FIRM: (SheetKind.DUTY,),
    ItemLevel.PROJECT: (SheetKind.SITE, SheetKind.DUTY),
    ItemLevel.DEVICE: (SheetKind.SITE,),
}
"""What has to be filled in before something counts as inspected."""
