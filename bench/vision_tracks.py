"""What tracking and the helmet rule cost a frame: CPU time of this process, in milliseconds.

    python -m bench.vision_tracks [--frames 500]

People stand in a row and tremble as boxes do; every second one is bare. The whole camera path may take 1.3 times what
decoding and inference take (about 16 ms in all at 1080p), so these two have little of it.
"""

import argparse
import random
import time

from tests.fakes.walkers import HEAD, HELMET, Seen, frame, standing
from vision.helmets.helmets import HelmetWatch
from vision.tracking.tracker import Tracker

CROWDS = (0, 1, 6, 20)


def measure(people: int, frames: int) -> dict[str, float]:
    """Medians over the frames, in ms of CPU."""
    chance = random.Random(people)
    shown = [frame(_crowd(people, chance), n, n / 5) for n in range(frames)]
    tracker, watch = Tracker(), HelmetWatch()
    tracked, judged = [], []
    for each in shown:
        began = time.process_time_ns()
        seen = tracker.step(each)
        between = time.process_time_ns()
        watch.step(seen, True, each.captured_at_ns)
        tracked.append(between - began)
        judged.append(time.process_time_ns() - between)
    middle = frames // 2
    return {"tracker_ms": sorted(tracked)[middle] / 1e6, "helmets_ms": sorted(judged)[middle] / 1e6}


def _crowd(people: int, chance: random.Random) -> list[Seen]:
    boxes = [
        box
        for n in range(people)
        for box in standing(100 + 1100 / max(people, 1) * n, 200, HEAD if n % 2 else HELMET, head_px=30)
    ]
    return [
        Seen(box.seen, box.x + chance.gauss(0, 2), box.y + chance.gauss(0, 2), box.w, box.h, box.score) for box in boxes
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=500)
    frames = parser.parse_args().frames
    print("people   tracker ms   helmet rule ms   (median CPU time a frame)")
    for people in CROWDS:
        figures = measure(people, frames)
        print(f"{people:6}   {figures['tracker_ms']:10.2f}   {figures['helmets_ms']:14.2f}")


if __name__ == "__main__":
    main()
