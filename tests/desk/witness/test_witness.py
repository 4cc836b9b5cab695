"""The ledger's head of each day: published once, kept elsewhere, and what it proves when the desk writes another past.

The time-stamp authority is OpenSSL's (`openssl ts`), over HTTP; OpenSSL also checks what the desk keeps.
"""

import base64
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import delete, select, update

from contract.keyfile import load_or_create
from contract.signing import SignKey
from regulator.base.model.actor import SYSTEM
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.intake import findings
from regulator.base.records.tables.ledger import ledger_entries
from regulator.base.records.tables.witness import witness_heads, witness_stamps
from regulator.base.settings import WitnessSettings
from regulator.parts.witness.heads import head_with, heads, newest_head
from regulator.parts.witness.office import WitnessJob, time_stamper
from sitewarden.__main__ import main
from tests.fakes.desk_database import DAY_NS, DeskClock
from tests.fakes.ledger_rewriter import rewrite_ledger
from tests.fakes.openssl_tsa import OpensslTsa


@pytest.fixture
def key(tmp_path: Path) -> SignKey:
    return load_or_create(tmp_path / "desk.pem")


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpensslTsa]:
    with OpensslTsa(tmp_path_factory.mktemp("tsa")) as authority:
        yield authority


@pytest.fixture
def authority(tsa: OpensslTsa) -> OpensslTsa:
    tsa.mood, tsa.queries = "", 0
    return tsa


class Desk:
    """A ledger in which something is done every day, and the job. Its clock shows the machine's time."""

    def __init__(self, database: DeskDatabase, key: SignKey, folder: Path, authority: OpensslTsa | None) -> None:
        self.database, self.key, self.folder = database, key, folder
        self.clock = DeskClock(time.time_ns())
        self.ledger = Ledger(key)
        self.authority = authority
        settings = WitnessSettings(url=authority.url, ca_file=authority.ca_file) if authority is not None else None
        self.job = WitnessJob(database, self.ledger, time_stamper(settings))

    def day(self, **words: Any) -> None:
        """A deed in two chains, then the job; a day later."""
        with self.database.transaction() as db:
            for code in ("P-1", "P-2"):
                self.ledger.append(db, Deed("note", "s", {"words": "closed"} | words, code), SYSTEM, self.clock())
        self.job.run(self.clock())
        self.clock.move(days=1)

    def findings(self) -> list[tuple[str, bool]]:
        with self.database.reading() as db:
            rows = db.execute(select(findings).order_by(findings.c.opened_at_ns)).all()
        return [(row.kind, bool(row.closed_at_ns)) for row in rows]

    def codes(self) -> list[str]:
        with self.database.reading() as db:
            return [head.code for head in heads(db)]

    def verify(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, Any]]]:
        return self.told(capsys, "verify", *arguments)

    def told(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, Any]]]:
        """What `sitewarden desk FILE ...` ends with and prints."""
        file = self.folder / "desk.yaml"
        told: dict[str, Any] = {"database": self.database.url.render_as_string(hide_password=False), "blobs": "blobs"}
        told |= {"key_file": "desk.pem"}
        if self.authority is not None:
            told["witness"] = {"url": self.authority.url, "ca_file": str(self.authority.ca_file)}
        file.write_text(yaml.safe_dump(told))
        capsys.readouterr()
        code = main(["desk", str(file), *arguments])
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def desk(database: DeskDatabase, key: SignKey, tmp_path: Path) -> Desk:
    """Nobody stamps its heads."""
    return Desk(database, key, tmp_path, None)


@pytest.fixture
def stamped(database: DeskDatabase, key: SignKey, tmp_path: Path, authority: OpensslTsa) -> Desk:
    return Desk(database, key, tmp_path, authority)


Capture = pytest.CaptureFixture[str]


def test_a_day_has_one_head_that_names_what_moved(desk: Desk) -> None:
    desk.job.run(desk.clock())
    assert desk.codes() == []
    desk.day()
    desk.clock.move(days=-1)
    desk.job.run(desk.clock())
    desk.clock.move(days=1)
    desk.day()
    with desk.database.reading() as db:
        first, second = heads(db)
        tips = {
            (row.chain, row.seq): row.sha256
            for row in db.execute(select(ledger_entries.c.chain, ledger_entries.c.seq, ledger_entries.c.sha256))
        }
        assert head_with(db, second.code.upper().replace(" ", "-")) == second
        assert head_with(db, second.code[:-1]) is None
    told = [json.loads(head.body) for head in (first, second)]
    assert [chain for chain, _, _ in told[0]["chains"]] == ["project:P-1", "project:P-2"]
    assert [chain for chain, _, _ in told[1]["chains"]] == ["desk:heads", "project:P-1", "project:P-2"]
    assert all(tips[chain, seq] == sha256 for said in told for chain, seq, sha256 in said["chains"])
    assert (told[1]["prev"], second.chains) == (first.sha256, 3)


def test_the_newest_head_is_printed_at_the_desks_own_machine(desk: Desk, capsys: Capture) -> None:
    assert desk.told(capsys, "head") == (1, [])
    desk.day()
    desk.day()
    code, (said,) = desk.told(capsys, "head")
    assert (code, said["code"], said["number"]) == (0, desk.codes()[1], 2)
    assert said["sha256"].startswith(said["code"].replace(" ", ""))
    assert said["desk_key"] == desk.key.public.key_id


def test_two_replicas_publish_one_head(desk: Desk) -> None:
    with desk.database.transaction() as db:
        desk.ledger.append(db, Deed("note", "s", {}, "P-1"), SYSTEM, desk.clock())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: desk.job.run(desk.clock()), range(8)))
    assert len(desk.codes()) == 1


def test_a_ledger_that_was_written_anew_contradicts_the_code_that_was_printed(desk: Desk, capsys: Capture) -> None:
    desk.day()
    desk.day()
    printed = desk.codes()
    assert desk.verify(capsys, "--head", printed[0], "--head", printed[1])[0] == 0
    with desk.database.transaction() as db:
        rewrite_ledger(db, desk.key, "project:P-1", 1, words="never ordered")
    code, said = desk.verify(capsys)
    assert (code, said[-1]["heads"]) == (0, 2), "the desk's own tables agree with each other again"
    code, said = desk.verify(capsys, "--head", printed[0])
    assert code == 1
    assert said[0] == {
        "fault": "head",
        "at": printed[0],
        "zh": "没有台账日摘要使用此校验码",
        "en": "no head of the ledger has this code",
    }


def test_a_changed_entry_and_a_deleted_head_are_told_and_found(desk: Desk, capsys: Capture) -> None:
    desk.day()
    desk.day()
    desk.day()
    with desk.database.transaction() as db:
        db.execute(delete(witness_heads).where(witness_heads.c.number == 2))
        mine = (ledger_entries.c.chain == "project:P-2") & (ledger_entries.c.seq == 3)
        db.execute(update(ledger_entries).where(mine).values(sha256="f" * 64))
    code, said = desk.verify(capsys)
    assert code == 1
    assert [line["at"] for line in said if line.get("fault") == "head"] == ["head 3", "head 2", "project:P-2 3"]
    desk.day()
    assert desk.findings() == [("head_broken", False)] * 3


def test_a_head_is_stamped_and_openssl_agrees(stamped: Desk, authority: OpensslTsa, capsys: Capture) -> None:
    stamped.day()
    stamped.job.run(stamped.clock() - DAY_NS + 1)
    with stamped.database.reading() as db:
        head = newest_head(db)
        (row,) = db.execute(select(witness_stamps)).all()
    assert head is not None
    assert authority.queries == 1
    assert authority.verify(head.body.encode(), base64.b64decode(row.token_base64)) == ""
    assert authority.verify(head.body.encode() + b" ", base64.b64decode(row.token_base64)) != ""
    assert abs(row.stamped_at_ns - time.time_ns()) < 120e9
    code, said = stamped.verify(capsys)
    assert (code, said[-1]["heads"], said[-1]["stamps"]) == (0, 1, 1)
    assert stamped.findings() == []


def test_a_ledger_that_was_written_anew_contradicts_its_stamp(stamped: Desk, capsys: Capture) -> None:
    stamped.day()
    assert stamped.verify(capsys)[0] == 0
    with stamped.database.transaction() as db:
        rewrite_ledger(db, stamped.key, "project:P-1", 1, words="never ordered")
    code, said = stamped.verify(capsys)
    assert code == 1
    assert said[0]["at"] == "stamp 1"
    assert "Mismatch between messages" in said[0]["en"]


def test_a_head_that_was_stamped_again_later_is_told(stamped: Desk, authority: OpensslTsa, capsys: Capture) -> None:
    stamped.clock.move(days=-10)
    authority.mood = "down"
    stamped.day()
    stamped.day()
    authority.mood = ""
    with stamped.database.transaction() as db:
        first = next(iter(heads(db)))
        assert stamped.job.stamper is not None
        stamp = stamped.job.stamper.stamp(first.body.encode())
        row = {"number": 1, "authority": authority.url, "stamped_at_ns": stamp.stamped_at_ns}
        db.execute(witness_stamps.insert().values(**row, token_base64=base64.b64encode(stamp.token).decode()))
    code, said = stamped.verify(capsys)
    assert code == 1
    assert [line["en"] for line in said[:-1]] == ["the time stamp on head 1 does not hold: it was made after its day"]


@pytest.mark.parametrize(
    ("mood", "why"),
    [
        ("down", "HTTP 503"),
        ("page", "HTTP 200 text/html"),
        ("garbage", "does not hold"),
        ("refuses", "does not hold"),
    ],
)
def test_a_head_without_a_stamp_is_a_finding_until_it_has_one(
    stamped: Desk, authority: OpensslTsa, mood: str, why: str
) -> None:
    authority.mood = mood
    stamped.day()
    stamped.job.run(stamped.clock())
    assert stamped.findings() == [("head_unstamped", False)]
    with stamped.database.reading() as db:
        assert why in db.execute(select(findings.c.words_en)).scalar_one()
    authority.mood = ""
    stamped.job.run(stamped.clock())
    assert stamped.findings() == [("head_unstamped", True)]


def test_a_stamp_of_an_authority_that_is_not_trusted_is_none(
    database: DeskDatabase, key: SignKey, tmp_path: Path, authority: OpensslTsa
) -> None:
    with OpensslTsa(tmp_path / "other") as other:
        desk = Desk(database, key, tmp_path, authority)
        settings = WitnessSettings(url=other.url, ca_file=authority.ca_file)
        desk.job = WitnessJob(database, desk.ledger, time_stamper(settings))
        desk.day()
    assert desk.findings() == [("head_unstamped", False)]
    with database.reading() as db:
        assert db.execute(select(witness_stamps)).all() == []


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    settings = WitnessSettings(url="http://127.0.0.1/tsr", ca_file=tmp_path / "ca.pem")
    with pytest.raises(ValueError, match=r"ca\.pem: expected certificates in PEM"):
        time_stamper(settings)
