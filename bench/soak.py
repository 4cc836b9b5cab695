"""The long fault campaign: a box under every fault we know, and what was lost, told twice or not told.

    python -m bench.soak                  # 200 kills, every fault three times, two hours at ten times the usual rate
    python -m bench.soak --quick          # 12 kills, every fault once, two minutes
    python -m bench.soak --kills 60 --rounds 1 --minutes 20 --seed 7
    python -m bench.soak --kills 0 --rounds 5 --minutes 0 --only power_cut,disk_error

The steady load has a world and a process of its own, beside the faults: the whole of it fits into some two hours.
One line for each fault on standard error, one JSON object on standard output. Exit status 1: `lost`, `duplicated`,
`untold`, `gaps_not_admitted` or `chain_broken` is not 0, or a fault was not survived. Needs root, loop devices, FUSE.

    lost               transitions in the box's chain that the desk does not hold
    duplicated         overloads of which the desk was told twice, and keys that it holds twice
    untold             overloads that the box had time to see and of which the desk was not told
    gaps_not_admitted  pauses of more than a second in a crane's history that no record of the chain admits
"""

import argparse
import itertools
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.soak_faults import FAULTS, bad_inputs, kill
from bench.soak_world import World, now_ns, pause, soak_world
from contract.chain import ChainHead
from drivers.sim.overload_log import Overload
from gateway.settings import load
from gateway.store.alert_store import open_for_reading
from gateway.store.history_reader import MAX_SAMPLES, HistoryReader
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.demo_box import admitted_gaps, alerts_per_overload, untold

PAUSE_NS, EDGE_NS, WINDOW_NS = 1_000_000_000, 300_000_000, 300_000_000_000
SAMPLE_S = 10.0
WARM_UP = 0.2
"""Share of the steady run that the slope of the memory leaves out."""
BAD_INPUTS_A_FAULT = 100
TOLD = ("P1", "P2")
"""What the demo's uplink carries to the desk."""


@dataclass
class Summary:
    """What a campaign found. `failed`: faults after which the box was not well again, by name with the reason;
    `holes`: the gaps that were not admitted, from and to, UTC ns, and the fault before; `missed`: the same of overloads
    that were not told, but for those in spans of a moved clock."""

    seed: int
    lost: int = 0
    duplicated: int = 0
    untold: int = 0
    gaps_not_admitted: int = 0
    chain_broken: int = 0
    rss_slope_mb_per_h: float | None = None
    rss_mb: float = 0.0
    steady_minutes: float = 0.0
    holes: list[tuple[int, int, str]] = field(default_factory=list)
    missed: list[tuple[int, int, str]] = field(default_factory=list)
    faults_survived: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    bad_inputs_tried: int = 0
    ended_by_itself: int = 0
    overloads: int = 0
    transitions_held: int = 0
    took_minutes: float = 0.0
    began: list[tuple[int, str]] = field(default_factory=list, repr=False)

    def done_before(self, at_ns: int) -> str:
        """The last fault that began before a moment."""
        return max((began for began in self.began if began[0] < at_ns), default=(0, "none"))[1]

    def joined(self, steady: "Summary") -> "Summary":
        """With what another world found that had nothing but the load: its memory, and all that is counted."""
        counted = {
            each.name: getattr(self, each.name) + getattr(steady, each.name)
            for each in fields(self)
            if each.type is int and each.name not in ("seed", "faults_survived")
        }
        memory = {name: getattr(steady, name) for name in ("rss_slope_mb_per_h", "rss_mb", "steady_minutes")}
        return replace(
            self,
            **counted,
            **memory,
            holes=self.holes + steady.holes,
            missed=self.missed + steady.missed,
            failed=self.failed | steady.failed,
            took_minutes=max(self.took_minutes, steady.took_minutes),
        )

    @property
    def whole(self) -> bool:
        """Whether every promise was kept."""
        wrong = self.lost, self.duplicated, self.untold, self.gaps_not_admitted, self.chain_broken
        return not any(wrong) and not self.failed


@dataclass(frozen=True)
class Plan:
    """How often, how long, which faults."""

    kills: int = 200
    rounds: int = 3
    minutes: float = 120.0
    seed: int = 1
    faults: tuple[str, ...] = tuple(FAULTS)


def both(folder: Path, asked: Plan) -> Summary:
    """The steady load in a process of its own, the faults here."""
    words = ("--kills", "0", "--rounds", "0", "--minutes", str(asked.minutes), "--seed", str(asked.seed + 1))
    command = (sys.executable, "-m", "bench.soak", *words)
    with ExitStack() as stack:
        steady = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        stack.callback(steady.send_signal, signal.SIGINT)
        summary = campaign(folder, replace(asked, minutes=0.0))
        said, _ = steady.communicate()
    try:
        return summary.joined(Summary(**json.loads(said)))
    except (ValueError, TypeError):
        return summary.joined(Summary(0, failed={"steady": f"ended with {steady.returncode} and said no figures"}))


def campaign(folder: Path, asked: Plan) -> Summary:
    """All of it, in an order that the seed gives."""
    seed, minutes = asked.seed, asked.minutes
    chance, summary, began = random.Random(seed), Summary(seed), time.monotonic()
    plan = [("kill", kill)] * asked.kills + [(name, FAULTS[name]) for name in asked.faults] * asked.rounds
    chance.shuffle(plan)
    with soak_world(folder, seed) as world:
        world.start()
        world.settled()
        watched_from_ns = now_ns()
        _steady(world, minutes, summary)
        for number, (name, fault) in enumerate(plan, 1):
            _one(world, chance, summary, f"{number}/{len(plan)}", (name, fault))
        world.next_overload()
        world.settled()
        world.box.gateway.stop()
        _judge(world, watched_from_ns, summary)
    summary.took_minutes = round((time.monotonic() - began) / 60, 1)
    return summary


def _one(world: World, chance: random.Random, summary: Summary, place: str, named: tuple[str, Any]) -> None:
    """A fault, some garbage, and the box well again."""
    name, fault = named
    print(f"{place} {name}", file=sys.stderr, flush=True)
    summary.began.append((now_ns(), name))
    try:
        fault(world, chance)
        world.revive()
        world.settled()
        summary.bad_inputs_tried += bad_inputs(world, chance, BAD_INPUTS_A_FAULT)
    except (OSError, RuntimeError, AssertionError, TimeoutError) as error:
        summary.failed[f"{place} {name}"] = str(error)[:300]
        world.box.gateway.kill()
        world.start()
        return
    summary.faults[name] = summary.faults.get(name, 0) + 1
    summary.faults_survived += 1


def _steady(world: World, minutes: float, summary: Summary) -> None:
    """Nothing but the load: how the memory grows."""
    samples = list[tuple[float, float]]()
    began = time.monotonic()
    while (at_s := time.monotonic() - began) < minutes * 60:
        samples.append((at_s / 3600, world.box.gateway.rss_mb()))
        pause(SAMPLE_S)
    late = [each for each in samples if each[0] * 60 >= minutes * WARM_UP]
    if len(late) >= 10:
        hours, megabytes = zip(*late, strict=True)
        summary.rss_slope_mb_per_h = round(float(np.polyfit(hours, megabytes, 1)[0]), 2)
    summary.rss_mb, summary.steady_minutes = round(world.box.gateway.rss_mb(), 1), minutes


def _judge(world: World, watched_from_ns: int, summary: Summary) -> None:
    overloads, held = world.ended(), world.held()
    seen = [overload for overload in overloads if not _in_any(world.shifted, overload)]
    told = [alert for alert in held if not _moved(world, alert["accepted_at_ns"])]
    counts = alerts_per_overload(seen, told)
    summary.overloads, summary.transitions_held = len(overloads), len(held)
    missed = untold(world.box, seen, told, watched_from_ns)
    summary.missed = [
        (each.started_at_ns, each.ended_at_ns, summary.done_before(each.started_at_ns)) for each in missed
    ]
    summary.untold = len(missed) + _untold_while_moved(world, overloads, held)
    summary.duplicated = sum(count - 1 for count in counts if count > 1)
    summary.duplicated += len(held) - len({alert["key"] for alert in held})
    summary.lost = _lost(world)
    outcome, at_desk = open_for_reading(world.box.storage).verify(), world.chain_at_desk()
    summary.chain_broken = int(not isinstance(outcome, ChainHead)) + int(at_desk != "ok")
    if summary.chain_broken:
        summary.failed["the chain"] = f"on the box {outcome}, at the desk {at_desk}"
    summary.holes = [(*hole, summary.done_before(hole[0])) for hole in _not_admitted(world, watched_from_ns)]
    summary.gaps_not_admitted = len(summary.holes)
    summary.ended_by_itself = world.restarts


def _lost(world: World) -> int:
    """Transitions of the chain that the desk holds neither by their record nor as told before it."""
    told = world.told()
    records = {(each["evidence_seq"], each["evidence_sha256"]) for each in told}
    keys = {each["event_id"] for each in told}
    lost = 0
    for record in open_for_reading(world.box.storage).all_evidence():
        said = json.loads(record.body)
        if said["kind"] == "alarm_transition" and said["content"]["alarm"]["severity"] in TOLD:
            before = said["content"].get("told_unsealed") or {}
            lost += (record.seq, record.sha256) not in records and before.get("event_id") not in keys
    return lost


def _untold_while_moved(world: World, overloads: list[Overload], held: list[dict[str, Any]]) -> int:
    """While the box's clock was moved, the desk's own clock says when it was told."""
    count = 0
    for start, end in world.shifted:
        here = [overload for overload in overloads if start < overload.started_at_ns and overload.ended_at_ns < end]
        raised = [alert for alert in held if alert["transition"] == "raised" and start < alert["accepted_at_ns"] < end]
        count += max(0, len(here) - len([alert for alert in raised if alert["rule_id"] == "crane.moment.alarm"]))
    return count


def _not_admitted(world: World, since_ns: int) -> list[tuple[int, int]]:
    """Pauses of a crane's history without a record. The clock's own jumps are no pauses."""
    settings = load(world.folder / "demo-site.yaml", DRIVERS, UPLINKS, KINDS)
    reader = HistoryReader(world.box.storage / "history.db", settings.points)
    try:
        times = sample_times(reader, "crane-1.moment_pct", since_ns)
    finally:
        reader.close()
    gaps = admitted_gaps(world.box)
    pauses = [(a, b) for a, b in itertools.pairwise(times) if b - a > PAUSE_NS]
    return [
        (start, end)
        for start, end in pauses
        if not any(first <= start + EDGE_NS and end >= last - EDGE_NS for first, last in gaps)
        and not any(start < last and first < end for first, last in world.shifted)
    ]


def sample_times(reader: HistoryReader, point: str, since_ns: int) -> list[int]:
    """When a point was read, UTC ns. Window by window: of a longer range a trace holds the peaks alone."""
    times, until_ns = set[int](), reader.last_sample_ns()
    for start in range(since_ns, until_ns + 1, WINDOW_NS):
        trace = reader.trace(point, start, start + WINDOW_NS - 1, MAX_SAMPLES)
        if trace.decimated:
            raise RuntimeError(f"more than {MAX_SAMPLES} samples in {WINDOW_NS / 1e9} s: pauses cannot be seen")
        times.update(trace.t_ns.tolist())
    return sorted(times)


def _in_any(spans: list[tuple[int, int]], overload: Overload) -> bool:
    return any(overload.started_at_ns < end and start < overload.ended_at_ns for start, end in spans)


def _moved(world: World, at_ns: int) -> bool:
    return any(start < at_ns < end for start, end in world.shifted)


def main() -> int:
    """Print the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--kills", type=int)
    parser.add_argument("--rounds", type=int, help="so many times each fault")
    parser.add_argument("--minutes", type=float, help="of the steady load, beside the faults")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--only", type=lambda text: tuple(text.split(",")), dest="faults", metavar="FAULT,...")
    args = vars(parser.parse_args())
    plan = Plan(kills=12, rounds=1, minutes=2.0) if args.pop("quick") else Plan()
    plan = replace(plan, **{name: value for name, value in args.items() if value is not None})
    apart = plan.minutes > 0 and (plan.kills or plan.rounds)
    with tempfile.TemporaryDirectory() as name:
        summary = (both if apart else campaign)(Path(name), plan)
    said = asdict(summary)
    del said["began"]
    print(json.dumps(said, ensure_ascii=False))
    return 0 if summary.whole else 1


if __name__ == "__main__":
    sys.exit(main())
