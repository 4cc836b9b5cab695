"""Rule packs that the desk keeps: what an administrator hands in, looked over here, checked in full by every box.

In: the files of a pack. Out: rows and entries of the ledger. Whether a pack fits a site only the site's box can say: it
knows the devices. Here its form is checked, so that a mistake shows before it travels.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml
from sqlalchemy import Connection, Row, select

from contract.canonical import canonical_bytes
from contract.mailbox import MAX_PACK_CHARACTERS, MAX_PACK_FILES, RulePackFile
from contract.packs import pack_sha256
from regulator.base.intake.insertion import insert_once
from regulator.base.model.actor import Actor, Level
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.fleet import rule_packs

HEAD: Final = "pack.yaml"
CHAIN: Final = "fleet:packs"
SUPERVISION: Final = (Level.PROVINCE, Level.CITY, Level.COUNTY)
NO_SUCH: Final = RefusedError(404, "no_such_pack", "没有这个规则包", "no such rule pack", "sha256")
MOST_TITLE: Final = 100


@dataclass(frozen=True, slots=True)
class ReadPack:
    """A pack whose form is right."""

    name: str
    title_zh: str
    title_en: str
    files: Mapping[str, str]

    @property
    def sha256(self) -> str:
        """The pack's digest, made as every box makes it."""
        return pack_sha256(self.files)


def read_pack(files: Sequence[tuple[str, bytes]]) -> ReadPack:
    """File names with contents. Raises RefusedError 422 that names the file and what was expected."""
    texts = _texts(files)
    head = HEAD if HEAD in texts else next(iter(texts))
    if len(texts) > 1 and HEAD not in texts:
        raise _refused(head, "多个文件的规则包须含 pack.yaml", "several files need a pack.yaml among them")
    said = {name: _mapping(name, text) for name, text in texts.items()}
    name = said[head].get("pack")
    for file, content in said.items():
        if content.get("version") != 1 or content.get("pack") != name or not isinstance(name, str):
            words = ("应有 version: 1，且各文件的 pack 相同", "expected version: 1, and the same pack: in every file")
            raise _refused(file, *words)
    if head not in (HEAD, f"{name}.yaml"):
        raise _refused(head, f"文件名应为 {name}.yaml", f"expected the file name {name}.yaml")
    titles = [str(said[head].get(key, ""))[:MOST_TITLE] for key in ("title_zh", "title_en")]
    return ReadPack(str(name), titles[0], titles[1], texts)


def add_pack(db: Connection, ledger: Ledger, pack: ReadPack, note: str, actor: Actor, now_ns: int) -> str:
    """Keep it; its digest. The same pack again changes nothing. Raises RefusedError 403."""
    if actor.level not in SUPERVISION:
        raise RefusedError(403, "not_supervision", "仅监管部门可提交规则包", "only the supervision hands in rule packs")
    row = {
        "sha256": pack.sha256,
        "name": pack.name,
        "title_zh": pack.title_zh,
        "title_en": pack.title_en,
        "note": note,
        "files": canonical_bytes(dict(pack.files)).decode(),
        "characters": sum(len(text) for text in pack.files.values()),
        "level": actor.level.value,
        "scope_code": actor.scope.code,
        "added_by": json.dumps(sorted(actor.persons)),
        "added_name": actor.name,
        "added_at_ns": now_ns,
    }
    if insert_once(db, rule_packs, row):
        content = {"sha256": pack.sha256, "name": pack.name, "note": note, "files": sorted(pack.files)}
        ledger.append(db, Deed("rule_pack_added", pack.sha256, content, chain=CHAIN), actor, now_ns)
    return pack.sha256


def pack_row(db: Connection, actor: Actor, sha256: str) -> "Row[Any]":
    """The pack. Raises RefusedError 404, also for another region's."""
    row = db.execute(select(rule_packs).where(rule_packs.c.sha256 == sha256)).first()
    if row is None or not _concerns(actor, row):
        raise NO_SUCH
    return row


def packs_of(db: Connection, actor: Actor) -> "list[Row[Any]]":
    """Packs of the actor's own region, of those above and below it, the newest first."""
    order = (rule_packs.c.added_at_ns.desc(), rule_packs.c.sha256)
    return [row for row in db.execute(select(rule_packs).order_by(*order)) if _concerns(actor, row)]


def _concerns(actor: Actor, row: "Row[Any]") -> bool:
    if actor.level not in SUPERVISION:
        return False
    mine, its = actor.scope.code, row.scope_code
    return Level.PROVINCE.value in (actor.level.value, row.level) or mine.startswith(its) or its.startswith(mine)


def _texts(files: Sequence[tuple[str, bytes]]) -> dict[str, str]:
    if not files:
        raise RefusedError(422, "file_missing", "请选择规则包文件", "choose the files of the pack", "files")
    if len(files) > MAX_PACK_FILES or len({name for name, _ in files}) != len(files):
        words = (f"最多 {MAX_PACK_FILES} 个文件，文件名不得重复", f"at most {MAX_PACK_FILES} files, each name once")
        raise RefusedError(422, "too_many_files", *words, "files")
    texts = {name: _text(name, content) for name, content in files}
    if sum(len(text) for text in texts.values()) > MAX_PACK_CHARACTERS:
        words = (f"超过 {MAX_PACK_CHARACTERS} 字符", f"more than {MAX_PACK_CHARACTERS} characters")
        raise RefusedError(422, "pack_too_long", *words, "files")
    return texts


def _text(name: str, content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
        RulePackFile(name=name, text="")
    except UnicodeDecodeError:
        raise _refused(name, "应为 UTF-8 编码", "expected UTF-8") from None
    except ValueError:
        words = ("文件名应为小写英文、数字，以 .yaml 结尾", "expected a plain lower-case name that ends with .yaml")
        raise _refused(name, *words) from None
    if "\0" in text:
        raise _refused(name, "含有控制字符", "it holds a control character")
    return text


def _mapping(name: str, text: str) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        problem = " ".join(str(error).split())[:200]
        raise _refused(name, f"不是有效的 YAML：{problem}", f"no YAML: {problem}") from None
    if not isinstance(content, dict):
        raise _refused(name, "应为键值组", "expected a mapping")
    return content


def _refused(name: str, zh: str, en: str) -> RefusedError:
    return RefusedError(422, "bad_pack", f"{name}：{zh}", f"{name}: {en}", "files")
