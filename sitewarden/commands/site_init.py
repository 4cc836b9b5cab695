"""`sitewarden init`: a first site file, commented, that `check` accepts and `run` runs.

    answers (flags, or asked for) --> SiteDraft --> site.yaml, site.schema.json, secret files beside it

In: what is on the site. Out: files; nothing that is there already is overwritten. Secrets lie in files of their own.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

CRANE_PORT, PIT_PORT = 15021, 15023
"""Where `sitewarden simulate` plays a crane and a pit."""
WEB_PORT = 8080


@dataclass(frozen=True, slots=True)
class SiteDraft:
    """What a first site file says. `cranes`, `pits`: `host[:port]` each. `regulator`: its address, empty for none.

    `cameras`: addresses of streams; a password in one goes into a file of its own. `language`: of the comments.
    """

    project_code: str
    title_zh: str
    title_en: str
    cranes: tuple[str, ...]
    pits: tuple[str, ...]
    cameras: tuple[str, ...] = ()
    regulator: str = ""
    enrol_code: str = ""
    web_port: int = WEB_PORT
    language: str = "zh"
    simulated: bool = False


class DraftError(ValueError):
    """An answer that will not do: says which, what was found and what was expected."""


def simulated_draft(draft: SiteDraft) -> SiteDraft:
    """The same site with the crane and the pit that `sitewarden simulate` plays."""
    places = {"cranes": (f"127.0.0.1:{CRANE_PORT}",), "pits": (f"127.0.0.1:{PIT_PORT}",)}
    return SiteDraft(**{**_fields(draft), **places, "simulated": True})


def write_site(path: Path, draft: SiteDraft, schema: Mapping[str, Any]) -> tuple[Path, ...]:
    """Write the site file, its schema and its secrets; what was written.

    Raises DraftError, FileExistsError, OSError.
    """
    _check(draft)
    schema_path = path.with_name(f"{path.stem}.schema.json")
    secrets = dict(_secrets(path.parent, draft))
    for each in (path, *secrets):
        if each.exists():
            raise FileExistsError(17, "is there already; init overwrites nothing", str(each))
    path.parent.mkdir(parents=True, exist_ok=True)
    schema_path.write_text(json.dumps(schema, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for secret, content in secrets.items():
        with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(content + "\n")
    with path.open("x", encoding="utf-8") as file:
        file.write("\n".join(_lines(draft, path, schema_path.name)) + "\n")
    return (path, schema_path, *secrets)


def _fields(draft: SiteDraft) -> dict[str, Any]:
    return {name: getattr(draft, name) for name in SiteDraft.__slots__}


def _check(draft: SiteDraft) -> None:
    for name in ("title_zh", "title_en", "project_code"):
        found = getattr(draft, name)
        if not 1 <= len(found) <= 100 or "\n" in found or (name == "project_code" and not _CODE.fullmatch(found)):
            expected = "letters, digits, '.', '-', '_'" if name == "project_code" else "1 to 100 characters on one line"
            raise DraftError(f"{name}: found {found!r}, expected {expected}")
    if not draft.cranes + draft.pits + draft.cameras:
        raise DraftError("nothing to watch: found no crane, no pit and no camera, expected one at least")
    for kind in ("cranes", "pits"):
        for each in getattr(draft, kind):
            _address(kind, each)
    for each in draft.cameras:
        _stream(each)
    if not 1 <= draft.web_port <= 65_535:
        raise DraftError(f"web_port: found {draft.web_port}, expected 1 to 65535")


_CODE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,54}[A-Za-z0-9])?")


def box_id(draft: SiteDraft) -> str:
    """The box's name: the project's code in small letters."""
    return f"box-{draft.project_code.lower()}"


def _address(kind: str, text: str) -> tuple[str, int]:
    host, _, port = text.strip().partition(":")
    if not re.fullmatch(r"[A-Za-z0-9.-]{1,253}", host) or not (port or "502").isdigit():
        raise DraftError(f"{kind}: found {text!r}, expected HOST or HOST:PORT")
    return host, int(port or 502)


@dataclass(frozen=True, slots=True)
class _Stream:
    """A camera's address without what is secret in it."""

    source: str
    username: str
    password: str


def _stream(address: str) -> _Stream:
    parts = urlsplit(address)
    if parts.scheme not in ("rtsp", "rtsps") or not parts.hostname:
        raise DraftError(f"cameras: found {parts._replace(netloc='...').geturl()!r}, expected rtsp://HOST/PATH")
    source = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return _Stream(source, unquote(parts.username or ""), unquote(parts.password or ""))


def _secrets(folder: Path, draft: SiteDraft) -> Iterator[tuple[Path, str]]:
    for number, address in enumerate(draft.cameras, 1):
        if password := _stream(address).password:
            yield folder / f"camera-{number}.password", password
    if draft.regulator:
        yield folder / "enrol-code", draft.enrol_code or "REPLACE-WITH-THE-CODE-FROM-YOUR-REGULATOR"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _lines(draft: SiteDraft, path: Path, schema: str) -> Iterator[str]:
    say = _Words(draft.language)
    yield f"# yaml-language-server: $schema={schema}"
    yield from say.head(path.name, simulated=draft.simulated)
    yield "version: 1"
    yield f"box: {{id: {box_id(draft)}}}"
    yield (
        f"site: {{project_code: {_quoted(draft.project_code)}, title_zh: {_quoted(draft.title_zh)}, "
        f"title_en: {_quoted(draft.title_en)}}}"
    )
    yield from say("记录和证据放在这里；磁盘写满前按上限清理历史，不清理证据。",
                   "Records and evidence lie here. History is bounded; evidence is never deleted.")  # fmt: skip
    yield "storage:\n  folder: data\n  reserve_mib: 64\n  history: {max_gib: 16, max_days: 60}"
    yield from say("判定所依据的规则包；`sitewarden rules` 列出每条规则、限值、条文。",
                   "The packs of rules; `sitewarden rules` lists every rule with its limit and clause.")  # fmt: skip
    yield "rule_packs: [national]"
    yield "assets:"
    yield from _assets(draft)
    yield from say("设备怎样接入。寄存器表在 `table`，须在现场用 `sitewarden device test` 核对。",
                   "How devices are reached. Check each register table with `sitewarden device test`.")  # fmt: skip
    yield "links:"
    yield from _links(draft)
    yield "devices:"
    yield from _devices(draft)
    if draft.regulator:
        yield from say("监管平台地址；一次性登记码由监管部门给出，放在文件里。",
                       "The regulator's platform. Its one-time enrolment code lies in a file.")  # fmt: skip
        url = _quoted(draft.regulator)
        yield f"uplinks:\n  - {{name: regulator, kind: regulator, url: {url}, enrol_code: {{file: enrol-code}}}}"
    yield from say("现场页。要让其他电脑、手机打开，先运行 `sitewarden tls`，再把 host 改为 0.0.0.0。",
                   "The site's page. For phones run `sitewarden tls` first, then set host to 0.0.0.0.")  # fmt: skip
    yield f"web: {{host: 127.0.0.1, port: {draft.web_port}}}"


def _assets(draft: SiteDraft) -> Iterator[str]:
    for number, _ in enumerate(draft.cranes, 1):
        yield _asset(f"crane-{number}", "tower-crane", f"TC-{number:04d}", f"{number}号塔机", f"Tower crane {number}")
    for number, _ in enumerate(draft.pits, 1):
        yield _asset(f"pit-{number}", "deep-pit", f"PIT-{number:04d}", f"{number}号基坑", f"Deep pit {number}")
    for number, _ in enumerate(draft.cameras, 1):
        yield _asset(f"cam-{number}", "camera-post", f"CAM-{number:04d}", f"{number}号摄像机", f"Camera {number}")


def _asset(name: str, kind: str, serial: str, zh: str, en: str) -> str:
    return f"  - {{id: {name}, kind: {kind}, serial: {serial}, title_zh: {zh}, title_en: {en}}}"


def _links(draft: SiteDraft) -> Iterator[str]:
    for kind, name in (("cranes", "crane"), ("pits", "pit")):
        for number, each in enumerate(getattr(draft, kind), 1):
            host, port = _address(kind, each)
            yield f"  - {{id: {name}-{number}-tcp, driver: modbus-tcp, host: {host}, port: {port}, timeout_ms: 1000}}"
    for number, each in enumerate(draft.cameras, 1):
        stream = _stream(each)
        login = f", username: {_quoted(stream.username)}" if stream.username else ""
        login += f", password: {{file: camera-{number}.password}}" if stream.password else ""
        yield f"  - {{id: cam-{number}-stream, driver: camera, source: {_quoted(stream.source)}{login}}}"


def _devices(draft: SiteDraft) -> Iterator[str]:
    modbus = (("cranes", "crane", "crane-host-modbus", 200), ("pits", "pit", "pit-logger-modbus", 5000))
    for kind, name, table, poll_ms in modbus:
        for number, _ in enumerate(getattr(draft, kind), 1):
            asset = f"{name}-{number}"
            yield (
                f"  - {{id: {asset}-host, link: {asset}-tcp, asset: {asset}, table: {table}, unit_id: 1, "
                f"poll_ms: {poll_ms}}}"
            )
    for number, _ in enumerate(draft.cameras, 1):
        yield f"  - {{id: cam-{number}-eye, link: cam-{number}-stream, asset: cam-{number}, table: site-camera}}"


class _Words:
    """Comments in one language."""

    def __init__(self, language: str) -> None:
        self._zh = language == "zh"

    def __call__(self, zh: str, en: str) -> Iterator[str]:
        yield f"# {zh if self._zh else en}"

    def head(self, name: str, *, simulated: bool) -> Iterator[str]:
        yield from self(f"检查：sitewarden check {name}    运行：sitewarden run {name}",
                        f"Check it: sitewarden check {name}    run it: sitewarden run {name}")  # fmt: skip
        if simulated:
            yield from self("设备是模拟的：另开一个终端运行 sitewarden simulate",
                            "The devices are simulated: run `sitewarden simulate` in another terminal")  # fmt: skip
        else:
            yield from self("地址、寄存器表、出厂编号以现场设备为准，改好再运行。",
                            "Correct addresses, register tables and serial numbers first.")  # fmt: skip
