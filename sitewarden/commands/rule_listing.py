"""`sitewarden rules`: every rule in force on a site, row by row, and where each value comes from.

In: a site's settings. Out: text for people, in Chinese or English, or JSON for programs. Reads nothing but the
settings; a running gateway does not notice.
"""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from gateway.model.alarm import RuleInfo
from gateway.model.rule import (
    ChangeCountParameters,
    Condition,
    ConsecutiveParameters,
    Direction,
    FlatLineParameters,
    GateParameters,
    LossParameters,
    RateParameters,
    ResolvedRule,
    RuleFamily,
)
from gateway.settings import Settings
from gateway.settings.wording import Language
from screens.catalogue import Language as ScreenLanguage
from screens.citing import certainty_text, clause_text, item_text

_FAMILY = {
    RuleFamily.THRESHOLD: ("threshold", "限值"),
    RuleFamily.SILENCE: ("silence", "失联"),
    RuleFamily.RATE_OF_CHANGE: ("rate of change", "变化速率"),
    RuleFamily.FLAT_LINE: ("flat line", "数值不变"),
    RuleFamily.IMPOSSIBLE: ("impossible value", "不可能的值"),
    RuleFamily.CHANGE_COUNT: ("change count", "变化次数"),
    RuleFamily.CONSECUTIVE: ("readings in a row", "连续读数"),
    RuleFamily.LOSS: ("lost requests", "请求丢失率"),
}
_WORDS = {
    "set by": "来源",
    "written in": "写在",
    "wait": "延时",
    "back after": "恢复延时",
    "deadband": "回差",
    "reported": "上报监管",
    "suspected": "疑似",
    "over": "窗口",
    "longest gap": "最大间隔",
    "at least samples": "最少样本数",
    "tolerance": "容差",
    "only while": "仅当",
    "smallest change": "最小变化",
    "crossing": "穿越",
    "value not usable": "数值无效",
    "more than": "多于",
    "changes": "次变化",
    "either way": "升降均算",
    "size": "绝对值",
    "readings in a row": "连续次数",
    "one reading in": "读数最小间隔",
    "at least requests": "最少请求数",
    "outage after": "视为中断",
    "suppressed while": "抑制条件（报警进行中）",
    "hazard": "重大事故隐患条目",
}


def rules_text(settings: Settings, language: Language = "en") -> str:
    """Every row under its asset: what is judged, by which limit, how it waits, who set it and where that is written."""
    zh = language == "zh"
    lines: list[str] = []
    for asset in settings.assets:
        rows = [rule for rule in settings.rules if rule.asset == asset.id]
        lines += [f"{asset.id}  {asset.title_zh if zh else asset.title_en}"] if rows else []
        for rule in rows:
            lines += [f"  {line}" for line in _row_lines(settings, rule, zh)]
    count = len(settings.rules)
    lines.append(f"{settings.file}：共 {count} 条生效规则" if zh else f"{settings.file}: {count} rules in force")
    return "\n".join(lines)


def rules_json(settings: Settings) -> str:
    """The same as one JSON object; `limit` is null where a family has none."""
    rows = [_row_object(settings, rule) for rule in settings.rules]
    return json.dumps({"file": settings.file, "digest": settings.digest, "rules": rows}, ensure_ascii=False, indent=2)


def _row_lines(settings: Settings, rule: ResolvedRule, zh: bool) -> list[str]:
    info = rule.info
    said = _said(zh)
    marks = [said("reported")] * info.reportable + [said("suspected")] * rule.suspected
    marks += [f"{said('hazard')} {item_text('zh-CN' if zh else 'en', info.hazard)}"] if info.hazard else []
    head = [str(info.severity), info.rule_id, info.title_zh if zh else info.title_en, *marks]
    how = [f"{_FAMILY[rule.family][zh]}: {rule.subject} {_limit_text(rule, zh)}", *_details(settings, rule, zh)]
    return [
        "  ".join(head),
        "    " + "; ".join(how),
        f"    {said('set by')}: {_basis(info, zh=zh)}",
        f"    {said('written in')}: {rule.origin}",
    ]


def _basis(info: RuleInfo, *, zh: bool) -> str:
    language: ScreenLanguage = "zh-CN" if zh else "en"
    words = (clause_text(language, info.clause), certainty_text(language, info.certainty))
    return f"{info.limit_source}, {words[0]} ({words[1]})"


def _limit_text(rule: ResolvedRule, zh: bool) -> str:
    said, unit = _said(zh), rule.info.unit
    if rule.family is RuleFamily.CHANGE_COUNT:
        return f"{said('more than')} {rule.limit:g} {said('changes')}"
    if rule.family is RuleFamily.IMPOSSIBLE:
        step = f", > {rule.limit:g} {unit}" if math.isfinite(rule.limit) else ""
        return said("value not usable") + step
    sign = {Direction.HIGH: ">=", Direction.LOW: "<=", Direction.EITHER: f"{said('size')} >="}[rule.direction]
    return f"{sign} {rule.limit:g} {unit}".rstrip()


def _details(settings: Settings, rule: ResolvedRule, zh: bool) -> Iterator[str]:
    """Deadband, delays and the family's own settings, where they say anything."""
    said, unit = _said(zh), rule.info.unit
    if rule.deadband:
        yield f"{said('deadband')} {rule.deadband:g} {unit}".rstrip()
    yield from _family_details(settings, rule, said)
    if rule.on_delay_s:
        yield f"{said('wait')} {rule.on_delay_s:g} s"
    if rule.off_delay_s:
        yield f"{said('back after')} {rule.off_delay_s:g} s"
    suppressors = (*rule.suppressed_while, *rule.suppressed_here)
    if suppressors:
        yield f"{said('suppressed while')} {', '.join(suppressors)}"


def _family_details(settings: Settings, rule: ResolvedRule, said: Callable[[str], str]) -> Iterator[str]:
    """What the family needs beyond limit, deadband and delays."""
    own = rule.parameters
    if isinstance(own, RateParameters):
        yield f"{said('over')} {own.window_s:g} s"
        yield f"{said('at least samples')} {own.min_samples}"
        if own.either:
            yield said("either way")
    if isinstance(own, FlatLineParameters):
        yield f"{said('tolerance')} {own.tolerance:g}"
        yield f"{said('at least samples')} {own.min_samples}"
        if own.condition_point >= 0:
            yield f"{said('only while')} {settings.points[own.condition_point].point_id} > {own.condition_above:g}"
    if isinstance(own, ChangeCountParameters):
        yield f"{said('over')} {own.window_s:g} s"
        yield f"{said('smallest change')} {own.min_change:g}"
        if math.isfinite(own.level):
            yield f"{said('crossing')} {own.level:g}"
    if isinstance(own, GateParameters):
        yield from (f"{said('only while')} {_condition_text(settings, each)}" for each in own.conditions)
    if isinstance(own, ConsecutiveParameters):
        yield f"{said('readings in a row')} {own.times}"
        yield f"{said('one reading in')} {own.spacing_s:g} s"
    if isinstance(own, LossParameters):
        yield f"{said('over')} {own.window_s:g} s"
        yield f"{said('at least requests')} {own.min_requests}"
        yield f"{said('outage after')} {own.outage_s:g} s"
    elif own is not None and not isinstance(own, GateParameters):
        yield f"{said('longest gap')} {own.gap_s:g} s"


def _row_object(settings: Settings, rule: ResolvedRule) -> dict[str, Any]:
    info = rule.info
    return {
        "rule_id": info.rule_id,
        "family": str(rule.family),
        "subject": rule.subject,
        "asset": rule.asset,
        "title_zh": info.title_zh,
        "title_en": info.title_en,
        "severity": str(info.severity),
        "reportable": info.reportable,
        "suspected": rule.suspected,
        "direction": str(rule.direction),
        "limit": _number(rule.limit),
        "unit": info.unit,
        "deadband": rule.deadband,
        "on_delay_s": rule.on_delay_s,
        "off_delay_s": rule.off_delay_s,
        "suppressed_while": [*rule.suppressed_while, *rule.suppressed_here],
        "parameters": _parameters_object(settings, rule),
        "limit_source": info.limit_source,
        "clause": info.clause,
        "certainty": info.certainty,
        "hazard": info.hazard,
        "origin": rule.origin,
    }


def _parameters_object(settings: Settings, rule: ResolvedRule) -> dict[str, Any]:
    """A family's own settings, with points by their names."""
    own = rule.parameters
    if isinstance(own, GateParameters):
        return {
            "only_when": [_condition_object(settings, each) for each in own.conditions],
            "stale_after_s": own.stale_after_s,
        }
    parameters = {key: _number(value) for key, value in asdict(own).items()} if own is not None else {}
    if isinstance(own, FlatLineParameters):
        at = parameters.pop("condition_point")
        parameters["condition_point"] = settings.points[at].point_id if at >= 0 else None
    return parameters


def _condition_text(settings: Settings, condition: Condition) -> str:
    sign = ">" if condition.direction is Direction.HIGH else "<"
    return f"{settings.points[condition.point_index].point_id} {sign} {condition.bound:g}"


def _condition_object(settings: Settings, condition: Condition) -> dict[str, Any]:
    side = "above" if condition.direction is Direction.HIGH else "below"
    return {"point": settings.points[condition.point_index].point_id, side: condition.bound}


def _number(value: Any) -> Any:
    """JSON has no infinity and no NaN."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _said(zh: bool) -> Callable[[str], str]:
    """The words of one language."""
    return _WORDS.__getitem__ if zh else str
