import asyncio
import contextlib
from pathlib import Path

import pytest

from gateway.parts.identity.file import KEY_FILE, IdentityError
from gateway.parts.identity.identity import Identities, create_identities
from gateway.parts.identity.watch import LOOK_EVERY_S, IdentityWatch
from kit.clock import SimulatedClock
from tests.unit.gateway.parts.identity.test_identity import NUMBERS, person


def watch(folder: Path) -> IdentityWatch:
    return IdentityWatch(folder, None, lambda _id, _purpose: None)


def test_a_box_without_a_file_knows_nobody_and_has_no_problem(tmp_path: Path) -> None:
    watching = watch(tmp_path)
    assert (watching.standing("crane-1", "7"), watching.driver_id("crane-1", "7"), watching.problem) == (None, "7", "")
    with pytest.raises(IdentityError, match="keeps no identities"):
        watching.reveal("x", "docking")


def test_a_file_that_is_made_and_changed_is_followed(tmp_path: Path) -> None:
    watching = watch(tmp_path)
    create_identities(tmp_path)
    identities = Identities(tmp_path)
    first = identities.add(person())
    watching.look()
    assert watching.driver_id("crane-1", "7") == first
    second = identities.add(person("司机乙", NUMBERS[1], "8"))
    watching.look()
    standing = watching.standing("crane-1", "8")
    assert standing is not None
    assert standing.person_id == second
    assert watching.reveal(first, "docking").id_number == NUMBERS[0]


def test_an_unreadable_file_stops_nobody_and_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    create_identities(tmp_path)
    Identities(tmp_path).add(person())
    (tmp_path / KEY_FILE).chmod(0o644)
    with caplog.at_level("INFO"):
        watching = watch(tmp_path)
        watching.look()
        assert watching.standing("crane-1", "7") is None
        assert "expected 0600" in watching.problem
        with pytest.raises(IdentityError, match="expected 0600"):
            watching.reveal("x", "docking")
        (tmp_path / KEY_FILE).chmod(0o600)
        watching.look()
    assert watching.standing("crane-1", "7") is not None
    assert watching.problem == ""
    said = [record.message.split()[0] for record in caplog.records]
    assert said == ["event=identities_unreadable", "event=identities_back"]


def test_what_was_known_stays_when_the_file_goes_bad(tmp_path: Path) -> None:
    create_identities(tmp_path)
    identities = Identities(tmp_path)
    first = identities.add(person())
    watching = watch(tmp_path)
    identities._file.path.write_bytes(b"ruined")
    watching.look()
    assert "not an identity file" in watching.problem
    assert watching.driver_id("crane-1", "7") == first


async def test_a_running_gateway_looks_every_minute(tmp_path: Path) -> None:
    watching, clock = watch(tmp_path), SimulatedClock()
    running = asyncio.create_task(watching.run(clock))
    create_identities(tmp_path)
    first = Identities(tmp_path).add(person())
    await clock.advance(LOOK_EVERY_S - 1)
    assert watching.driver_id("crane-1", "7") == "7"
    await clock.advance(1)
    assert watching.driver_id("crane-1", "7") == first
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
