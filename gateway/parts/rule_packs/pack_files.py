"""The files of an offered rule pack: looked over, laid down under their digest, and the list of those that count.

In: an offer. Out: a `KeptPack` for the loader, or what is wrong in both languages. Raises OSError for the disk.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from contract.mailbox import MAX_PACK_CHARACTERS, RulePackOffer
from contract.packs import pack_sha256
from gateway.settings.kept_packs import ACTIVE, FOLDER, KeptPack, is_folder_pack, pack_root
from kit.durable import sync_folder, write_whole

Words = tuple[str, str]


def fault_of(offer: RulePackOffer) -> Words | None:
    """What is wrong with an offer before anything of it is read as rules; None: nothing."""
    files = texts_of(offer)
    if offer.withdrawn:
        return ("撤回通知不应带有文件", "a withdrawal must not bring files") if files else None
    if len(files) != len(offer.files):
        return "同一文件名出现两次", "a file name stands there twice"
    if sum(len(text) for text in files.values()) > MAX_PACK_CHARACTERS:
        return f"规则包超过 {MAX_PACK_CHARACTERS} 字符", f"more than {MAX_PACK_CHARACTERS} characters"
    if pack_sha256(files) != offer.sha256:
        return "文件与所报摘要不符", "the files do not have the digest that is named"
    if not is_folder_pack(files) and list(files) != [f"{offer.name}.yaml"]:
        return f"应为一个 {offer.name}.yaml，或含有 pack.yaml", f"expected one {offer.name}.yaml, or a pack.yaml"
    return None


def texts_of(offer: RulePackOffer) -> dict[str, str]:
    """The texts of the pack's files by file name."""
    return {file.name: file.text for file in offer.files}


def lay_down(folder: Path, offer: RulePackOffer) -> KeptPack:
    """The files under their digest in the data folder; what lies there whole is left as it is."""
    root, files = pack_root(folder, offer.sha256), texts_of(offer)
    laid = KeptPack(offer.name, offer.sha256, root)
    if laid.is_whole:
        return laid
    part = root.with_name(f"{root.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    place = part / "rules" / offer.name if is_folder_pack(files) else part / "rules"
    place.mkdir(parents=True)
    for name, text in files.items():
        write_whole(place / name, text.encode())
    shutil.rmtree(root, ignore_errors=True)
    part.rename(root)
    sync_folder(root.parent)
    return laid


def write_active(folder: Path, active: Mapping[str, str]) -> None:
    """{name: sha256} of the packs that count from the next loading on."""
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    write_whole(folder / FOLDER / ACTIVE, json.dumps(dict(active), sort_keys=True).encode())
