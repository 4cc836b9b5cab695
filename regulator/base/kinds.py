"""The registry's words: categories, states and kinds, each with its Chinese and English name. Pure."""

from collections.abc import Mapping
from enum import Enum
from typing import Final, Self


class Word(Enum):
    """An enumeration whose members also have names for people: `value`, `zh`, `en`."""

    zh: str
    en: str

    def __new__(cls, value: str, zh: str, en: str) -> "Word":
        """Take the value that is stored and the two names."""
        member = object.__new__(cls)
        member._value_ = value
        member.zh, member.en = zh, en
        return member

    @classmethod
    def of(cls, value: str) -> Self:
        """The member with this stored value. Raises ValueError."""
        try:
            return cls(value)  # type: ignore[call-arg]  # a call with one value looks it up; mypy reads __new__
        except ValueError:
            raise ValueError(f"{value!r} is no {cls.__name__}") from None


class RegionLevel(Word):
    """The level of a region: 省 province, 市 city or 县 county."""

    PROVINCE = "province", "省", "province"
    CITY = "city", "市", "city"
    COUNTY = "county", "县（市、区）", "county"


class Category(Word):
    """What puts a project into the set (notice A26); OTHER needs a reason."""

    GOV_BUILDING = "gov_building", "政府投资大型房建", "large government-funded building"
    URBAN_RAIL = "urban_rail", "城市轨道交通", "urban rail"
    MUNICIPAL_TUNNEL = "municipal_tunnel", "市政隧道", "municipal tunnel"
    OTHER = "other", "其他", "other"


class ProjectStatus(Word):
    """Where a project stands. UNREGISTERED: only its box has been heard of. ENDED: entered by mistake or merged."""

    UNREGISTERED = "unregistered", "未登记", "not registered"
    REGISTERED = "registered", "未开工", "not begun"
    RUNNING = "running", "在建", "running"
    STOPPED = "stopped", "停工", "stopped"
    FINISHED = "finished", "竣工", "finished"
    ENDED = "ended", "已注销", "ended"


class FirmRole(Word):
    """Who a firm is to a project."""

    OWNER = "owner", "建设单位", "owner"
    CONTRACTOR = "contractor", "施工单位", "contractor"
    SUPERVISOR = "supervisor", "监理单位", "supervisor"
    MONITOR = "monitor", "第三方监测单位", "third-party monitor"
    RENTAL = "rental", "租赁及安拆单位", "rental and erection"


class DeviceKind(Word):
    """What is inspected and watched by device."""

    TOWER_CRANE = "tower_crane", "塔式起重机", "tower crane"
    HOIST = "hoist", "施工升降机", "construction hoist"
    GANTRY_CRANE = "gantry_crane", "门式起重机", "gantry crane"
    DEEP_PIT = "deep_pit", "深基坑", "deep pit"
    FORMWORK = "formwork", "高支模", "formwork support"
    SCAFFOLD = "scaffold", "脚手架", "scaffold"
    GONDOLA = "gondola", "高处作业吊篮", "suspended platform"
    SHIELD = "shield", "盾构机", "shield machine"
    TUNNEL_FACE = "tunnel_face", "隧道掌子面", "tunnel face"
    CAMERA = "camera", "摄像机", "camera"
    OTHER = "other", "其他", "other"


class WorkType(Word):
    """The groups of dangerous works (危大工程, order 37 and its list of 2018)."""

    PIT = "pit", "基坑工程", "pit"
    FORMWORK = "formwork", "模板工程及支撑体系", "formwork and its support"
    LIFTING = "lifting", "起重吊装及起重机械安装拆卸", "lifting and crane erection"
    SCAFFOLD = "scaffold", "脚手架工程", "scaffold"
    DEMOLITION = "demolition", "拆除工程", "demolition"
    UNDERGROUND = "underground", "暗挖工程", "underground excavation"
    OTHER = "other", "其它", "other"


WORKS_OF_ASSET: Final[Mapping[str, str]] = {"tower-crane": "lifting", "deep-pit": "pit", "pit": "pit"}
"""The group of works that an alarm is about, by what a box calls the thing: a site file's kinds, a twin's `pit`."""


class WorkStage(Word):
    """Where a dangerous work stands. ENDED: entered by mistake."""

    PLANNED = "planned", "未实施", "planned"
    RUNNING = "running", "实施中", "running"
    PAUSED = "paused", "暂停", "paused"
    FINISHED = "finished", "已完成", "finished"
    ENDED = "ended", "已注销", "ended"


class Standing(Word):
    """Whether a region, firm or device is still in use."""

    ACTIVE = "active", "有效", "active"
    ENDED = "ended", "已注销", "ended"


class RiskKind(Word):
    """What puts somebody on the key-risk list (notice A7)."""

    ACCIDENT = "accident", "近两年发生事故", "accident within two years"
    POINTS = "points", "动态扣分达到 40 分", "40 points or more"
    STOP_ORDER = "stop_order", "曾因突出隐患停工整改", "earlier stop order"
    MANUAL = "manual", "人工列入", "listed by hand"


class ItemLevel(Word):
    """What is inspected and listed one by one (逐企业、逐项目、逐设备)."""

    FIRM = "firm", "企业", "firm"
    PROJECT = "project", "项目", "project"
    DEVICE = "device", "设备", "device"


class Answer(Word):
    """To a question of a check sheet, and of the sheet as a whole (its worst answer)."""

    FITS = "fits", "符合", "in order"
    NOT_APPLICABLE = "not_applicable", "不涉及", "does not apply"
    HAZARD = "hazard", "存在隐患", "hazard found"
