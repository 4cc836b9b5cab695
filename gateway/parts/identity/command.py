"""What `sitewarden identity ...` prints, and the exit status it ends with: 0 done, 1 refused or failed.

In: parsed arguments; numbers of ID cards and certificates from standard input, never from the command line, which
others can read. Out: lines in Chinese and English in which no such number stands in full. The work itself is in
`gateway.parts.identity.identity`.
"""

import getpass
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from gateway.model.id_numbers import check_character_fits, is_id_number
from gateway.parts.identity.file import IdentityError, IdentityFile
from gateway.parts.identity.identity import Identities, create_identities
from gateway.parts.identity.importing import ImportRefused, read_persons
from gateway.parts.identity.person import Certificate, CertificateKind, MaskedPerson, Person
from kit.secret import Secret

Say = Callable[[str], None]
Ask = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Where:
    """The data folder, and where the file's key is; without `key` it is `identity.key` in the folder."""

    folder: Path
    key: Secret | None = None


def ask_id_number() -> str:
    """From the terminal without an echo, else the first line of standard input."""
    return _asked("身份证号 / ID number: ")


def ask_certificate_number() -> str:
    """Ask for the certificate's number, which is not shown while typed."""
    return _asked("证书编号 / certificate number: ")


def _asked(prompt: str) -> str:
    return (getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline()).strip()


def run_add(where: Where, person: Person, ask: Ask | None = ask_id_number, say: Say = print) -> int:
    """Add one person, and make the file when it is the first. Without `ask`, no ID number is filed."""

    def add() -> None:
        number = ask().upper() if ask is not None else ""
        if ask is not None and not number:
            raise ValueError("ID number: expected one on standard input, or --without-id-number")
        complete = replace(person, id_number=number)
        identities = _opened(where, say)
        person_id = identities.add(complete)
        say(f"已登记 / added: {person_id}")
        _warn_of_typing(complete, say)

    return _done(add, say)


def run_list(where: Where, say: Say = print) -> int:
    """Everybody, masked, with the days of validity."""

    def show() -> None:
        for person in Identities(where.folder, where.key).masked():
            say(_line(person))

    return _done(show, say)


@dataclass(frozen=True, slots=True)
class Validity:
    """How long a certificate is valid, without its number."""

    kind: CertificateKind
    until: date


def run_certify(
    where: Where, person_id: str, validity: Validity, ask: Ask = ask_certificate_number, say: Say = print
) -> int:
    """File a certificate of a known person."""

    def certify() -> None:
        certificate = Certificate(validity.kind, ask(), validity.until)
        Identities(where.folder, where.key).certify(person_id, certificate)
        say(f"已登记证书 / certificate filed: {person_id}, {validity.kind}, {validity.until}")

    return _done(certify, say)


def run_import(where: Where, file: Path, say: Say = print) -> int:
    """Take a whole table in, or nothing of it and every fault."""

    def take() -> None:
        persons = read_persons(file.read_bytes())
        ids = _opened(where, say).add_all(persons)
        say(f"已导入 / imported: {len(ids)}")
        for person in persons:
            _warn_of_typing(person, say)
        say(f"请删除原文件，其中有明文身份证号 / delete the file, it holds ID numbers in clear: {file}")

    return _done(take, say)


def run_forget(where: Where, person_id: str, say: Say = print) -> int:
    """Take a person out of the file."""

    def forget() -> None:
        Identities(where.folder, where.key).forget(person_id)
        say(f"已删除 / taken out: {person_id}")

    return _done(forget, say)


def run_rotate_key(where: Where, new_key: Secret | None = None, say: Say = print) -> int:
    """Seal the file with a new key."""

    def rotate() -> None:
        Identities(where.folder, where.key).rotate_key(new_key)
        say("已更换密钥；旧备份仍需旧密钥 / key rotated; older backups still need the older key")
        if new_key is not None:
            say("请在配置 identity.key 中指向新密钥 / let identity.key in the site file point to the new key")

    return _done(rotate, say)


def _opened(where: Where, say: Say) -> Identities:
    """The file, made when there is none yet."""
    if not IdentityFile(where.folder).exists():
        create_identities(where.folder, where.key)
        say(f"已新建加密身份文件 / new encrypted identity file: {IdentityFile(where.folder).path}")
    return Identities(where.folder, where.key)


def _line(person: MaskedPerson) -> str:
    roles = ",".join(role.name.lower() for role in person.roles) or "-"
    numbers = ",".join(f"{given.asset or '*'}:{given.number}" for given in person.driver_numbers) or "-"
    held = "; ".join(f"{each.kind} {each.number} {each.valid_until}" for each in person.certificates) or "-"
    return f"{person.person_id}  {person.name}  {person.id_number or '-'}  {roles}  {numbers}  {held}"


def _warn_of_typing(person: Person, say: Say) -> None:
    if is_id_number(person.id_number) and not check_character_fits(person.id_number):
        say(f"  {person.name[0]}*: 身份证号校验位不符，请核对 / the ID number's check character does not fit")


def _done(work: Callable[[], None], say: Say) -> int:
    try:
        work()
    except ImportRefused as refused:
        for fault in refused.faults:
            say(f"未导入 / not imported: {fault}")
        return 1
    except (IdentityError, LookupError, ValueError) as error:
        say(f"未完成 / not done: {error}")
        return 1
    return 0
