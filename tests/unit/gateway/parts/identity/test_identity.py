"""Made-up persons only: 司机甲 and the like, numbers of a region that is not there, with check characters that fail."""

import logging
from dataclasses import replace
from datetime import date
from pathlib import Path

import orjson
import pytest

from gateway.model.derivation import AssetEvent
from gateway.model.id_numbers import MaskingFormatter
from gateway.model.papers import CranePapers, DriverStanding
from gateway.parts.identity.file import KEY_FILE, SEALED_FILE, IdentityError
from gateway.parts.identity.identity import Identities, create_identities
from gateway.parts.identity.person import Certificate, CertificateKind, DriverNumber, Person, Role
from gateway.store.asset_store import AssetStore
from tests.unit.gateway.model.test_papers import at

CRANE = CertificateKind.TOWER_CRANE_DRIVER
NUMBERS = ["990000190001010000", "99000019000101001X", "990000190001010029"]


def person(name: str = "司机甲", number: str = NUMBERS[0], driver_no: str = "7", asset: str = "") -> Person:
    numbers = (DriverNumber(driver_no, asset),) if driver_no else ()
    return Person(name, number, (Role.DRIVER,), numbers)


def certificate(until: date = date(2027, 5, 31), kind: CertificateKind = CRANE, number: str = "T-1") -> Certificate:
    return Certificate(kind, number, until)


@pytest.fixture
def identities(tmp_path: Path) -> Identities:
    create_identities(tmp_path)
    return Identities(tmp_path)


def test_a_person_is_found_by_the_number_on_the_device(identities: Identities) -> None:
    person_id = identities.add(person())
    assert len(person_id) == 16
    int(person_id, 16)
    assert identities.find_by_driver_no(identities.driver_digest("", "7")) == person_id
    assert identities.person_of("crane-1", "007") == person_id
    assert identities.person_of("crane-1", "8") is None
    assert identities.person_of("crane-1", "0") is None


def test_a_number_on_one_crane_beats_the_same_number_on_all(identities: Identities) -> None:
    everywhere = identities.add(person())
    own = identities.add(person("司机乙", NUMBERS[1], "7", "crane-2"))
    assert identities.person_of("crane-1", "7") == everywhere
    assert identities.person_of("crane-2", "7") == own


def test_digests_need_the_key_of_this_box(identities: Identities, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    create_identities(other)
    assert identities.driver_digest("crane-1", "7") != Identities(other).driver_digest("crane-1", "7")
    assert identities.driver_digest("crane-1", "7") != identities.driver_digest("crane-2", "7")


def test_an_unknown_driver_has_a_stable_name_that_can_be_joined_later(identities: Identities, tmp_path: Path) -> None:
    unknown = identities.driver_id("crane-1", "7")
    assert unknown == Identities(tmp_path).driver_id("crane-1", "7.0".removesuffix(".0"))
    assert unknown.startswith("u")
    person_id = identities.add(person(asset="crane-1"))
    assert identities.driver_id("crane-1", "7") == person_id
    assert unknown == f"u{identities.driver_digest('crane-1', '7')[:16]}"
    assert identities.driver_id("crane-1", "") == ""


def test_a_standing_holds_days_and_no_name(identities: Identities) -> None:
    person_id = identities.add(person())
    assert identities.standing("crane-1", "7") == DriverStanding(person_id, False, None)
    identities.certify(person_id, certificate(kind=CertificateKind.SIGNALLER))
    assert identities.standing("crane-1", "7") == DriverStanding(person_id, True, None)
    identities.certify(person_id, certificate(date(2026, 1, 31)))
    identities.certify(person_id, certificate(date(2028, 1, 31), number="T-2"))
    assert identities.standing("crane-1", "7") == DriverStanding(person_id, True, date(2028, 1, 31))
    assert identities.standing("crane-1", "8") is None


def test_a_certificate_that_is_renewed_replaces_the_old_one(identities: Identities) -> None:
    person_id = identities.add(person())
    identities.certify(person_id, certificate(date(2028, 1, 31)))
    identities.certify(person_id, certificate(date(2027, 1, 31)))
    assert len(identities.masked()[0].certificates) == 1
    assert identities.standing("", "7") == DriverStanding(person_id, True, date(2027, 1, 31))


def test_papers_ask_the_identity_file(identities: Identities) -> None:
    papers = CranePapers("crane-1", drivers=identities.standing)
    identities.certify(identities.add(person()), certificate(date(2026, 11, 22)))
    assert papers.driver_certified("7", at("2026-11-22T23:59:59")) is True
    assert papers.driver_certified("7", at("2026-11-23T00:00:00")) is False
    assert papers.driver_certified("8", at("2026-11-22T10:00:00")) is None


def test_everything_is_there_after_a_restart(identities: Identities, tmp_path: Path) -> None:
    person_id = identities.add(replace(person(), certificates=(certificate(),)))
    again = Identities(tmp_path, audit=lambda _id, _purpose: None)
    found = again.reveal(person_id, "test")
    assert found == replace(person(), certificates=(certificate(),), person_id=person_id)


def test_nobody_is_revealed_unless_somebody_is_told_first(identities: Identities, tmp_path: Path) -> None:
    person_id = identities.add(person())
    with pytest.raises(IdentityError, match="audit"):
        identities.reveal(person_id, "docking")
    told: list[tuple[str, str]] = []
    audited = Identities(tmp_path, audit=lambda who, purpose: told.append((who, purpose)))
    assert audited.reveal(person_id, "docking").id_number == NUMBERS[0]
    assert told == [(person_id, "docking")]

    def refuse(_who: str, _purpose: str) -> None:
        raise ValueError("the chain is not writable")

    with pytest.raises(ValueError, match="not writable"):
        Identities(tmp_path, audit=refuse).reveal(person_id, "docking")
    with pytest.raises(LookupError, match="no person has this id"):
        audited.reveal("0" * 16, "docking")
    assert len(told) == 1


def test_a_person_who_comes_again_keeps_their_id_and_gets_what_is_new(identities: Identities) -> None:
    first = identities.add(person())
    again = Person("司机甲", NUMBERS[0], (Role.SIGNALLER,), (DriverNumber("9", "crane-2"),), (certificate(),))
    assert identities.add(again) == first
    (kept,) = identities.masked()
    assert kept.roles == (Role.DRIVER, Role.SIGNALLER)
    assert kept.driver_numbers == (DriverNumber("7"), DriverNumber("9", "crane-2"))
    assert len(kept.certificates) == 1


def test_a_driver_number_is_one_persons(identities: Identities) -> None:
    first = identities.add(person())
    with pytest.raises(IdentityError, match=f"driver number 7: is person {first}'s already"):
        identities.add(person("司机乙", NUMBERS[1]))
    assert len(identities.masked()) == 1


def test_of_several_all_or_none_are_added(identities: Identities) -> None:
    with pytest.raises(IdentityError):
        identities.add_all([person(), person("司机乙", NUMBERS[1])])
    assert identities.masked() == []
    assert identities.person_of("", "7") is None


def test_an_update_replaces_what_is_on_file(identities: Identities) -> None:
    person_id = identities.add(person())
    identities.update(replace(person(driver_no="12"), person_id=person_id))
    assert identities.person_of("", "7") is None
    assert identities.person_of("", "12") == person_id
    with pytest.raises(LookupError):
        identities.update(replace(person(), person_id="0" * 16))


def test_two_persons_may_not_come_to_share_an_id_number(identities: Identities) -> None:
    identities.add(person())
    second = identities.add(person("司机乙", NUMBERS[1], "8"))
    with pytest.raises(IdentityError, match="this ID number") as caught:
        identities.update(replace(person("司机乙", NUMBERS[0], "8"), person_id=second))
    assert NUMBERS[0] not in str(caught.value)


def test_who_is_forgotten_is_unknown_and_cannot_be_revealed(identities: Identities, tmp_path: Path) -> None:
    person_id = identities.add(person())
    identities.forget(person_id)
    assert identities.person_of("", "7") is None
    assert identities.standing("", "7") is None
    with pytest.raises(LookupError):
        identities.forget(person_id)
    with pytest.raises(LookupError):
        Identities(tmp_path, audit=lambda _id, _purpose: None).reveal(person_id, "test")


def test_a_rotation_keeps_ids_and_joins(identities: Identities, tmp_path: Path) -> None:
    person_id = identities.add(person())
    digest = identities.driver_digest("crane-1", "7")
    identities.rotate_key()
    again = Identities(tmp_path)
    assert again.person_of("crane-1", "7") == person_id
    assert again.driver_digest("crane-1", "7") == digest


def test_a_running_gateway_sees_what_a_command_has_changed(identities: Identities, tmp_path: Path) -> None:
    assert not identities.refresh()
    person_id = Identities(tmp_path).add(person())
    assert identities.person_of("", "7") is None
    assert identities.refresh()
    assert identities.person_of("", "7") == person_id
    assert not identities.refresh()


def test_a_file_that_goes_bad_leaves_what_is_known_and_says_so_each_time(
    identities: Identities, tmp_path: Path
) -> None:
    person_id = identities.add(person())
    (tmp_path / SEALED_FILE).write_bytes(b"SITEWARDEN")
    for _ in range(2):
        with pytest.raises(IdentityError, match="cut off"):
            identities.refresh()
    (tmp_path / SEALED_FILE).unlink()
    with pytest.raises(IdentityError, match="not there"):
        identities.refresh()
    assert identities.person_of("", "7") == person_id


def test_a_box_without_a_file_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="sitewarden identity add"):
        Identities(tmp_path)


@pytest.mark.parametrize("content", [b"no json", b"[]", b'{"persons":[]}', b'{"join_key":"","persons":[{"name":""}]}'])
def test_a_content_of_another_form_is_refused_without_being_repeated(
    identities: Identities, tmp_path: Path, content: bytes
) -> None:
    identities._file.write(content)
    with pytest.raises(IdentityError, match="form that this program does not know"):
        Identities(tmp_path)


def test_a_newer_version_is_refused(identities: Identities, tmp_path: Path) -> None:
    content = orjson.loads(identities._file.read())
    identities._file.write(orjson.dumps({**content, "version": 2}))
    with pytest.raises(IdentityError, match="version 2, expected 1"):
        Identities(tmp_path)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "司机甲\n"}, "name"),
        ({"name": "甲" * 51}, "name"),
        ({"name": "司机甲", "id_number": "99000018000101000"}, "id_number"),
        ({"name": "司机甲", "id_number": "abc"}, "id_number"),
        ({"name": "司机甲", "driver_numbers": (DriverNumber("007"),)}, "driver_numbers"),
        ({"name": "司机甲", "driver_numbers": (DriverNumber(""),)}, "driver_numbers"),
    ],
)
def test_what_is_no_person_is_refused_by_field_and_without_the_value(given: dict[str, object], field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field}: expected") as caught:
        Person(**given)  # type: ignore[arg-type]
    assert str(given.get("id_number", "司机甲") or "-") not in str(caught.value)


def test_other_documents_and_foreign_names_are_taken() -> None:
    assert Person("Ana-Maria O'Neil", "E12345678").id_number == "E12345678"
    assert Person("阿不都·热合曼").name


def test_certificates_without_a_number_are_refused() -> None:
    with pytest.raises(ValueError, match="certificate number"):
        certificate(number="")


def test_nothing_shown_holds_a_name_or_a_number(identities: Identities) -> None:
    held = certificate(number=f"T{NUMBERS[0]}")
    whole = replace(person(), certificates=(held,), driver_numbers=(DriverNumber(NUMBERS[2]),))
    identities.add(whole)
    index = identities._index
    in_memory = repr((index.join_key, index.person_of, index.standing))
    shown = repr(identities.masked()) + repr(whole) + repr(held) + repr(vars(identities)) + in_memory
    for kept_secret in (*NUMBERS, "司机甲", "机甲"):
        assert kept_secret not in shown
    assert identities.masked()[0].name == "司**"
    assert identities.masked()[0].id_number == "99**************00"


def test_no_number_of_the_file_is_in_a_log_a_record_or_the_folder(
    identities: Identities, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A driver logs in with an ID-card number as driver number, and everything that could go wrong with it does."""
    caplog.handler.setFormatter(MaskingFormatter("%(message)s"))
    for number in NUMBERS:
        identities.add(person("司机甲", number, number))
    assets = AssetStore(tmp_path, driver_of=identities.driver_id)
    content = {"driver_no": NUMBERS[0], "note": f"驾驶员 {NUMBERS[1]}"}
    assets.note(1, [AssetEvent("crane-1", "crane_cycle", 1, content)])
    assets.note(2, [AssetEvent("crane-1", "data_quality", 2, {"unknown": NUMBERS[2]})])
    assets.flush().result(10)
    assets.close()
    for number in NUMBERS:
        try:
            identities.add(replace(person("司机乙", "", number)))
        except IdentityError as error:
            logging.getLogger("gateway").exception("event=identity_refused reason=%r number=%s", str(error), number)
    assert "event=identity_refused" in caplog.text
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for number in NUMBERS:
        assert number not in caplog.text
        assert number.encode() not in written


def test_the_key_is_not_in_the_sealed_file(identities: Identities, tmp_path: Path) -> None:
    key = (tmp_path / KEY_FILE).read_bytes().strip()
    assert key not in (tmp_path / SEALED_FILE).read_bytes()
