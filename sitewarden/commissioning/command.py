"""`sitewarden commission SITE` and `sitewarden device test TABLE`: the work behind the arguments.

In: options and settings. Out: text, files in the data folder, and an exit status: 0 everything is proven, 1 something
is not. Both read the field only. Commissioning holds the data folder's lock, so that it never shares a bus with the
gateway; with `offline_buses` the operator says that the gateway does not read them now.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import yaml

from drivers.modbus.registers import BIT_FUNCTIONS
from drivers.modbus.settings import ModbusTable
from gateway.line.arming import read_arming
from gateway.line.recorder import Recorder, Route
from gateway.ports import Clock, UplinkContext
from gateway.settings import Settings, config_root
from gateway.store.alert_store import AlertStore, open_for_reading
from kit.clock import SystemClock
from kit.folder_lock import lock_folder
from sitewarden.commissioning.bench import DeviceOnBench, Sample, open_link
from sitewarden.commissioning.operator import Nobody, Operator, Terminal, read_answers
from sitewarden.commissioning.scan import number_range, scan
from sitewarden.commissioning.sealing import box_key, keep_sheet, printed_sheet, seal_now
from sitewarden.commissioning.sheet import sheet_html
from sitewarden.commissioning.walk import Pacing, Walk, point_finding, point_line

Say = Callable[[str], None]


class CommissionError(LookupError):
    """The command cannot be done as asked; says what was found and what was expected."""


@dataclass(frozen=True, slots=True)
class CommissionOptions:
    """`scan` is a link id ('' walks the site); `answers` a YAML file; `yes` skips every question without an answer;
    `dry_run` writes nothing."""

    scan: str = ""
    units: str = "1-32"
    addresses: str = "0-100"
    answers: Path | None = None
    yes: bool = False
    offline_buses: bool = False
    dry_run: bool = False
    print_sheet: bool = False
    pacing: Pacing = field(default_factory=Pacing)


def run_commission(settings: Settings, options: CommissionOptions, say: Say = print) -> int:
    """Scan, print, or walk the site. Raises LookupError, AlreadyRunning or OSError when that cannot be done."""
    folder = settings.storage.folder
    if options.print_sheet:
        sys.stdout.buffer.write(printed_sheet(folder, open_for_reading(folder)))
        sys.stdout.buffer.flush()
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    with _held(folder, options) as lock:
        if options.scan:
            return asyncio.run(_scan(settings, options, say))
        return asyncio.run(_walk(settings, options, say, sealing=lock is not None))


@contextlib.contextmanager
def _held(folder: Path, options: CommissionOptions) -> Iterator[IO[Any] | None]:
    if options.offline_buses:
        yield None
        return
    with lock_folder(folder) as lock:
        yield lock


async def _scan(settings: Settings, options: CommissionOptions, say: Say) -> int:
    links = {link.settings.id: link.settings for link in settings.links}
    if options.scan not in links:
        raise CommissionError(f"--scan: found {options.scan}, expected one of {', '.join(sorted(links))}")
    words = open_link(links[options.scan], SystemClock())
    if words is None:
        raise CommissionError(f"--scan: link {options.scan} is no Modbus link and has no units to scan")
    try:
        units = number_range(options.units, 0, 255)
        addresses = number_range(options.addresses, 0, 65_535)
    except ValueError as error:
        raise CommissionError(f"--units, --addresses: {error}") from None
    found = 0
    try:
        async for unit in scan(words, units, addresses):
            found += bool(unit.runs)
            for line in unit.lines():
                say(line)
    finally:
        words.close()
    say(f"{found} of {len(units)} units show words on {options.scan}")
    return 0 if found else 1


async def _walk(settings: Settings, options: CommissionOptions, say: Say, *, sealing: bool) -> int:
    clock, folder = SystemClock(), settings.storage.folder
    answers = read_answers(options.answers) if options.answers else {}
    operator = Operator(Nobody() if options.yes else Terminal(), answers)
    walk = Walk(settings, read_arming(folder, ()), operator, clock, options.pacing, say)
    found = await walk.run()
    if options.dry_run:
        say("dry run: nothing was written")
        return 0 if found.sound else 1
    page = sheet_html(found)
    kept = keep_sheet(folder, found, page, box_key(folder, [uplink.name for uplink in settings.uplinks]))
    say(f"sheet {kept.path} sha256 {kept.sha256} {f'signed by {kept.signed_by}' if kept.signed_by else 'not signed'}")
    if sealing:
        await _seal(settings, clock)
        say("sealed into the evidence chain")
    else:
        say("to be sealed into the evidence chain at the gateway's next start, which also arms or disarms")
    say("everything is proven" if found.sound else "NOT everything is proven; see the sheet")
    return 0 if found.sound else 1


async def _seal(settings: Settings, clock: Clock) -> None:
    """Into the chain, and into the outbox of every uplink that takes the chain."""
    storage = settings.storage
    store = AlertStore(storage.folder, storage.reserve_mib * 2**20)
    try:
        routes = await _routes(settings, clock, store)
        recorder = Recorder(store, settings.box.id, settings.site.project_code, routes, clock)
        await seal_now(storage.folder, store, recorder, clock)
    finally:
        store.close()


async def _routes(settings: Settings, clock: Clock, store: AlertStore) -> list[Route]:
    context = UplinkContext(settings.box.id, settings.site.project_code, settings.storage.folder, clock, store.head)
    routes = []
    for bound in settings.uplinks:
        uplink = bound.kind.build(bound.settings, context)
        routes.append(Route(uplink.name, False, uplink.takes_evidence, True))
        await uplink.close()
    return routes


def load_device_table(name: str) -> ModbusTable:
    """A register table by path, or a shipped one by name. Raises CommissionError."""
    path = Path(name)
    if not path.is_file():
        path = config_root() / "devices" / f"{name}.yaml"
    try:
        return ModbusTable.model_validate_json(
            json.dumps(yaml.safe_load(path.read_text(encoding="utf-8"))), strict=True
        )
    except OSError as error:
        raise CommissionError(
            f"{path}: {error.strerror}, expected a register table or the name of a shipped one"
        ) from None
    except (ValueError, yaml.YAMLError) as error:
        raise CommissionError(f"{path}: not a Modbus register table: {error}") from None


@dataclass(frozen=True, slots=True)
class DeviceTestOptions:
    """`link` are the settings of a Modbus link (`drivers.modbus.settings`)."""

    table: ModbusTable
    link: Any
    unit: int
    samples: int = 1
    pause_s: float = 1.0


def run_device_test(options: DeviceTestOptions, say: Say = print) -> int:
    """Read and show; 1 when a block was refused or silent, or a value is not GOOD."""
    return asyncio.run(_device_test(options, say))


async def _device_test(options: DeviceTestOptions, say: Say) -> int:
    clock = SystemClock()
    words = open_link(options.link, clock)
    if words is None:
        raise CommissionError("device test reads Modbus devices only")
    bench = DeviceOnBench(words, options.unit, options.table, clock)
    readable = True
    try:
        say(f"{options.table.model} at {words.address} unit {options.unit}, certainty {options.table.certainty}")
        for sample in await bench.read_often(options.samples, options.pause_s):
            readable = _show(options.table, sample, say) and readable
    finally:
        words.close()
    say("every point was read" if readable else "NOT every point could be read")
    return 0 if readable else 1


def _show(table: ModbusTable, sample: Sample, say: Say) -> bool:
    for request, error in zip(sample.requests, sample.errors, strict=True):
        what = "bits" if request.function in BIT_FUNCTIONS else "words"
        say(f"function {request.function} address {request.address} {what} {request.count}: {error or 'answered'}")
    findings = [point_finding(table, point, sample, i, None) for i, point in enumerate(table.points)]
    for found in findings:
        say(point_line(found))
    return all(found.quality == "GOOD" for found in findings)
