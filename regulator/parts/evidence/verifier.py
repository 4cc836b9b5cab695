"""Verifier of an evidence package. Python 3.9 or newer, standard library only, no network. In a package it is one file,
`verify.py`, with `signatures` inside (`package.verifier_text`).

    python3 verify.py PACKAGE.zip [KEY_ID]         a package as it was downloaded
    python3 verify.py FOLDER [KEY_ID]              an unpacked one
    python3 verify.py . [KEY_ID]                   the unpacked one in which this program lies

Exit status 0: everything holds, 1: every fault is listed, 2: wrong arguments, or there is no such file, 3: the package
agrees with itself, and nobody knows who made it: KEY_ID was not given.

KEY_ID is the fingerprint of the regulator's public key, got another way than with the package (a telephone call, its
web page). Anybody can make a package that agrees with itself, with a key of his own.

What is checked, so that a changed, removed or added byte is named:

    manifest.json    signed by the desk; every file in the zip has the digest it lists, none is missing or added
    items/*.json     what the box sent: its signature (box key), and the desk's receipt over the same body
    chain.jsonl      a slice of the box's chain: every digest, every link; what the alarm's messages say is in it
    ledger.jsonl     a slice of the desk's ledger: every digest, every link, the signatures about this case
    anchors.json     heads of the box's chain that the ledger names: the slice reaches them
    media/*          pictures and clips, by digest, as the items and the case name them
    curve.csv        what the box's minute summaries say, written again and compared

Signatures are Ed25519 (RFC 8032) or SM2 (GB/T 32918, with SM3 of GB/T 32905). The key says which, and what claims the
other one is refused.

A package cannot vouch for the copy of this program inside it: run one that you trust.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple, Optional

from regulator.parts.evidence.signatures import HOLDS_BY_ALGORITHM, Holds, canonical, signed, unbase64

HOLDS, FAULTY, WRONG_ARGUMENTS, UNKNOWN_DESK = range(4)
FORMAT = "sitewarden-evidence-1"
MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
CURVE_HEAD = "minute_utc_ns,asset,point,unit,min,max,mean,count,quality"
MOST_FILES = 20_000
MOST_TEXT_BYTES = 128 * 1024 * 1024
MOST_BYTES = 4 * 1024 * 1024 * 1024
FREE_BYTES = 16 * 1024 * 1024
MOST_RATIO = 20
"""A zip says that it unpacks to at most `FREE_BYTES` and twenty times its own length. Ours: media as it is, and JSON
with digests and signatures in it, which shrinks to an eighth at best."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Of these no more is unpacked than an entry says that it holds; the others unpack first and look then."""
PIECE_BYTES = 1024 * 1024

UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError)
"""What reading a damaged zip raises; RuntimeError for one that wants a password."""


class Fault(NamedTuple):
    """One thing that does not hold: the file (and line or key) it is about, and what is wrong, in both languages."""

    where: str
    zh: str
    en: str


class Report(NamedTuple):
    """`manifest`: None when there is none that can be read. `checked`: how many things of each kind were looked at.
    `key_is_known`: whether it was said whose key it must be."""

    manifest: Optional[dict[str, Any]]  # noqa: UP045 - runs on Python 3.9
    desk_key_id: str
    faults: list[Fault]
    checked: dict[str, int]
    key_is_known: bool

    @property
    def exit_status(self) -> int:
        """Of a program that was asked to verify."""
        return FAULTY if self.faults else HOLDS if self.key_is_known else UNKNOWN_DESK


class _UnreadableError(Exception):
    """A file that cannot be understood at all."""


class _EnoughError(Exception):
    """As many faults as were asked for are found."""


class Checking(NamedTuple):
    """How a package is checked. `desk_key_id`: whose key it must be, empty: not said. `holds`: by algorithm, whether a
    signature is a key's (public key, signature, data). `most_faults`: after how many nothing more is looked at, 0:
    never."""

    desk_key_id: str
    holds: Mapping[str, Holds]
    most_faults: int = 0


def verify_package(source: str | IO[bytes], desk_key_id: str = "") -> Report:
    """Check a package, by the path of a zip or of an unpacked folder, or as an open file. Never raises for what is in
    it."""
    return check_package(source, Checking(desk_key_id, HOLDS_BY_ALGORITHM))


def check_package(source: str | IO[bytes], how: Checking) -> Report:
    """The same, another way."""
    try:
        if isinstance(source, str) and Path(source).is_dir():
            return _Verifier(_Folder(Path(source)), how).run()
        with zipfile.ZipFile(source) as package:
            return _Verifier(package, how).run()
    except UNREADABLE:
        return _refused(how, Fault("package", "不是可读取的 zip 文件", "not a zip file that can be read"))


def _refused(how: Checking, fault: Fault) -> Report:
    return Report(None, "", [fault], {}, bool(how.desk_key_id))


def _excess(package: zipfile.ZipFile | _Folder) -> Fault | None:
    """Why the package is none of ours by what it says of itself, before anything in it is read."""
    entries = package.infolist()
    total = sum(entry.file_size for entry in entries)
    packed = FREE_BYTES + MOST_RATIO * _length(package)
    zh, en = "", ""
    if len(entries) > MOST_FILES:
        zh = f"文件过多：{len(entries)} 个，上限 {MOST_FILES} 个"
        en = f"too many files: found {len(entries)}, expected at most {MOST_FILES}"
    elif total > min(MOST_BYTES, packed):
        zh = f"解压后过大：{total} 字节，上限 {min(MOST_BYTES, packed)} 字节"
        en = f"unpacks to too much: {total} bytes, expected at most {min(MOST_BYTES, packed)}"
    elif any(entry.compress_type not in METHODS for entry in entries):
        zh, en = "含有证据包不使用的压缩方式", "compressed in a way that packages are not"
    return Fault("package", zh, en) if en else None


def _length(package: zipfile.ZipFile | _Folder) -> int:
    """Bytes of the zip; of a folder, which has nothing to unpack, all there may be."""
    file = None if isinstance(package, _Folder) else package.fp
    return file.seek(0, os.SEEK_END) if file is not None else MOST_BYTES


def curve_text(bodies: Iterable[dict[str, Any]]) -> str:
    """The curve that minute summaries spell, one line a point and minute."""
    lines = set()
    for body in bodies:
        for point in body["points"]:
            known = [point.get(name) for name in ("unit", "min", "max", "mean", "count", "quality")]
            cells = [body["minute_at_ns"], body["asset"], point["point_id"], *known]
            lines.add((body["minute_at_ns"], ",".join(_cell(cell) for cell in cells)))
    return "\n".join([CURVE_HEAD, *(line for _, line in sorted(lines))]) + "\n"


def _told_event(record: dict[str, Any]) -> str:
    """The message that told what this record seals, where it was told first; else empty."""
    content = record.get("content")
    told = content.get("told_unsealed") if isinstance(content, dict) else None
    return str(told.get("event_id", "")) if isinstance(told, dict) else ""


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    if text[:1] in ("=", "+", "@", "\t") or (text[:1] == "-" and not text[1:2].isdigit()):
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\n\r') else text


class _Folder:
    """An unpacked package, read as a zip is read. Links are never followed: what they lead to is not in the package."""

    def __init__(self, folder: Path) -> None:
        self._entries: dict[str, zipfile.ZipInfo] = {}
        self._folder = folder
        for where, folders, files in os.walk(folder):
            for name in files + [each for each in folders if Path(where, each).is_symlink()]:
                path = Path(where, name)
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
                entry.file_size = path.lstat().st_size
                self._entries[entry.filename] = entry
                if len(self._entries) > MOST_FILES:
                    return

    def infolist(self) -> list[zipfile.ZipInfo]:
        return list(self._entries.values())

    def getinfo(self, name: str) -> zipfile.ZipInfo:
        return self._entries[name]

    def read(self, name: str) -> bytes:
        with self.open(name) as file:
            return file.read(MOST_TEXT_BYTES)

    def open(self, name: str) -> IO[bytes]:
        path = self._folder / self._entries[name].filename
        if not path.is_file() or path.is_symlink():
            raise OSError(name + " is no plain file")
        return path.open("rb")


class _Verifier:
    """One package, top down: the manifest first, as it names everything else."""

    def __init__(self, package: zipfile.ZipFile | _Folder, how: Checking) -> None:
        self.package = package
        self.how = how
        self.faults: list[Fault] = []
        self.said: dict[str, list[dict[str, Any]]] | None = None
        self.checked: dict[str, int] = {}
        self.manifest: dict[str, Any] | None = None
        self.desk_key_id = ""
        self.damaged: set[str] = set()

    def run(self) -> Report:
        excess = _excess(self.package)
        if excess is not None:
            return _refused(self.how, excess)
        try:
            self._look()
        except _EnoughError:
            zh, en = "问题过多，其余未再检查", "too many faults: the rest was not looked at"
            self.faults.append(Fault("package", zh, en))
        return Report(self.manifest, self.desk_key_id, self.faults, self.checked, bool(self.how.desk_key_id))

    def _look(self) -> None:
        try:
            self._manifest()
        except _UnreadableError as error:
            self._fault(MANIFEST, "清单缺失或无法读取", "the manifest is missing or cannot be read: " + str(error))
        else:
            for look in (self._files, self._items, self._chain, self._ledger, self._anchors, self._media, self._curve):
                try:
                    look()
                except (_UnreadableError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
                    where = look.__name__[1:]
                    en = f"cannot be understood: {type(error).__name__}: {error}"
                    self._fault(where, "内容无法解析", en)

    def _fault(self, where: str, zh: str, en: str) -> None:
        self.faults.append(Fault(where, zh, en))
        if len(self.faults) == self.how.most_faults:
            raise _EnoughError

    def _count(self, what: str) -> None:
        self.checked[what] = self.checked.get(what, 0) + 1

    def _bytes(self, name: str) -> bytes:
        try:
            if self.package.getinfo(name).file_size > MOST_TEXT_BYTES:
                raise _UnreadableError(name + " is too long")
            return self.package.read(name)
        except KeyError:
            raise _UnreadableError(name + " is missing") from None
        except UNREADABLE as error:
            raise _UnreadableError(f"{name}: {error}") from None

    def _json(self, name: str) -> Any:
        return _parsed(name, self._bytes(name))

    def _lines(self, name: str) -> list[Any]:
        try:
            return [json.loads(line) for line in self._bytes(name).decode("utf-8").splitlines()]
        except (ValueError, RecursionError):
            raise _UnreadableError(name + " is no JSON, line by line") from None

    def _manifest(self) -> None:
        raw = self._bytes(MANIFEST)
        manifest = _parsed(MANIFEST, raw)
        fits = isinstance(manifest, dict) and manifest.get("format") == FORMAT
        if not fits or not isinstance(manifest.get("files"), dict):
            raise _UnreadableError("expected the format " + FORMAT)
        self.manifest = manifest
        self._count("manifest")
        try:
            said = self._json(SIGNATURE)
            self.desk_key_id = str(said["key_id"])
            if not signed(manifest["keys"]["desk"], said, raw, self.how.holds):
                self._fault(SIGNATURE, "清单签名不成立", "the desk's signature of the manifest does not hold")
        except (_UnreadableError, KeyError, TypeError):
            self._fault(SIGNATURE, "清单签名缺失或无法读取", "the signature of the manifest is missing or unreadable")
        wanted = self.how.desk_key_id
        if wanted and self.desk_key_id != wanted:
            zh = f"由其他密钥 {self.desk_key_id} 签名，应为 {wanted}"
            en = f"signed with another key, {self.desk_key_id}, expected {wanted}"
            self._fault(SIGNATURE, zh, en)

    def _files(self) -> None:
        """Every file and its digest; nothing that the manifest does not list."""
        assert self.manifest is not None
        names = Counter(entry.filename for entry in self.package.infolist())
        for name in sorted(name for name, count in names.items() if count > 1):
            self._fault(name, "文件名重复", "this name stands in the zip twice")
        listed = self.manifest["files"]
        for name in sorted(set(names) - set(listed) - {MANIFEST, SIGNATURE}):
            self._fault(name, "清单之外的文件", "a file that the manifest does not list")
        for name in sorted(listed):
            self._count("files")
            if name not in names:
                self._fault(name, "文件缺失", "the file is missing")
            elif self._digest(name) != listed[name]["sha256"]:
                self.damaged.add(name)
                self._fault(name, "内容与清单摘要不符", "the bytes do not have the digest in the manifest")

    def _digest(self, name: str) -> str:
        digest = hashlib.sha256()
        try:
            with self.package.open(name) as file:
                for piece in iter(lambda: file.read(PIECE_BYTES), b""):
                    digest.update(piece)
        except UNREADABLE as error:  # a flipped byte breaks the compression or the zip's own sum before the digest
            return f"unreadable: {error}"
        return digest.hexdigest()

    def _item_names(self) -> list[str]:
        assert self.manifest is not None
        return [name for name in sorted(self.manifest["files"]) if name.startswith("items/")]

    def _items(self) -> None:
        """The box's signature over what it sent, the desk's over what it received."""
        assert self.manifest is not None
        keys = self.manifest["keys"]
        for name in self._item_names():
            item = self._json(name)
            envelope = json.loads(item["envelope"])
            said = {"alg": envelope["alg"], "key_id": envelope["key_id"], "signature": item["signature"]}
            self._count("items")
            mine = envelope["box_id"] == self.manifest["box_id"]
            if not mine or not signed(keys["box"], said, item["envelope"].encode(), self.how.holds):
                self._fault(name, "设备签名不成立", "the box's signature does not hold")
            receipt = item["receipt"]
            text = json.loads(receipt["text"])
            if not signed(keys["desk"], receipt, receipt["text"].encode(), self.how.holds):
                self._fault(name, "回执系伪造或被改", "the receipt is forged or changed")
            body = hashlib.sha256(canonical(envelope["body"])).hexdigest()
            named = (text["box_id"], text["key"], text["kind"], text["body_sha256"])
            if named != (envelope["box_id"], envelope["key"], envelope["kind"], body):
                self._fault(name, "回执与报文不符", "the receipt is for another content")

    def _bodies(self, kind: str) -> list[dict[str, Any]]:
        """What the box said of a kind. All are read at the first call."""
        if self.said is None:
            said: dict[str, list[dict[str, Any]]] = {}
            for name in self._item_names():
                envelope = json.loads(self._json(name)["envelope"])
                said.setdefault(envelope["kind"], []).append(envelope["body"])
            self.said = said
        return self.said.get(kind, [])

    def _chain(self) -> None:
        """The slice of the box's chain, link by link; its beginning is taken as it is."""
        assert self.manifest is not None
        if "chain.jsonl" not in self.manifest["files"]:
            return
        before: dict[str, Any] | None = None
        held: dict[int, str] = {}
        later = set()
        for row in self._lines("chain.jsonl"):
            where = "chain.jsonl: record {}".format(row["seq"])
            record = json.loads(row["record"])
            later.add(_told_event(record))
            self._count("chain records")
            if hashlib.sha256(row["record"].encode()).hexdigest() != row["sha256"]:
                self._fault(where, "记录与其摘要不符", "the record does not have its digest")
            if (record["seq"], record["box_id"]) != (row["seq"], self.manifest["box_id"]):
                self._fault(where, "记录编号或设备不符", "the record has another number or box")
            if before is not None and (row["seq"], record["prev"]) != (before["seq"] + 1, before["sha256"]):
                self._fault(where, "与前一记录断链", "does not follow the record before it")
            held[row["seq"]] = row["sha256"]
            before = row
        for body in self._bodies("alarm_transition"):
            if not body["evidence_seq"] and body["event_id"] in later:
                self._count("alarms told first and sealed later")
            elif body["evidence_seq"] in self.manifest["pending"]:
                self._count("records that had not arrived")
            elif held.get(body["evidence_seq"]) != body["evidence_sha256"]:
                where = "chain.jsonl: record {}".format(body["evidence_seq"])
                self._fault(
                    where, "报警所指的证据记录缺失或不符", "the record that the alarm names is missing or another"
                )

    def _ledger(self) -> None:
        """The slice of the ledger, link by link; signatures of what is about this case and of the end."""
        assert self.manifest is not None
        rows = self._lines("ledger.jsonl")
        before: dict[str, Any] | None = None
        for number, row in enumerate(rows, start=1):
            where = "ledger.jsonl: entry {}".format(row["seq"])
            body = json.loads(row["body"])
            self._count("ledger entries")
            if hashlib.sha256(row["body"].encode()).hexdigest() != row["sha256"]:
                self._fault(where, "台账条目与其摘要不符", "the entry does not have its digest")
            if (body["chain"], body["seq"]) != (self.manifest["ledger"], row["seq"]):
                self._fault(where, "台账条目编号不符", "the entry has another chain or number")
            if before is not None and (row["seq"], body["prev"]) != (before["seq"] + 1, before["sha256"]):
                self._fault(where, "与前一条目断链", "does not follow the entry before it")
            about = body["subject"] in self.manifest["subjects"] or number == len(rows)
            if about and not signed(self.manifest["keys"]["desk"], row, row["body"].encode(), self.how.holds):
                self._fault(where, "台账签名不成立", "the desk's signature of the entry does not hold")
            before = row
        if before is None or before["seq"] != self.manifest["ledger_end"]:
            self._fault("ledger.jsonl", "台账末尾缺失", "the end of the ledger is missing")

    def _anchors(self) -> None:
        """Each anchor is an entry of the ledger slice and names a record of the chain slice."""
        assert self.manifest is not None
        if "anchors.json" not in self.manifest["files"]:
            return
        records = {row["seq"]: row["sha256"] for row in self._lines("chain.jsonl")}
        entries = {row["seq"]: json.loads(row["body"]) for row in self._lines("ledger.jsonl")}
        for anchor in self._json("anchors.json"):
            where = "anchors.json: anchor {}".format(anchor["number"])
            self._count("anchors")
            if records.get(anchor["seq"]) != anchor["sha256"]:
                self._fault(where, "锚定的证据记录缺失或不符", "the chain record it names is missing or another")
            entry = entries.get(anchor["ledger_seq"], {"content": {}, "kind": ""})
            said = entry["content"]
            same = all(said.get(name) == anchor[name] for name in ("number", "seq", "sha256"))
            if entry["kind"] != "chain_anchored" or not same:
                self._fault(where, "台账中无此锚定", "the ledger has no such anchor")

    def _media(self) -> None:
        """Pictures and clips that messages and the case name are there, with the digest in their name."""
        assert self.manifest is not None
        files = {
            name.split("/")[-1].split(".")[0]: name for name in self.manifest["files"] if name.startswith("media/")
        }
        for sha256, name in sorted(files.items()):
            self._count("media")
            if self.manifest["files"][name]["sha256"] != sha256 and name not in self.damaged:
                self._fault(name, "文件名与内容摘要不符", "the file does not have the digest in its name")
        for gone in self.manifest["missing"]:
            self._count("media that was not there")
            if gone["reason"] != "not_here":
                self._fault("media/" + gone["sha256"], "打包前媒体已被改动", "was changed before the package was made")
        wanted = {body["blob_sha256"] for body in self._bodies("media_segment")}
        wanted |= {evidence["sha256"] for evidence in self.manifest["evidence"]}
        for sha256 in sorted(wanted - set(files) - {gone["sha256"] for gone in self.manifest["missing"]}):
            self._fault("media/" + sha256, "证据所指的媒体缺失", "media that the evidence names is missing")
        for body in self._bodies("thumbnail"):
            if hashlib.sha256(unbase64(body["data_base64"])).hexdigest() != body["sha256"]:
                self._fault("items: thumbnail", "缩略图与其摘要不符", "a thumbnail does not have its digest")

    def _curve(self) -> None:
        """The curve is what the minute summaries say."""
        assert self.manifest is not None
        if "curve.csv" in self.manifest["files"]:
            self._count("curve")
            if self._bytes("curve.csv").decode("utf-8-sig") != curve_text(self._bodies("minute_summary")):
                self._fault("curve.csv", "曲线与设备上报的分钟数据不符", "is not what the box's minute summaries say")


def _parsed(name: str, raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise _UnreadableError(name + " is no JSON") from None


def report_text(report: Report) -> str:
    """The report for people."""
    lines = [f"{what}: {count}" for what, count in report.checked.items()]
    for fault in report.faults:
        lines.append(f"✘ {fault.where}: {fault.zh} / {fault.en}")
    if report.exit_status == HOLDS:
        lines.append(f"✔ 全部成立 / everything holds; 签名密钥 / signed with {report.desk_key_id}")
    if report.exit_status == UNKNOWN_DESK:
        lines.append(
            f"? 与自身相符，签名的审查台未知 / agrees with itself; signed by an unknown desk, {report.desk_key_id}"
        )
        lines.append(
            "  请向监管部门核对密钥指纹，再作为 KEY_ID 给出 / ask the regulator for its key, and give it as KEY_ID"
        )
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """See above."""
    package = arguments[0] if arguments else str(Path(__file__).resolve().parent)
    if len(arguments) > 2 or package.startswith("-"):
        print("usage: python3 verify.py [PACKAGE.zip or FOLDER] [KEY_ID]", file=sys.stderr)
        return WRONG_ARGUMENTS
    if not Path(package).exists():
        print(f"verify.py: {package}: 没有这个文件 / there is no such file or folder", file=sys.stderr)
        return WRONG_ARGUMENTS
    report = verify_package(package, arguments[1] if len(arguments) == 2 else "")
    print(report_text(report))
    return report.exit_status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
