"""The page inside an evidence package: the case in order of time, to be read without any program but a browser.

In: a `Case`. Out: one HTML page, Chinese first, no script, no outside address. Every text is escaped: it came over
wires and from people. The page proves nothing; it says so, and says what does.
"""

import json
from html import escape
from typing import Any

from regulator.parts.evidence.case import Case
from screens.catalogue import LANGUAGES
from screens.citing import clause_text
from screens.formats import local_day_time

_FRAME = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title><style>
body{{font:15px/1.6 system-ui,"Noto Sans CJK SC","WenQuanYi Micro Hei",sans-serif;margin:1.5rem;color:#16202a}}
table{{border-collapse:collapse;margin-bottom:2rem}} th,td{{text-align:left;padding:.3rem .8rem;vertical-align:top;
border-bottom:1px solid #c7d0d9}} th{{background:#eef2f6}} img{{max-width:320px;display:block}}
code{{font-size:.85em;word-break:break-all}}
</style></head><body><h1>{title}</h1>
<p>本页供阅读；证明力来自签名与校验值。核验（Python 3.9 及以上，无需安装其他软件）：解压后在本文件夹运行
<code>python3 verify.py . 密钥指纹</code>，或对未解压的文件运行 <code>python3 verify.py 本压缩包.zip 密钥指纹</code>。
密钥指纹请向监管部门索取（审查台“核验证据”页），不要取自本包。
<span lang="en">This page is to be read; what proves is signatures and digests. To check them, Python 3.9 or newer is
enough: run the first command inside the unpacked folder, or the second on the zip, with the fingerprint of the desk's
key. Ask the regulator for it (the desk's page Verify evidence); do not take it from this package.</span></p>
{parts}</body></html>
"""


def index_page(case: Case, desk_key_id: str, now_ns: int) -> str:
    """The whole page as text, with all that it shows."""
    hazard = case.hazard
    title = f"证据包 Evidence package {hazard['number'] or hazard['hazard_id']}"
    facts = [
        ("项目 project", hazard["project_code"]),
        ("隐患 hazard", f"{hazard['title_zh']} {hazard['title_en']}"),
        ("发现时间 observed", local_day_time(hazard["observed_at_ns"])),
        ("状态 state", hazard["state"]),
        ("设备 box", hazard["box_id"] or "–"),
        ("打包时间 packaged", local_day_time(now_ns)),
        ("台账密钥 desk key", desk_key_id),
    ]
    parts = [_table("事项 Facts", ["项 item", "值 value"], facts), _alarm(case), _media(case), _ledger(case)]
    return _FRAME.format(title=escape(title), parts="".join(parts))


def _alarm(case: Case) -> str:
    if case.alarm is None:
        return "<p>由人员发现，无设备报警。 Found by people, no machine's alarm.</p>"
    rows = []
    for item in case.items:
        if item.kind == "alarm_transition":
            body = json.loads(item.body)
            value = f"{body['measured'] or '无 none'} / {body['limit'] or '无 none'} {body['unit']}"
            cells = (
                local_day_time(body["observed_at_ns"]),
                body["transition"],
                body["title_zh"],
                value,
                _clause(body["clause"]),
            )
            rows.append(cells)
    heads = ["时间 time", "变化 transition", "报警 alarm", "实测/限值 measured/limit", "依据 clause"]
    return _table("报警 Alarm", heads, rows)


def _clause(clause: str) -> str:
    """In both languages; once where they are the same."""
    return " / ".join(dict.fromkeys(clause_text(language, clause) for language in LANGUAGES))


def _media(case: Case) -> str:
    thumbs = []
    for item in case.items:
        if item.kind == "thumbnail":
            body = json.loads(item.body)
            source = f"data:{escape(body['media_type'])};base64,{escape(body['data_base64'])}"
            words = "报警画面（人脸已模糊） alarm picture, faces blurred"
            thumbs.append(f'<img alt="{words}" src="{source}">')
    rows = [(media.sha256, media.media_type) for media in case.media]
    return "".join(thumbs) + _table("媒体 Media", ["SHA-256", "类型 type"], rows)


def _ledger(case: Case) -> str:
    rows = []
    for entry in case.ledger:
        said: Any = entry.fields
        if said["subject"] in case.subjects:
            rows.append((entry.seq, local_day_time(said["at_ns"]), said["kind"], said["actor"]["name"]))
    return _table("台账 Ledger", ["序号 no.", "时间 time", "事项 deed", "人员 person"], rows)


def _table(title: str, heads: list[str], rows: Any) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h2>{escape(title)}</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
