"""Who drives, signals and erects: names, ID-card numbers and certificates, in one encrypted file and nowhere else.

    device's driver number --keyed HMAC--> random person id --> certificates' days      in memory, no name
                                                 |
    series, records, tags, logs: the person id   +--> reveal(person id): name, ID number    at the send alone, audited

Between two sends the process holds no name and no ID number: only the join key, digests of driver numbers, random ids
and days of validity. The join key lies inside the file, so that a rotation of the file's key keeps all joins.

In: persons, and what devices send. Out: random ids, standings, masked lists; at a send one person. Opens no network.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson
from pydantic import TypeAdapter, ValidationError

from gateway.model.id_numbers import mask_id_numbers
from gateway.model.papers import DriverStanding, driver_number
from gateway.parts.identity.file import IdentityError, IdentityFile
from gateway.parts.identity.person import Certificate, CertificateKind, MaskedPerson, Person, masked
from kit.secret import Secret

Audit = Callable[[str, str], None]
"""(person id, purpose): told of every disclosure before it is made; what it raises prevents it."""


@dataclass(frozen=True, slots=True)
class _Content:
    """What is in the file."""

    join_key: str = field(repr=False)
    persons: tuple[Person, ...] = ()
    version: int = 1


@dataclass(frozen=True, slots=True, repr=False)
class _Index:
    """What stays in memory."""

    join_key: bytes
    person_of: Mapping[str, str] = field(default_factory=dict)
    standing: Mapping[str, DriverStanding] = field(default_factory=dict)


_CONTENT = TypeAdapter(_Content)


def _not_audited(_person_id: str, _purpose: str) -> None:
    raise IdentityError("this disclosure would not be recorded; expected an audit")


def create_identities(folder: Path, secret: Secret | None = None) -> None:
    """An empty identity file, with a new key where none comes from elsewhere. Raises IdentityError if there is one."""
    content = _Content(base64.b64encode(secrets.token_bytes(32)).decode())
    IdentityFile(folder, secret).create(_encoded(content))


class Identities:
    """The opened identity file. Raises IdentityError: no file, wrong key, damaged, cut off, open to others."""

    def __init__(self, folder: Path, secret: Secret | None = None, audit: Audit = _not_audited) -> None:
        self._file = IdentityFile(folder, secret)
        self._audit = audit
        self._seen = _stamp(self._file.path)
        self._index = _indexed(self._read())

    def driver_digest(self, asset: str, driver_no: str) -> str:
        """The keyed HMAC-SHA-256 (hex) of a driver number on a device."""
        return _digest(self._index.join_key, asset, driver_number(driver_no))

    def find_by_driver_no(self, digest: str) -> str | None:
        """The person id behind a digest of `driver_digest`; None when nobody is known by it."""
        return self._index.person_of.get(digest)

    def person_of(self, asset: str, driver_no: str) -> str | None:
        """The person id behind a number on one crane, else behind the same number on all cranes."""
        if not driver_number(driver_no):
            return None
        own = self.find_by_driver_no(self.driver_digest(asset, driver_no))
        return own if own is not None else self.find_by_driver_no(self.driver_digest("", driver_no))

    def driver_id(self, asset: str, driver_no: str) -> str:
        """What stands for a driver in records: the person id; for a number that nobody is known by, `u` and the head of
        its digest, so that records can be joined once the person is known. Empty when nobody is logged in."""
        if not driver_number(driver_no):
            return ""
        return self.person_of(asset, driver_no) or f"u{self.driver_digest(asset, driver_no)[:16]}"

    def standing(self, asset: str, driver_no: str) -> DriverStanding | None:
        """What is on file about a driver, without name and number; None when nobody is known by the number."""
        return self._index.standing.get(self.person_of(asset, driver_no) or "")

    def refresh(self) -> bool:
        """Read the file again if it was replaced; whether it was. Raises IdentityError; what was known then stays."""
        stamp = _stamp(self._file.path)
        if stamp == self._seen:
            return False
        self._index = _indexed(self._read())
        self._seen = stamp
        return True

    def masked(self) -> list[MaskedPerson]:
        """Everybody, as they may be shown."""
        return [masked(person) for person in self._read().persons]

    def reveal(self, person_id: str, purpose: str) -> Person:
        """One person in clear, for an adapter that must send an identity, at the send; the caller keeps nothing of it.

        The audit is told first. Raises LookupError for an id that is nobody's, IdentityError.
        """
        found = [person for person in self._read().persons if person.person_id == person_id]
        if not found:
            raise LookupError(f"person {person_id!r}: no person has this id")
        self._audit(person_id, purpose)
        return found[0]

    def add(self, person: Person) -> str:
        """Add one person; their new random id. Raises IdentityError when number or driver number is another's."""
        return self.add_all([person])[0]

    def add_all(self, persons: Sequence[Person]) -> list[str]:
        """Add or bring up to date, all or none: who is known by the ID number keeps the id and gets what is new.

        Out: the person ids, in order. Raises IdentityError when a driver number is another's.
        """
        ids: list[str] = []

        def change(known: tuple[Person, ...]) -> tuple[Person, ...]:
            for person in persons:
                known, person_id = _with(known, person)
                ids.append(person_id)
            return known

        self._change(change)
        return ids

    def update(self, person: Person) -> None:
        """Replace what is on file about `person.person_id`. Raises LookupError, IdentityError."""
        self._change(lambda known: _replaced(known, person.person_id, lambda _old: person))

    def certify(self, person_id: str, certificate: Certificate) -> None:
        """File a certificate; one of the same kind and number is replaced. Raises LookupError, IdentityError."""
        self._change(lambda known: _replaced(known, person_id, lambda old: _certified(old, certificate)))

    def forget(self, person_id: str) -> None:
        """Take a person out: the random id in records then leads nowhere. Raises LookupError, IdentityError."""

        def change(known: tuple[Person, ...]) -> tuple[Person, ...]:
            left = tuple(person for person in known if person.person_id != person_id)
            if len(left) == len(known):
                raise LookupError(f"person {person_id!r}: no person has this id")
            return left

        self._change(change)

    def rotate_key(self, new_secret: Secret | None = None) -> None:
        """Seal the file with a new key; ids and joins stay. Raises IdentityError."""
        self._file.rotate(new_secret)

    def _change(self, change: Callable[[tuple[Person, ...]], tuple[Person, ...]]) -> None:
        with self._file.locked():
            content = self._read()
            changed = replace(content, persons=change(content.persons))
            _no_shared_numbers(changed.persons)
            self._file.write(_encoded(changed))
            self._seen = _stamp(self._file.path)
        self._index = _indexed(changed)

    def _read(self) -> _Content:
        if not self._file.exists():
            raise IdentityError(f"{self._file.path}: not there; expected a file made by `sitewarden identity add`")
        try:
            content = _CONTENT.validate_json(self._file.read())
        except ValidationError:
            raise IdentityError(f"{self._file.path}: its content has a form that this program does not know") from None
        if content.version != 1:
            raise IdentityError(f"{self._file.path}: version {content.version}, expected 1; this program is older")
        return content


def _with(known: tuple[Person, ...], person: Person) -> tuple[tuple[Person, ...], str]:
    """Everybody and one more, or one who is known by their ID number and now has more on file."""
    for old in known:
        if person.id_number and old.id_number == person.id_number:
            return _replaced(known, old.person_id, lambda same: _joined(same, person)), old.person_id
    person_id = secrets.token_hex(8)
    return (*known, replace(person, person_id=person_id)), person_id


def _joined(old: Person, new: Person) -> Person:
    joined = replace(
        old,
        name=new.name,
        roles=tuple(sorted({*old.roles, *new.roles})),
        driver_numbers=tuple(dict.fromkeys((*old.driver_numbers, *new.driver_numbers))),
    )
    for certificate in new.certificates:
        joined = _certified(joined, certificate)
    return joined


def _certified(person: Person, certificate: Certificate) -> Person:
    key = (certificate.kind, certificate.number)
    others = tuple(held for held in person.certificates if (held.kind, held.number) != key)
    return replace(person, certificates=(*others, certificate))


def _replaced(known: tuple[Person, ...], person_id: str, change: Callable[[Person], Person]) -> tuple[Person, ...]:
    if all(person.person_id != person_id for person in known):
        raise LookupError(f"person {person_id!r}: no person has this id")
    return tuple(change(person) if person.person_id == person_id else person for person in known)


def _no_shared_numbers(persons: tuple[Person, ...]) -> None:
    """A driver number and an ID number are one person's."""
    numbers: dict[tuple[str, str], str] = {}
    for person in persons:
        for number in _numbers(person):
            other = numbers.setdefault(number, person.person_id)
            if other != person.person_id:
                what = "this ID number" if number[0] == "id" else f"driver number {mask_id_numbers(number[1])}"
                raise IdentityError(f"{what}: is person {other}'s already")


def _numbers(person: Person) -> list[tuple[str, str]]:
    """What must be one person's alone; driver numbers count apart on each crane."""
    own = [(f"on {given.asset}", given.number) for given in person.driver_numbers]
    return [*own, ("id", person.id_number)] if person.id_number else own


def _indexed(content: _Content) -> _Index:
    join_key = base64.b64decode(content.join_key)
    person_of = {
        _digest(join_key, given.asset, given.number): person.person_id
        for person in content.persons
        for given in person.driver_numbers
    }
    return _Index(join_key, person_of, {person.person_id: _standing(person) for person in content.persons})


def _standing(person: Person) -> DriverStanding:
    days = [held.valid_until for held in person.certificates if held.kind is CertificateKind.TOWER_CRANE_DRIVER]
    return DriverStanding(person.person_id, bool(person.certificates), max(days, default=None))


def _digest(join_key: bytes, asset: str, number: str) -> str:
    return hmac.new(join_key, f"driver\0{asset}\0{number}".encode(), hashlib.sha256).hexdigest()


def _encoded(content: _Content) -> bytes:
    return orjson.dumps(content)


def _stamp(path: Path) -> tuple[int, int, int]:
    """Changes whenever the file is replaced."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0, 0)
    return (status.st_ino, status.st_mtime_ns, status.st_size)
