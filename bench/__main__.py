"""`make bench`: every measurement in turn, with the aim beside each figure. Nothing passes or fails here."""

import argparse
import asyncio
import os
import platform
from typing import Any

from bench import (
    crane_group,
    crane_step,
    creep,
    curve,
    drain,
    growth,
    latency,
    noisy_bus,
    pit_points,
    rule_step,
    screens,
    slow_series,
    throughput,
    vision,
)
from bench.peers.__main__ import measure as measure_peers
from bench.peers.__main__ import ratios


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="of the throughput run; 600 shows memory over time")
    options = parser.parse_args()
    print(f"machine: {os.cpu_count()} cores, Python {platform.python_version()}, {platform.platform()}")
    _throughput("flat out", throughput.measure(options.seconds, 0))
    _throughput("every 100 ms", throughput.measure(options.seconds, 100))
    _latency(latency.measure(200, 100))
    _growth(growth.measure(10))
    _crane_step(crane_step.measure(20_000))
    _rule_step(rule_step.measure(20_000))
    print("\n" + crane_group.report(600))
    print("\n" + pit_points.report(pit_points.measure()))
    print("\n" + slow_series.report([slow_series.measure(shape) for shape in slow_series.SHAPES]))
    for plan in creep.PLANS:
        print("\n" + creep.report(creep.measure(plan), plan.beside))
    print("\n" + noisy_bus.report(asyncio.run(noisy_bus.measure(60)), 60))
    os.sched_setaffinity(0, range(os.cpu_count() or 1))  # the throughput run keeps to one core
    for shape in curve.SHAPES:
        print("\n" + curve.report(shape, asyncio.run(curve.measure(shape, 20, 1.0)), 1.0))
    print("\n" + vision.report(vision.measure()))
    _screens(screens.measure())
    _peers(measure_peers(30, 100))
    for shape in drain.SHAPES:
        _drain(asyncio.run(drain.measure(shape, 1_000_000)))


def _throughput(title: str, run: dict[str, object]) -> None:
    print(f"\n20 devices x 50 float32, {title}: Modbus TCP -> 1,000 rules -> durable history -> MQTT QoS 1, one core")
    print(f"  readings/s              {run['readings_per_s']:>10}   aim flat out >= 100000")
    print(f"  CPU s per million       {run['cpu_s_per_million']:>10}   aim <= 6")
    print(f"  resident memory MB      {run['rss_mb']:>10}   aim < 200 after 10 minutes; this run {run['seconds']} s")
    print(f"  values in history       {run['in_history']:>10}   {run['received_at_least']} counted before the stop")
    print(f"  values arrived by MQTT  {run['arrived_by_mqtt']:>10}   the rest waits in the history for the next start")
    print(f"  polls skipped           {run['polls_skipped']:>10}")


def _growth(runs: list[dict[str, object]]) -> None:
    print("\ngrowth, polled every 100 ms: devices x points, rules a point -> readings/s, CPU s per million, MB")
    for run in runs:
        size = f"{run['devices']:>3} x {run['points']:>3}, {run['rules_a_point']} rules"
        print(f"  {size}   {run['readings_per_s']:>8}   {run['cpu_s_per_million']:>6}   {run['rss_mb']:>5}")


def _crane_step(run: dict[str, float]) -> None:
    print(f"\none crane's model, a poll with every instrument -> {run['derived']} derived points, rules left out")
    print(f"  us p50 {run['p50_us']}, p99 {run['p99_us']}   aim p50 < 70")


def _rule_step(run: dict[str, object]) -> None:
    print(f"\none crane, all that is judged of a poll -> {run['rules']} rules, {run['points']} points, CPU time")
    print(f"  us p50 {run['p50_us']}, p99 {run['p99_us']}   aim p50 <= 150")


def _screens(found: dict[str, dict[str, Any]]) -> None:
    print("\nthe screens in headless Chromium on this machine, beside the gateway")
    for name, aim in (("latency", 200), ("latency_slow", 500)):
        run = found[name]
        said = f"{run['painted']} of {run['alarms']} alarms, ms p50 {run.get('p50_ms')}, p95 {run.get('p95_ms')}"
        print(f"  committed -> painted, CPU {run['cpu_slower']}x slower: {said}   aim p95 < {aim}, none lost")
    tabs, flood, memory = found["tabs"], found["flood"], found["memory"]
    print(f"  {tabs['tabs_that_heard_each_once']} of {tabs['tabs']} tabs heard each of {tabs['events']} events once")
    print(f"  shell {found['shell']['gzip_bytes']} bytes gzipped in {found['shell']['files']} files   aim <= 80 KB")
    print(f"  flood of {flood['alarms']} alarms in 10 s: input ms {flood['input']}   aim < 100")
    whole, own = memory["renderer_rss_mb"], memory["renderer_private_mb"]
    held = f"{whole} MB ({own} of its own), script heap {memory['heap_mb']} MB"
    print(f"  page after {memory['events']} alarm events at {memory['events_per_s']}/s: {held}   aim < 150 MB")


def _peers(found: dict[str, dict[str, object]]) -> None:
    print(
        "\nthe same field every 100 ms, MQTT out; the peers without rules and history -> readings/s, CPU s per million"
    )
    ratio = ratios(found)
    for name, run in found.items():
        if "left_out" in run:
            print(f"  {name:<22} left out: {run['left_out']}")
            continue
        against = f"   Sitewarden / it = {ratio[name]}" if name in ratio else ""
        print(f"  {name:<22} {run['readings_per_s']:>8} {run['cpu_s_per_million']:>8}{against}")
    print("  aim: <= 0.5 of Node-RED and <= 0.2 of thingsboard-gateway")


def _latency(run: dict[str, object]) -> None:
    print(f"\nregister change -> alert accepted by a regulator, poll {run['poll_ms']} ms, {run['changes']} changes")
    print(f"  ms {run['change_to_accepted_ms']}   aim p99 <= {run['poll_ms']} + 50")
    print(f"  one fsync of this disk, ms {run['fsync_ms']}")


def _drain(run: dict[str, object]) -> None:
    print(f"\nbacklog to InfluxDB 1.6, {run['shape']}: {run['readings']} readings, {run['lines']} lines")
    print(f"  readings/s {run['readings_per_s']}, lines/s {run['lines_per_s']}   aim >= 50000")
    print(f"  lines held by the server {run['lines_held_by_server']}, gateway CPU s {run['gateway_cpu_s']}")


if __name__ == "__main__":
    main()
