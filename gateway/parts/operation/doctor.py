"""`sitewarden doctor SITE`: what a service engineer would look at first, looked at, in one go.

In: a site file. Out: checks, each fine, worth a look, or a problem, in Chinese and English. It writes nothing and sends
nothing to the field: a link is tried by opening its TCP connection and closing it again, a serial port by its rights.
It may run beside the gateway.
"""

import json
import os
import shutil
import socket
import sqlite3
import stat
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from contract import sm2
from contract.chain import ChainFault, ChainHead
from contract.signing import sign_key
from gateway.evidence.evidence import RecordKind
from gateway.model.errors import ConfigError
from gateway.parts.shift.paper_store import OFFICE_FILE
from gateway.ports import Clock
from gateway.settings import Settings, fault_text
from gateway.store.alert_store import ALERTS_FILE, open_for_reading
from gateway.store.asset_records import ASSETS_FILE
from gateway.store.last_known import lost_stores
from gateway.store.receipt_check import ProofReport, check_proofs
from gateway.tls.watch import files_of

DATABASES = (ALERTS_FILE, "history.db", ASSETS_FILE, OFFICE_FILE)
CONNECT_S = 3.0
SPARE_BYTES = 512 * 2**20
CLOCK_AHEAD_NS = 2_000_000_000
RECENT_NS = 30 * 86_400 * 10**9
BACKLOG_ROWS = 1000
CERTIFICATE_DAYS = 30


class Level(StrEnum):
    """OK, worth a look, or a problem that makes the exit status 1."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, and what was found."""

    name: str
    level: Level
    text_zh: str
    text_en: str


def examine(load: Callable[[], Settings], clock: Clock) -> list[Check]:
    """Every check that can be made; with a faulty site file, only its faults."""
    try:
        settings = load()
    except ConfigError as error:
        return [
            Check("config", Level.PROBLEM, fault_text(fault, "zh"), fault_text(fault, "en")) for fault in error.faults
        ]
    counts = (len(settings.points), len(settings.rules), len(settings.warnings))
    words = ("{} 个测点，{} 条规则，{} 处警告", "{} points, {} rule rows, {} warnings")
    checks = [Check("config", Level.OK, words[0].format(*counts), words[1].format(*counts))]
    folder = settings.storage.folder
    checks += _folder(folder)
    checks += _disk(settings)
    checks += [_database(folder / name) for name in DATABASES if (folder / name).is_file()]
    checks += [Check(f"store {lost.file}", Level.PROBLEM, lost.text_zh, lost.text_en) for lost in lost_stores(folder)]
    if (folder / ALERTS_FILE).is_file():
        checks += _records(folder, clock.now_ns())
    checks += [check for link in settings.links for check in _link(link.settings)]
    checks += [check for uplink in settings.uplinks for check in _uplink(uplink.settings, uplink.kind.name, folder)]
    return checks + list(_private_files(_keys_of(settings))) + list(_certificates(settings, clock.now_ns()))


def run_doctor(checks: list[Check], as_json: bool, say: Callable[[str], None] = print) -> int:
    """Print what was found; 1 when there is a problem."""
    if as_json:
        say(json.dumps([asdict(check) for check in checks], ensure_ascii=False, indent=1))
    else:
        for check in checks:
            say(f"{check.level:8}{check.name}: {check.text_zh} / {check.text_en}")
    problems = sum(check.level is Level.PROBLEM for check in checks)
    if not as_json:
        say(f"{len(checks)} 项检查，{problems} 处问题 / {len(checks)} checks, {problems} problems")
    return 1 if problems else 0


def _folder(folder: Path) -> list[Check]:
    if not folder.is_dir():
        return [Check("folder", Level.NOTE, f"{folder} 尚不存在", f"{folder} does not exist yet")]
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return [Check("folder", Level.PROBLEM, f"{folder} 不可读写", f"{folder} cannot be read and written")]
    if folder.stat().st_mode & stat.S_IWOTH:
        return [Check("folder", Level.PROBLEM, f"{folder} 任何人可写", f"{folder} can be written by anyone")]
    return [Check("folder", Level.OK, f"{folder} 可读写", f"{folder} can be read and written")]


def _disk(settings: Settings) -> Iterator[Check]:
    folder = settings.storage.folder
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    history = folder / "history.db"
    used = history.stat().st_size if history.exists() else 0
    needed = max(0, int(settings.storage.history.max_gib * 2**30) - used) + SPARE_BYTES
    texts = (f"可用 {_gib(free)}，还需 {_gib(needed)}", f"{_gib(free)} free, {_gib(needed)} still to be used")
    yield Check("disk", Level.OK if free >= needed else Level.PROBLEM, *texts)
    reserve = folder / "alerts.reserve"
    if folder.is_dir():
        wanted = settings.storage.reserve_mib * 2**20
        found = reserve.stat().st_size if reserve.exists() else 0
        level = Level.OK if found >= wanted else Level.PROBLEM if reserve.exists() else Level.NOTE
        texts = (f"报警预留 {found >> 20} / {wanted >> 20} MiB", f"alert reserve {found >> 20} of {wanted >> 20} MiB")
        yield Check("reserve", level, *texts)


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"


def _database(path: Path) -> Check:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
            answer = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        answer = str(error)
    name = f"database {path.name}"
    if answer == "ok":
        return Check(name, Level.OK, "完好", "whole")
    return Check(name, Level.PROBLEM, f"损坏：{answer}", f"damaged: {answer}")


def _records(folder: Path, now_ns: int) -> Iterator[Check]:
    """What the chain itself tells: whether it holds, the clock, stops, and what waits to be sent."""
    try:
        outcome = open_for_reading(folder).verify()
        with closing(sqlite3.connect(f"file:{folder / ALERTS_FILE}?mode=ro", uri=True, timeout=10)) as db:
            newest_ns = int(db.execute("SELECT coalesce(max(at_ns), 0) FROM evidence").fetchone()[0])
            kinds = dict(
                db.execute("SELECT kind, count(*) FROM evidence WHERE at_ns > ? GROUP BY kind", (now_ns - RECENT_NS,))
            )
            pending = db.execute(
                "SELECT uplink, count(*), min(created_at_ns) FROM outbox WHERE state = 'pending' GROUP BY uplink"
            ).fetchall()
        proofs = [] if isinstance(outcome, ChainFault) else check_proofs(folder, outcome)
    except sqlite3.Error as error:
        yield Check("chain", Level.PROBLEM, f"无法读取：{error}", f"cannot be read: {error}")
        return
    if isinstance(outcome, ChainFault):
        texts = (f"第 {outcome.seq} 条断裂", f"broken at record {outcome.seq}: {outcome.reason}")
        yield Check("chain", Level.PROBLEM, *texts)
    else:
        yield Check("chain", Level.OK, f"{outcome.seq} 条记录完整", f"{outcome.seq} records hold")
        yield from (each for report in proofs for each in _receipts(report, outcome))
    if lost := kinds.get(RecordKind.STORE_LOST, 0):
        texts = (f"30 天内 {lost} 次数据库丢失", f"in 30 days {lost} databases were gone or older copies")
        yield Check("stores", Level.PROBLEM, *texts)
    yield _clock(newest_ns, now_ns, kinds.get(RecordKind.CLOCK_JUMP, 0))
    yield _stops(kinds)
    for uplink, rows, since_ns in pending:
        age_s = max(0, now_ns - since_ns) // 10**9
        level = Level.NOTE if rows > BACKLOG_ROWS or age_s > 3600 else Level.OK
        texts = (f"{rows} 条待发，最早 {age_s} 秒前", f"{rows} rows wait, the oldest for {age_s} s")
        yield Check(f"backlog {uplink}", level, *texts)


def _receipts(report: ProofReport, head: ChainHead) -> Iterator[Check]:
    """What a regulator signed about the chain."""
    name = f"receipts {report.uplink}"
    if not report.faults:
        level = Level.OK if report.signers else Level.NOTE
        yield Check(name, level, report.text_zh(head), report.text_en(head))
    for fault in report.faults:
        yield Check(name, Level.PROBLEM, fault.text_zh, fault.text_en)


def _clock(newest_ns: int, now_ns: int, jumps: int) -> Check:
    if newest_ns > now_ns + CLOCK_AHEAD_NS:
        back_s = (newest_ns - now_ns) / 1e9
        texts = (f"比最后一条记录早 {back_s:.0f} 秒", f"{back_s:.0f} s behind the last record")
        return Check("clock", Level.PROBLEM, f"时钟{texts[0]}：曾被调回", f"the clock is {texts[1]}: it was set back")
    since_s = (now_ns - newest_ns) / 1e9 if newest_ns else 0.0
    text_zh = f"与标准时间的偏差离线无法得知；最后记录在 {since_s:.0f} 秒前；30 天内跳变 {jumps} 次"
    text_en = f"offset from true time unknown offline; last record {since_s:.0f} s ago; {jumps} jumps in 30 days"
    return Check("clock", Level.NOTE if jumps else Level.OK, text_zh, text_en)


def _stops(kinds: Mapping[str, int]) -> Check:
    unclean = max(0, kinds.get(RecordKind.STARTED, 0) - kinds.get(RecordKind.STOPPED, 0) - 1)
    gaps, repairs = kinds.get(RecordKind.HISTORY_GAP, 0), kinds.get(RecordKind.STORE_REPAIRED, 0)
    text_zh = f"30 天内：非正常停机至少 {unclean} 次，历史缺口 {gaps} 处，数据库修复 {repairs} 次"
    text_en = f"in 30 days: at least {unclean} unclean stops, {gaps} history gaps, {repairs} databases repaired"
    return Check("stops", Level.NOTE if unclean or gaps or repairs else Level.OK, text_zh, text_en)


def _link(link: Any) -> Iterator[Check]:
    """The link's address and its standby."""
    name = f"link {link.id}"
    for label, end in ((name, link), (f"{name} standby", getattr(link, "standby", None))):
        host, port = getattr(end, "host", ""), getattr(end, "port", 0)
        if host:
            yield _connected(label, host, port)
    for key in ("serial_port", "standby_serial_port"):
        if path := getattr(link, key, None):
            yield _serial(name, Path(path))


def _serial(name: str, path: Path) -> Check:
    if not path.exists():
        return Check(name, Level.PROBLEM, f"{path} 不存在", f"{path} does not exist")
    if not os.access(path, os.R_OK | os.W_OK):
        return Check(name, Level.PROBLEM, f"{path} 无权访问", f"{path}: no right to use it (group dialout)")
    return Check(name, Level.OK, f"{path} 存在且有权访问，未发送", f"{path} is there and may be used; nothing was sent")


def _connected(name: str, host: str, port: int) -> Check:
    """A TCP connection, opened and closed without a byte."""
    try:
        socket.create_connection((host, port), CONNECT_S).close()
    except OSError as error:
        words = error.strerror or str(error)
        return Check(name, Level.PROBLEM, f"{host}:{port} 连接失败：{words}", f"{host}:{port} not reachable: {words}")
    return Check(name, Level.OK, f"{host}:{port} 可连接", f"{host}:{port} accepts connections")


def _uplink(uplink: Any, kind: str, folder: Path) -> Iterator[Check]:
    name = f"uplink {uplink.name}"
    parts = urlsplit(getattr(uplink, "url", ""))
    host = getattr(uplink, "host", None) or parts.hostname
    port = getattr(uplink, "port", None) or parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    if host and port:
        check = _connected(name, host, port)
        yield check
        if kind == "influx" and check.level is Level.OK:
            yield _influx(name, uplink.url)
    if kind == "regulator":
        yield _enrolled(name, folder / "uplinks" / uplink.name / "regulator.json")


def _influx(name: str, url: str) -> Check:
    try:
        with urllib.request.urlopen(f"{url}/ping", timeout=CONNECT_S) as reply:  # noqa: S310 - the site's own address
            answer = str(reply.status)
    except (urllib.error.URLError, OSError, ValueError) as error:
        return Check(f"{name} ping", Level.PROBLEM, f"无回应：{error}", f"no answer: {error}")
    return Check(f"{name} ping", Level.OK, f"回应 {answer}", f"answers {answer}")


def _enrolled(name: str, memory: Path) -> Check:
    try:
        keys = json.loads(memory.read_bytes()).get("regulator_keys", ())
    except FileNotFoundError:
        keys = ()
    except (OSError, ValueError, AttributeError) as error:
        return Check(f"{name} enrolment", Level.PROBLEM, f"{memory} 无法读取", f"{memory} cannot be read: {error}")
    if keys:
        return Check(f"{name} enrolment", Level.OK, "已登记", "enrolled: the regulator's key is known")
    return Check(f"{name} enrolment", Level.NOTE, "尚未登记", "not enrolled yet")


def _keys_of(settings: Settings) -> list[Path]:
    """The box's own keys, and those that links and uplinks name."""
    own = settings.storage.folder / "keys"
    tls = [getattr(holder, "tls", None) for holder in _holders(settings)]
    named = [Path(file) for part in tls if (file := getattr(part, "key_file", None))]
    named += files_of(settings.web.tls).private if settings.web.tls is not None else ()
    return [*(sorted(own.glob("*")) if own.is_dir() else []), *(path for path in named if path.is_file())]


def _private_files(keys: list[Path]) -> Iterator[Check]:
    """Keys that others may read are no secrets; one that is damaged signs nothing."""
    for path in keys:
        if path.suffix == ".pem" and (fault := _key_fault(path)):
            yield Check(f"key {path.name}", Level.PROBLEM, f"已损坏：{fault}", f"damaged: {fault}")
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            texts = (f"权限 {mode:03o}，应为 600", f"mode {mode:03o}, expected 600")
            yield Check(f"key {path.name}", Level.PROBLEM, *texts)
        else:
            yield Check(f"key {path.name}", Level.OK, f"权限 {mode:03o}", f"mode {mode:03o}")


def _key_fault(path: Path) -> str:
    """Why nobody can sign with it; empty when somebody can."""
    try:
        pem = path.read_bytes()
        if sm2.from_pem(pem) is not None:
            sign_key(pem)
        else:
            load_pem_private_key(pem, None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        return str(error)
    return ""


def _certificates(settings: Settings, now_ns: int) -> Iterator[Check]:
    """Every certificate file that the page, a link or an uplink names: readable, and how long it still holds."""
    if settings.web.tls is not None:
        yield from (_certificate(path, now_ns) for path in files_of(settings.web.tls).certificates)
    for holder in _holders(settings):
        for part in (holder, getattr(holder, "tls", None)):
            for key in ("ca_file", "cert_file"):
                path = getattr(part, key, None)
                if path:
                    yield _certificate(Path(path), now_ns)


def _holders(settings: Settings) -> list[Any]:
    return [link.settings for link in settings.links] + [uplink.settings for uplink in settings.uplinks]


def _certificate(path: Path, now_ns: int) -> Check:
    try:
        certificates = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        return Check(f"certificate {path.name}", Level.PROBLEM, f"无法读取：{error}", f"cannot be read: {error}")
    ends = min(certificate.not_valid_after_utc for certificate in certificates)
    days = (ends - datetime.fromtimestamp(now_ns / 1e9, UTC)).days
    level = Level.PROBLEM if days < 0 else Level.NOTE if days < CERTIFICATE_DAYS else Level.OK
    return Check(f"certificate {path.name}", level, f"还有 {days} 天到期", f"{days} days left")
