"""The arguments of `sitewarden demo`. Light: no part of the demo is imported here."""

import argparse
from pathlib import Path

from sitewarden.demo.run import MAX_GIB, DemoOptions

DAYS = 90


def add_demo_arguments(demo: argparse.ArgumentParser) -> None:
    """What may be asked of a run."""
    demo.add_argument("--headless", action="store_true", help="print no progress")
    demo.add_argument("--seconds", type=float, default=0.0, help="end by itself after so long (0: until Ctrl-C)")
    demo.add_argument("--json", action="store_true", help="end with one line of figures as JSON")
    demo.add_argument("--folder", type=Path, default=Path("data/demo"), help="where each run makes its folder")
    demo.add_argument("--max-gib", type=float, default=MAX_GIB, help="end when the run's folder holds more (default 4)")
    demo.add_argument("--seed", type=int, default=1, help="of the simulated field")
    demo.add_argument("--sites", type=int, default=500, help="projects at the desk: the live one and simulated ones")
    demo.add_argument("--days", type=int, help="days of a made-up past at the desk; 90, with --headless 0")
    demo.add_argument("--tour", action="store_true", help="walk from an alarm to a closed hazard in a headless browser")
    demo.add_argument("--pictures", type=Path, help="where --tour puts its pictures (default: in the run's folder)")


def demo_options(args: argparse.Namespace) -> DemoOptions:
    """As they were given; figures are counted without a past, which they do not need."""
    days = (0 if args.headless else DAYS) if args.days is None else args.days
    return DemoOptions(
        seconds=args.seconds,
        headless=args.headless,
        as_json=args.json,
        folder=args.folder,
        seed=args.seed,
        sites=args.sites,
        days=days,
        tour=args.tour,
        pictures=args.pictures,
        max_gib=args.max_gib,
    )
