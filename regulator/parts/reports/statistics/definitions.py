"""What every figure is called, how it is made, and what it should be: the table of section C, as data.

Targets marked `2nd` are ISA-18.2 and EEMUA 191 as secondary sources quote them (the originals were not read); those
marked `proposal` are the product's own. A formula or a target that changes here changes in docs/statistics.md.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from regulator.parts.reports.statistics.figure import Certainty, Definition, Sense, Target

_Both = tuple[str, str]
_ISA: Final = "ISA-18.2 / EEMUA 191, secondary"
_OWN: Final = "product proposal"
_TREND: Final = Target(Sense.TREND)
_A, _H, _R, _F = "alarms", "hazards", "review", "feed"


def _isa(
    key: str, group: str, names: tuple[str, str], unit: str, target: Target, formula: tuple[str, str]
) -> Definition:
    return Definition(key, group, *names, unit, target, Certainty.SECONDARY, _ISA, *formula)


def _own(
    key: str, group: str, names: tuple[str, str], unit: str, target: Target, formula: tuple[str, str]
) -> Definition:
    return Definition(key, group, *names, unit, target, Certainty.PROPOSAL, _OWN, *formula)


def _trend(key: str, group: str, names: _Both, unit: str, formula: _Both) -> Definition:
    return Definition(key, group, *names, unit, _TREND, Certainty.NONE, "", *formula)


def _at_most(value: float) -> Target:
    return Target(Sense.AT_MOST, value)


_SHARE_OF_ALL = ("该级别报警数 / 全部报警数（不含日志级）", "activations of this priority / all but the log level")
_ACKNOWLEDGED = ("确认时间 − 发生时间，仅已确认者", "acknowledged − raised, of those acknowledged")
_P1, _P2, _P3 = "P1", "P2", "P3"
_EACH: Final = (
    _isa("desk_rate", _A, ("研判台报警率", "Alarm rate of the desk"), "/h", _at_most(12),
         ("送审条目 / 人时（按人计，不按工地计）", "items put before reviewers / person-hours (people, not sites)")),
    _isa("desk_peak", _A, ("研判台 10 分钟峰值", "Peak of the desk in 10 min"), "", _at_most(10),
         ("任意 10 分钟内送审条目最大值，除以当时在岗人数（无人时按 1 人）",
          "most items in any 10 min / people at work then (one where nobody was)")),
    _isa("desk_flood", _A, ("研判台洪泛占比", "Flood share of the desk"), "%", Target(Sense.BELOW, 1),
         ("人均超过 10 条的 10 分钟时段 / 全部时段（空时段计入）",
          "10-min windows with >10 a person / all, empty ones counted")),
    _isa("site_rate", _A, ("现场报警率", "Alarm rate of a site"), "/h", _at_most(12),
         ("报警发生数 / 监控主机有数据的小时数（每台按 1 个岗位计）",
          "activations / hours heard of boxes (one position a box)")),
    _isa("site_peak", _A, ("现场 10 分钟峰值", "Peak of a site in 10 min"), "", _at_most(10),
         ("任一监控主机任意 10 分钟内的最大报警数", "most activations of one box in any 10 min")),
    _isa("site_flood", _A, ("现场洪泛占比", "Flood share of sites"), "%", Target(Sense.BELOW, 1),
         ("超过 10 条的 10 分钟时段 / 有数据的时段（空时段计入）",
          "10-min windows with >10 / windows heard, empty ones counted")),
    _isa("standing", _A, ("滞留报警（> 24 h）", "Standing alarms (> 24 h)"), "", Target(Sense.BELOW, 5),
         ("期末仍未恢复且超过 24 h 的报警", "active for more than 24 h at the end of the period")),
    _isa("chattering", _A, ("抖动报警", "Chattering"), "", _at_most(0),
         ("同一测点 60 s 内发生 ≥ 3 次的次数（运行口径，标准仅定性）",
          "bursts of ≥ 3 activations of one tag in 60 s (operational rule; the standard is qualitative)")),
    _isa("fleeting", _A, ("瞬逝报警", "Fleeting alarms"), "", _at_most(0),
         ("60 s 内未经确认即恢复的报警（60 s 为建议值）", "returned within 60 s unacknowledged (60 s is a proposal)")),
    _isa("bad_actors", _A, ("前十测点占比", "Share of the top ten tags"), "%", _at_most(5),
         ("报警最多的 10 个测点 / 全部报警", "activations of the ten busiest tags / all")),
    *(_isa(f"mix_{level.lower()}", _A, (f"{level} 占比", f"Share of {level}"), "%",
           Target(Sense.ABOUT, goal), _SHARE_OF_ALL)
      for level, goal in ((_P1, 5), (_P2, 15), (_P3, 80))),
    _isa("silenced", _A, ("无理由搁置/抑制", "Shelved or suppressed without a reason"), "", _at_most(0),
         ("期末处于搁置、停用或抑制且未填理由者（来自监控主机的证据链）",
          "shelved, out of service or suppressed at the end of the period, no reason given (from the boxes' chains)")),
    *(_own(f"mtta_{level.lower()}_p95", _A, (f"{level} 确认时间 p95", f"Time to acknowledge {level}, p95"), "s",
           _at_most(goal), _ACKNOWLEDGED) for level, goal in ((_P1, 120), (_P2, 600))),
    _trend("mtta_p3_p95", _A, ("P3 确认时间 p95", "Time to acknowledge P3, p95"), "s", _ACKNOWLEDGED),
    *(_trend(f"mtta_{level.lower()}_p50", _A, (f"{level} 确认时间 p50", f"Time to acknowledge {level}, p50"), "s",
             _ACKNOWLEDGED) for level in (_P1, _P2, _P3)),
    _own("p1_unacknowledged", _A, ("P1 两分钟未确认", "P1 unacknowledged at 2 min"), "%", Target(Sense.BELOW, 5),
         ("发生 2 分钟时仍未确认的 P1 / 全部 P1", "P1 not acknowledged 2 min after they were raised / all P1")),
    *(_trend(f"active_time_p{share}", _A, (f"报警持续时间 p{share}", f"Alarm active time, p{share}"), "s",
             ("恢复 − 发生，仅已恢复者", "returned − raised, of those returned")) for share in (50, 95)),
    *(_trend(f"mttr_p{share}", _H, (f"隐患整改时间 p{share}", f"Time to close a hazard, p{share}"), "d",
             ("销号 − 属实，本期销号者", "closed − confirmed, of those closed in the period")) for share in (50, 95)),
    _own("overdue", _H, ("逾期整改", "Overdue rectifications"), "", _at_most(0),
         ("期末已过期限而未完成的整改（含挂牌）", "rectifications and listings past due and not done at the end")),
    *(_own(f"overdue_{level}", _H, (f"逾期整改（{zh}）", f"Overdue rectifications ({level})"), "", _at_most(0),
           ("按当前承办层级", "by the level that holds the hazard"))
      for level, zh in (("county", "县"), ("city", "市"), ("province", "省"))),
    _own("overdue_days", _H, ("最长逾期天数", "Most days overdue"), "d", _at_most(0),
         ("期末 − 期限，取最大", "end of the period − due, the most")),
    _trend("on_time", _H, ("按期整改率", "Rectified on time"), "%",
           ("本期到期的整改中按期完成者 / 全部", "of rectifications due in the period, those done in time")),
    _trend("first_pass", _H, ("复查一次合格率", "Passed the first recheck"), "%",
           ("首轮即销号者 / 本期销号", "closed in the first round / closed in the period")),
    _trend("repeated", _H, ("重复隐患率（30 日）", "Repeated hazards (30 d)"), "%",
           ("同项目同类同位置 30 日内销号后再现者 / 本期属实",
            "same project, kind and place as one closed in the 30 d before / confirmed in the period")),
    _trend("missed", _H, ("系统漏报率", "Missed-hazard rate"), "%",
           ("本期属实隐患中非设备来源者 / 全部", "of hazards confirmed in the period, those that no device found")),
    _own("false_alarms", _R, ("误报率", "False-alarm rate"), "%", _at_most(20),
         ("误报 / (属实 + 误报)，附 Wilson 95% 区间，n < 20 不显示",
          "N / (Y + N) with Wilson's 95 % interval; hidden when n < 20")),
    _own("agreement", _R, ("研判一致性 κ", "Review agreement, kappa"), "", Target(Sense.ABOVE, 0.8),
         ("5% 双盲复判样本的 Cohen κ", "Cohen's kappa on the blind double-review sample of 5 %")),
    _own("latency", _F, ("发生到入台时延 p95", "Detection to desk, p95"), "s", Target(Sense.BELOW, 1),
         ("本台收到 − 监控主机时钟的发生时间，不含补传",
          "received here − raised by the box's clock, without what was sent late")),
    _own("feed_gaps", _F, ("数据中断", "Feed gaps"), "", _at_most(0),
         ("本期发现的监控主机失联与证据链缺口", "silent boxes and gaps of chains found in the period")),
    _own("availability", _F, ("摄像机可用率", "Availability of cameras"), "%", Target(Sense.AT_LEAST, 95),
         ("可用分钟 / 应用分钟（在册摄像机全天）", "usable minutes / scheduled minutes (registered cameras, all day)")),
    _trend("judged_time", _F, ("摄像机有效识别率", "Judged time of cameras"), "%",
           ("有效识别分钟 / 应用分钟（画面可用且多数人员可辨认）",
            "judged minutes / scheduled minutes (usable picture, and most of the people in it judged)")),
)  # fmt: skip
DEFINITIONS: Final[Mapping[str, Definition]] = MappingProxyType({each.key: each for each in _EACH})
"""By key, in the order of the page."""
