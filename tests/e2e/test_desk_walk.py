"""From a box's alarm to a closed hazard and a verified package, over real sockets, as docs/desk.md walks it."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from regulator.base.records.engine import DeskDatabase
from sitewarden.__main__ import main
from tests.fakes.desk_case import DeskCase, photo, success
from tests.fakes.desk_database import desk_url, migrated, migrated_file, postgresql  # noqa: F401 - fixtures


@pytest.fixture
def case(desk_url: str, tmp_path: Path) -> Iterator[DeskCase]:  # noqa: F811 - the fixture's name
    database = DeskDatabase(desk_url)
    with DeskCase(tmp_path, database) as running:
        yield running
    database.close()


def test_an_alarm_becomes_a_closed_hazard_and_a_package_that_holds(
    case: DeskCase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = case.first, case.second
    case.record("raised")
    case.transition("raised")
    case.say_true(first, *case.take_item(first))
    case.let_time_pass(seconds=11)

    case.act(first, "order", case.open_page(first), words="立即补设防护栏杆")
    order_id = case.order_in_the_mailbox()
    case.reply(order_id, "accepted")
    case.reply(order_id, "rectified", photo(1))
    assert case.hazard.state == "awaiting_recheck"

    refused = case.try_to(second, "close", case.open_page(second), photo=photo(2), words="复查合格")
    assert (refused.status_code, "报警" in refused.text) == (409, True), refused.text
    case.record("returned")
    case.transition("returned")
    case.act(second, "close", case.open_page(second), photo=photo(2), words="复查合格")
    assert case.hazard.state == "closed"

    package = tmp_path / "package.zip"
    package.write_bytes(success(first.get(f"/hazards/{case.hazard.hazard_id}/package")).content)
    (key_id,) = set(re.findall(r"ed25519:[0-9a-f]{32}", success(first.get("/verify")).text))
    assert main(["verify", str(package), "--key", key_id]) == 0, capsys.readouterr().out
    changed = tmp_path / "changed.zip"
    flipped = _with_one_byte_flipped(package, changed)
    assert main(["verify", str(changed)]) == 1
    assert flipped in capsys.readouterr().out


def _with_one_byte_flipped(package: Path, target: Path) -> str:
    """Change the last byte of one file inside; its name."""
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(target, "w") as changed:
        names = source.namelist()
        chosen = next(name for name in names if name.endswith(".jpg") or "/media/" in name or name.startswith("media/"))
        for name in names:
            content = source.read(name)
            if name == chosen:
                content = content[:-1] + bytes([content[-1] ^ 1])
            changed.writestr(name, content)
    return chosen
