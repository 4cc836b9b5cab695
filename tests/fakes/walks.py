"""The three walks of docs/architecture.md on real parts, each step traced on its own.

    python -m tests.fakes.walks      # keeps what is true now, in tests/cases/walks.yaml and in the document

In: nothing. Out: a step's files in the order in which they are first entered, each with its entries. The twins, the
receiver and the clock are the test's, and are not counted; everything else is the product's. Each step is taken once
before it counts, or many times, so that what is made at the first use is there.
"""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import yaml

from drivers.modbus.driver import KIND as MODBUS
from drivers.sim.crane import LoadChart
from gateway.evidence.evidence import RecordKind
from gateway.line.delivery import Delivery
from gateway.line.recorder import Entry, Told
from gateway.media.catching_up import Chain
from gateway.media.index import MediaIndex
from gateway.media.keeper import MediaKeeper
from gateway.media.shelf import MediaShelf
from gateway.media.stores import MediaStores
from gateway.model.survey import empty_survey
from gateway.ports import BoundLink
from kit.clock import SimulatedClock
from tests.fakes.block_clip import picture
from tests.fakes.block_model import write_block_model
from tests.fakes.desk_case import DeskCase, photo
from tests.fakes.eye_parts import HandSlot
from tests.fakes.loaded_site import TITLES, LoadedSite, crane_asset
from tests.fakes.media_box import small_picture
from tests.fakes.regulator import FakeRegulator
from tests.fakes.regulator_box import regulator_uplink
from tests.fakes.site import Site, until
from tests.fakes.staged_crane import StagedCrane
from tests.fakes.walk_trace import ROOT, WalkTrace
from vision.driver import KIND as CAMERA
from vision.driver import CameraDriver
from vision.eye.models import ModelShelf
from vision.eye.parts import MindParts, open_model, open_parts
from vision.eye.said import receive, said_bytes
from vision.eye.turn import Turn
from vision.eye.watched import Watched
from vision.eye_hub import EyeHub
from vision.picture.frame import Frame
from vision.site_eyes import SiteEyes

KEPT = ROOT / "tests" / "cases" / "walks.yaml"
DOCUMENT = ROOT / "docs" / "architecture.md"
Walk = Mapping[str, Mapping[str, int]]
"""By step: entries by file."""
NOT_OF_THE_BOX = ("kit/clock.py", "drivers/sim/", "regulator/", "screens/")
POLL_NS = 200_000_000
WARM_POLLS, RADIUS_M, OVERLOAD = 20, 20.0, 1.02


async def crane_walk(folder: Path) -> Walk:
    """A crane that its site file describes, polled over Modbus TCP: a poll at which nothing is to be said, and the one
    that raises an alarm, until the regulator's receipt is written down."""
    steps: dict[str, Mapping[str, int]] = {}
    with FakeRegulator(folder) as regulator, StagedCrane() as crane, WalkTrace(*NOT_OF_THE_BOX) as trace:
        async with (
            LoadedSite(folder / "site", [crane_asset()], _now()) as box,
            _at_work(box, folder, regulator) as work,
        ):
            link = box.settings.links[0]
            link = replace(link, settings=link.settings.model_copy(update={"port": crane.port}))
            driver = asyncio.create_task(MODBUS.build(link, box.clock).run(box.site.intake))

            async def poll() -> None:
                box.clock.move_to(box.clock.now_ns() + POLL_NS)
                await until(lambda: box.site.intake.received > work.polls)
                await work.take()

            await work.warm_up()
            for _ in range(WARM_POLLS):
                await poll()
            with trace.recording() as steps["a poll"]:
                await poll()
            crane.hang(OVERLOAD * LoadChart().rated_t(RADIUS_M))
            while not work.told:
                with trace.recording() as steps["a poll that raises an alarm"]:
                    await poll()
            await _end(driver)
    return steps


async def camera_walk(folder: Path) -> Walk:
    """A camera's frames, judged by a small model: one in which nothing is new, and the one that confirms a bare head,
    until its frame lies on the shelf, sealed."""
    steps: dict[str, Mapping[str, int]] = {}
    asset = {"id": "cam-1", "kind": "camera-post", "serial": "C-1", **TITLES}
    with FakeRegulator(folder) as regulator, WalkTrace(*NOT_OF_THE_BOX) as trace:
        site = LoadedSite(folder / "site", [asset], _now())
        async with site as box, _at_work(box, folder, regulator) as work:
            eye = _Eye(box, write_block_model(folder / "model"))
            async with _keeping(box.site, eye.eyes) as keeper:

                async def look() -> None:
                    await eye.look()
                    await work.take()
                    if work.told:
                        await until(lambda: keeper.kept > 0)
                        await work.end()

                await work.warm_up()
                for number in range(WARM_POLLS):
                    eye.brings(number)
                    with trace.recording() as steps["a frame"]:
                        await look()
                number = WARM_POLLS
                while not work.told:
                    number += 1
                    eye.brings(number, ("head", 6, 4))
                    with trace.recording() as steps["a frame that confirms a finding"]:
                        await look()
    return steps


def desk_walk(folder: Path) -> Walk:
    """A box's message at the desk, the case that a reviewer's word opens, the order and its answers, until it is
    closed."""
    steps: dict[str, Mapping[str, int]] = {}
    with WalkTrace("kit/clock.py") as trace, DeskCase(folder) as case:

        def step(name: str, act: Callable[[], None]) -> None:
            with trace.recording() as steps[name]:
                act()

        case.let_time_pass(seconds=1)
        case.record("raised")
        step("a message is taken in", lambda: case.transition("raised"))
        item, csrf = case.take_item(case.first)
        step("a reviewer says that it is so", lambda: case.say_true(case.first, item, csrf))
        step("the case opens", lambda: case.let_time_pass(11, "review-finalise"))
        csrf = case.open_page(case.first)
        step("it is ordered", lambda: case.act(case.first, "order", csrf, words="立即补设防护栏杆"))
        order_id = case.order_in_the_mailbox()
        case.reply(order_id, "accepted")
        step("the site has rectified", lambda: case.reply(order_id, "rectified", photo(1)))
        case.record("returned")
        step("the alarm has returned", lambda: case.transition("returned"))
        csrf = case.open_page(case.second)
        step("it is closed", lambda: case.act(case.second, "close", csrf, photo=photo(2), words="复查合格"))
        assert case.hazard.state == "closed"
    return steps


@dataclass
class _Work:
    """What runs behind the line: the recorder, and the delivery to the regulator."""

    box: LoadedSite
    delivery: Delivery
    polls: int = 0
    told: int = 0
    """Of alarms."""

    async def take(self) -> None:
        """The line takes what has come; until all that follows is written and told."""
        site, flushed = self.box.site, self.box.site.flushed
        self.polls = site.intake.received
        await self.box.takes(self.box.clock.now_ns())
        await until(lambda: site.flushed > flushed)
        await self.end()

    async def warm_up(self) -> None:
        """Something is sealed and sent, so that the box is enrolled and all files are open."""
        await self.box.site.recorder.record(Entry(RecordKind.HISTORY_GAP, self.box.clock.now_ns(), {"reason": "test"}))
        await until(lambda: self.delivery.accepted_kinds.total() > 0)

    async def end(self) -> None:
        """Until nothing is to be written or sent."""
        recorder = self.box.site.recorder
        await until(lambda: not recorder._waiting)
        await until(lambda: self.delivery.caught_up)

    def hears(self, told: Sequence[Told]) -> None:
        """What the recorder has committed."""
        self.told += sum(each.transition is not None for each in told)
        self.delivery.wake(urgent=True)


@asynccontextmanager
async def _at_work(box: LoadedSite, folder: Path, regulator: FakeRegulator) -> AsyncIterator[_Work]:
    site = box.site
    async with regulator_uplink(folder, regulator, box.clock, chain=site.recorder) as uplink:  # type: ignore[arg-type]
        delivery = Delivery(uplink, site.alerts, site.history, site.reader, box.clock)
        work = _Work(box, delivery)
        site.recorder.listeners.append(work.hears)
        tasks = [asyncio.create_task(part()) for part in (site.recorder.run, delivery.run)]
        try:
            yield work
        finally:
            await _end(*tasks)


@asynccontextmanager
async def _keeping(site: Site, eyes: SiteEyes) -> AsyncIterator[MediaKeeper]:
    index = MediaIndex(site.folder)
    shelf = MediaShelf(site.folder, 10**9, lambda: True)
    stores = MediaStores(index, shelf, Chain(site.alerts.path), site.recorder, site.clock)
    keeper = MediaKeeper(stores, lambda: eyes, lambda: site.table, small_picture)
    site.recorder.listeners.insert(0, keeper.told)
    running = asyncio.create_task(keeper.run())
    try:
        yield keeper
    finally:
        await _end(running)
        index.close()


class _Eye:
    """The eye's turn in this process, and the driver that hears it over the real encoding. Frames are drawn."""

    def __init__(self, box: LoadedSite, model: Path) -> None:
        (link,) = [link for link in box.settings.links if link.devices and link.settings.driver == "camera"]
        (device,) = link.devices
        device = replace(device, settings=device.settings.model_copy(update={"model": model, "vote_s": 2.0}))
        built = CAMERA.build(BoundLink(link.settings, (device,)), box.clock)
        assert isinstance(built, CameraDriver)
        self._clock: SimulatedClock = box.clock
        self._slot = HandSlot()
        self._models = ModelShelf(open_model)
        self._turn = Turn(self._models, lambda *_: self._slot, self._parts)
        self._reader = asyncio.StreamReader()
        self.eyes = SiteEyes(EyeHub(box.clock), dict)
        self.eyes.use([built])
        camera = built.seen[device.settings.id]
        self._listener = built._listener(camera, box.site.intake)
        self._turn.obey(Watched(camera.camera, "", device.settings, empty_survey(camera.camera)))

    def brings(self, number: int, *blocks: tuple[str, int, int]) -> None:
        """The next picture is in the slot, a fifth of a second later."""
        self._clock.move_to(self._clock.now_ns() + POLL_NS)
        now_ns = self._clock.now_ns()
        self._slot.newest_frame = Frame(
            "cam-1-eye", number + 1, now_ns, now_ns, False, 1, picture(list(blocks), number)
        )

    async def look(self) -> None:
        """One turn; what it says goes the way that it goes between the two processes."""
        for observation in self._turn.step(self._clock.now_ns(), self._clock.monotonic_ns()):
            self._reader.feed_data(said_bytes(observation))
            self._listener.hear(await receive(self._reader))

    def _parts(self, watched: Watched) -> MindParts:
        return open_parts(watched, self._models, self._clock.now_ns(), self._clock.monotonic_ns())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


async def _end(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def walks() -> dict[str, Walk]:
    """All three, each in a folder of its own."""
    found: dict[str, Walk] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, walk in (("crane", crane_walk), ("camera", camera_walk), ("desk", desk_walk)):
            place = Path(folder, name)
            place.mkdir()
            done = walk(place)
            found[name] = done if isinstance(done, dict) else asyncio.run(done)
    return found


def keep(found: Mapping[str, Walk]) -> None:
    """Write what is true now, and its figures into the document's tables."""
    KEPT.write_text(yaml.safe_dump(found, sort_keys=False), encoding="utf-8")
    text = DOCUMENT.read_text(encoding="utf-8")
    for step, files in (each for walk in found.values() for each in walk.items()):
        row = re.compile(rf"^\| {re.escape(step)} \|.*$", re.MULTILINE)
        text = row.sub(f"| {step} | {len(files)} | {sum(files.values())} |", text)
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    keep({name: {step: dict(files) for step, files in walk.items()} for name, walk in walks().items()})
