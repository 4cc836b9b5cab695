"""The commissioning sheet: what was found, as one self-contained HTML page, Chinese first. Pure.

In: a `Commissioning`. Out: bytes, the same for the same findings. Its digest is sealed and signed elsewhere; the page
itself leaves lines for the names of the people who stood by.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from html import escape

import numpy as np

from screens.catalogue import LANGUAGES
from screens.citing import certainty_text
from sitewarden.commissioning.findings import (
    CameraFinding,
    CheckOutcome,
    Commissioning,
    CraneFinding,
    DeviceFinding,
    PointFinding,
)
from sitewarden.commissioning.known_load import CLAUSE, LIMIT_PCT, LoadCheck
from sitewarden.commissioning.movement import Finding

FINDINGS = {
    Finding.RIGHT: "正确 / right",
    Finding.REVERSED: "方向相反 / reversed",
    Finding.SWAPPED: "通道接错 / swapped channels",
    Finding.NOTHING: "无变化 / nothing changed",
    Finding.BLIND: "无法读取 / could not be read",
    Finding.SKIPPED: "未做 / not done",
}
OUTCOMES = {
    CheckOutcome.CONFIRMED: "已发现并已恢复 / seen, and seen to end",
    CheckOutcome.NOT_SEEN: "未发现 / not seen",
    CheckOutcome.NOT_CLEARED: "未恢复 / did not end",
    CheckOutcome.BLIND: "画面不可用 / no usable picture",
    CheckOutcome.SKIPPED: "未做 / not done",
}
CHECKS = {
    "no_work_clothes": "未穿工作服或反光衣 / work clothes or vest missing",
    "in_danger_zone": "人员进入危险区 / person in a danger zone",
    "under_hook": "人员位于吊物下方 / person under the hook",
    "person_down": "人员倒地 / person down",
}
SITE_TIME = timezone(timedelta(hours=8))
_STYLE = """
body{font:14px/1.45 "Noto Sans CJK SC","WenQuanYi Micro Hei",system-ui,sans-serif;margin:1.5rem;color:#111}
h1{font-size:1.3rem}h2{font-size:1.05rem;margin:1.2rem 0 .3rem}
table{border-collapse:collapse;width:100%;margin-bottom:.6rem}
td,th{border:1px solid #999;padding:.15rem .4rem;text-align:left;vertical-align:top}.n{text-align:right}
.raw{font-family:monospace}.bad{color:#a00018;font-weight:700}.good{color:#14582c;font-weight:700}
.sign td{height:3rem}@page{size:A4;margin:12mm}tr{break-inside:avoid}
"""


def sheet_html(found: Commissioning) -> bytes:
    """The page as HTML, encoded as UTF-8."""
    body = [
        "<h1>安全监控系统调试记录 / Commissioning sheet</h1>",
        _head(found),
        *(part for device in found.devices for part in _device(device)),
        *(part for crane in found.cranes for part in _crane(crane)),
        *(part for camera in found.cameras for part in _camera(camera)),
        _signatures(found),
    ]
    title = escape(f"{found.box} {_time(found.at_ns)}")
    page = (
        f'<!doctype html>\n<html lang="zh-CN">\n<head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n" + "\n".join(body) + "\n</body>\n</html>\n"
    )
    return page.encode()


def _head(found: Commissioning) -> str:
    state = _mark(
        found.sound, "全部通过 / everything proven", "存在未通过或未做的项目 / something failed or was not done"
    )
    rows = [
        ("工地 / site", f"{found.site_zh} / {found.site_en}"),
        ("项目编号 / project", found.project_code),
        ("监控主机 / box", found.box),
        ("时间 / time", _time(found.at_ns)),
        ("调试人员 / by", found.operator or "-"),
        ("软件 / software", f"sitewarden {found.software}"),
        ("配置摘要 / settings digest", found.settings_digest),
    ]
    table = _table((), [[escape(name), escape(value)] for name, value in rows])
    return f"<p>结论 / outcome: {state}</p>\n{table}"


def _device(device: DeviceFinding) -> Iterable[str]:
    yield f"<h2>设备 / device {escape(device.device)}</h2>"
    sure = " / ".join(certainty_text(language, device.certainty) for language in LANGUAGES)
    yield f"<p>{escape(f'{device.asset} · {device.address} · {device.table} ({sure})')}</p>"
    if device.reason_en:
        yield f'<p class="bad">{escape(device.reason_zh)} / {escape(device.reason_en)}</p>'
        return
    for error in device.refused:
        yield f'<p class="bad">拒绝读取 / refused: {escape(error)}</p>'
    if device.looks_like:
        yield f'<p class="bad">字序疑为 {device.looks_like} / this looks like {device.looks_like}</p>'
    if device.moment_off_pct is not None:
        yield (
            f'<p class="bad">力矩百分比与载荷不符，差 {device.moment_off_pct:+.1f} 个百分点 / '
            "the moment is not 100 x load / rated</p>"
        )
    heads = ("测点 / point", "寄存器 / register", "原始字 / raw", "数值 / value", "质量 / quality", "字序 / order")
    yield _table(heads, [_point(point) for point in device.points])


def _point(point: PointFinding) -> Sequence[str]:
    guess = point.guess
    order = ""
    if guess is not None and guess.better:
        order = f'<span class="bad">疑为 / looks like {guess.better}: {guess.tried[0].value:.6g}</span>'
    return [
        f"{escape(point.title_zh)} / {escape(point.title_en)}<br><small>{escape(point.key)}</small>",
        escape(point.place),
        f'<span class="raw">{escape(point.words) or "-"}</span>',
        f"{escape(point.value)} {escape(point.unit)}",
        _mark(point.quality == "GOOD", point.quality, point.quality),
        order,
    ]


def _crane(crane: CraneFinding) -> Iterable[str]:
    yield f"<h2>塔机 / crane {escape(crane.asset)}</h2>"
    rows = [
        [
            f"{escape(check.movement.ask_zh)} / {escape(check.movement.ask_en)}",
            check.movement.key,
            _number(check.change),
            _mark(check.passed, FINDINGS[check.finding], FINDINGS[check.finding])
            + (f" ({escape(check.instead)})" if check.instead else ""),
        ]
        for check in crane.movements
    ]
    yield _table(("动作 / movement", "测点 / point", "变化 / change", "结论 / finding"), rows)
    yield _load(crane.load) if crane.load is not None else "<p>已知载荷校核未做 / no known-load check was done</p>"
    if crane.kept_from:
        yield f"<p>沿用 / kept from sheet {escape(crane.kept_from)}</p>"
    why = f": {escape(crane.reason_zh)} / {escape(crane.reason_en)}" if not crane.armed else ""
    state = _mark(crane.armed, "已启用 / armed", "未启用 / NOT ARMED")
    yield f"<p>载荷与力矩报警 / load and moment alarms: {state}{why}</p>"


def _camera(camera: CameraFinding) -> Iterable[str]:
    yield f"<h2>摄像机 / camera {escape(camera.asset)}</h2>"
    rows = []
    for trial in camera.trials:
        on = trial.check in camera.confirmed
        kept = " (沿用 / kept)" if on and trial.outcome is CheckOutcome.SKIPPED else ""
        state = _mark(on, f"已启用 / on{kept}", "未启用 / OFF")
        rows.append([escape(CHECKS.get(trial.check, trial.check)), OUTCOMES[trial.outcome], state])
    yield _table(("检查 / check", "试验 / trial", "结论 / finding"), rows)


def _load(load: LoadCheck) -> str:
    known = load.known
    radius = "按显示 / as displayed" if known.radius_m is None else f"{known.radius_m:g} m"
    rated = "按显示 / as displayed" if known.rated_t is None else f"{known.rated_t:g} t"
    rows = [
        ["起重量 / load (t)", f"{known.load_t:g}", _number(load.load_t), _error(load.load_error_pct)],
        [
            "力矩 / moment (%)",
            _number(load.expected_moment_pct),
            _number(load.moment_pct),
            _error(load.moment_error_pct),
        ],
        ["幅度 / radius", radius, f"{_number(load.radius_m)} m", ""],
        ["额定起重量 / rated load", rated, "", ""],
    ]
    table = _table(("已知载荷校核 / known load", "实际 / actual", "显示 / displayed", "误差 / error"), rows)
    return f"{table}\n<p>{load.samples} 次采样平均 / mean of {load.samples} samples; ±{LIMIT_PCT:g} %: {CLAUSE}</p>"


def _signatures(found: Commissioning) -> str:
    rows = [["调试 / commissioned by", escape(found.operator), ""], ["安装单位 / installer", "", ""]]
    rows += [["施工单位 / contractor", "", ""], ["监理 / supervision", "", ""]]
    return "<h2>签字 / signatures</h2>\n" + _table(("", "姓名 / name", "签字 日期 / signed, date"), rows, "sign")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], css: str = "") -> str:
    """Heads are text, cells are HTML already."""
    head = "<tr>" + "".join(f"<th>{escape(name)}</th>" for name in heads) + "</tr>\n" if heads else ""
    lines = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<table class="{css}">\n{head}{lines}\n</table>'


def _mark(good: bool, yes: str, no: str) -> str:
    return f'<span class="{"good" if good else "bad"}">{escape(yes if good else no)}</span>'


def _error(error_pct: float) -> str:
    shown = f"{error_pct:+.2f} %" if np.isfinite(error_pct) else "未知 / unknown"
    return _mark(abs(error_pct) <= LIMIT_PCT, shown, shown)


def _number(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else "-"


def _time(at_ns: int) -> str:
    moment = datetime.fromtimestamp(at_ns // 1_000_000_000, UTC)
    return f"{moment.astimezone(SITE_TIME):%Y-%m-%d %H:%M:%S} UTC+8 ({moment:%Y-%m-%dT%H:%M:%SZ})"
