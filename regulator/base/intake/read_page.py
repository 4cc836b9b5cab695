"""The receiver's read page: enrolled boxes and newest alerts, so that a person sees a receipt arrive.

In: rows of the store. Out: one HTML page, Chinese first, English beside, refreshed by the browser, no outside assets,
no personal data: of pictures only the thumbnails that boxes sent with faces blurred, and the digests of the rest. Every
text is escaped: it came over a wire.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from html import escape
from typing import Any

SHANGHAI = timezone(timedelta(hours=8))
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'",
    "Cache-Control": "no-store",
}
Media = Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]

_TRANSITIONS = {
    "raised": "报警 raised",
    "acknowledged": "已确认 acknowledged",
    "returned": "已恢复 returned",
    "handed_over": "人工上报 handed over",
}
_CHAINS = {"ok": "完整 ok", "gap": "缺失 gap", "fault": "异常 fault"}

_BOX_HEADS = "设备 box|工程 project|最近联系 last heard|证据链 chain|已核验 verified"
_ALERT_HEADS = (
    "收到 received|发生 observed|工程 project|对象 asset|报警 alarm|级别 severity|变化 transition"
    "|实测/限值 measured/limit|画面证据 pictures|补报 late"
)
_FRAME = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<title>监管接收端 Receiving regulator</title><style>
body{{font:15px/1.5 system-ui,"Noto Sans CJK SC","WenQuanYi Micro Hei",sans-serif;margin:1.5rem;color:#16202a}}
table{{border-collapse:collapse;margin-bottom:2rem}}
th,td{{text-align:left;padding:.3rem .8rem;border-bottom:1px solid #c7d0d9}}
th{{background:#eef2f6}} .bad{{color:#a30000;font-weight:600}} .number{{text-align:right}}
img{{height:90px;display:block}} small{{font-size:.8em;color:#52606d}}
</style></head><body><h1>监管接收端 <small lang="en">Receiving regulator</small></h1>
<p>已收报警 alerts held: <b>{held}</b>，重复未重记 duplicates not stored again: <b>{duplicates}</b>，
内容冲突拒收 conflicts refused: <b>{conflicts}</b></p>
<h2>设备 <small lang="en">Boxes</small></h2>{boxes}<h2>最新报警 <small lang="en">Newest alerts</small></h2>{alerts}
<p>时间为北京时间（UTC+8） Times are UTC+8.</p></body></html>"""


def read_page(
    boxes: list[dict[str, Any]], alerts: list[dict[str, Any]], stats: dict[str, int], media: Media | None = None
) -> str:
    """The whole page, from what `Holdings` gives."""
    held = media or {}
    return _FRAME.format(
        held=stats["alerts_held"],
        duplicates=stats["duplicates_refused"],
        conflicts=stats["conflicts_refused"],
        boxes=_table(_BOX_HEADS, map(_box_row, boxes)),
        alerts=_table(_ALERT_HEADS, [_alert_row(a, held.get((a["box_id"], a["key"]), ())) for a in alerts]),
    )


def _box_row(box: dict[str, Any]) -> list[str]:
    chain = _CHAINS[box["chain"].state]
    if box["chain"].state != "ok":
        chain = f'<span class="bad">{chain}</span> {escape(box["chain"].reason)}'
    cells = (box["box_id"], box["project_code"], _clock(box["last_seen_ns"]))
    return [*map(escape, cells), chain, str(box["verified_seq"])]


def _alert_row(alert: dict[str, Any], media: Sequence[Mapping[str, Any]]) -> list[str]:
    measured = f"{alert['measured'] or '无 none'} / {alert['limit_value'] or '无 none'} {alert['unit']}"
    title = f"{alert['title_zh']} {alert['title_en']}" + ("（疑似 suspected）" if alert["suspected"] else "")
    cells = [_clock(alert["accepted_at_ns"]), _clock(alert["observed_at_ns"]), alert["project_code"], alert["asset"]]
    cells += [title, alert["severity"], _TRANSITIONS[alert["transition"]], measured]
    return [*map(escape, cells), _pictures(media), "是 yes" if alert["late"] else ""]


def _pictures(media: Sequence[Mapping[str, Any]]) -> str:
    """The thumbnail as the box sent it, and the digest of every body held; the strip's stills are only counted."""
    thumbs = "".join(map(_thumbnail, (said for said in media if said["kind"] == "thumbnail")))
    bodies = [said for said in media if said["kind"] == "media_segment"]
    lines = [_body_line(said) for said in bodies if ":strip:" not in said["segment_id"]]
    stills = len(bodies) - len(lines)
    if stills:
        lines.append(f"<small>连拍 strip: {stills}</small>")
    return thumbs + "<br>".join(lines)


def _thumbnail(said: Mapping[str, Any]) -> str:
    words = "报警画面（人脸已模糊） alarm picture, faces blurred"
    return f'<img alt="{words}" src="data:{escape(said["media_type"])};base64,{escape(said["data_base64"])}">'


def _body_line(said: Mapping[str, Any]) -> str:
    name = "录像 clip" if said["media_type"].startswith("video/") else "画面 frame"
    kib = -(-int(said["size_bytes"]) // 1024)
    return f"<small>{name} {kib} KiB SHA-256 {escape(said['blob_sha256'][:16])}…</small>"


def _table(heads: str, rows: Any) -> str:
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    if not body:
        return "<p>暂无 none yet</p>"
    head = "".join(f"<th>{cell}</th>" for cell in heads.split("|"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _clock(at_ns: int) -> str:
    whole = datetime.fromtimestamp(at_ns // 1_000_000_000, SHANGHAI)
    return f"{whole:%Y-%m-%d %H:%M:%S}.{at_ns // 1_000_000 % 1000:03d}"
