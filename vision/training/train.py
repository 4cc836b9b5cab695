"""One training: `python -m vision.training.train --data DIR --out DIR --start yolox_nano.onnx`.

In: the labelled pictures and a network to start from. Out: `DIR/checkpoint.pt` every few minutes (go on with
`--resume`), `DIR/weights.pt` at the end (the averaged weights), `DIR/log.jsonl`. One thread, no GPU needed; one is used
where there is.
"""

import argparse
import copy
import json
import math
import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import torch
from torch import Tensor, nn

from vision.training.batches import Batch, Plan, batches, make_batch, weigh
from vision.training.losses import Loss, measure_loss
from vision.training.network import SiteHeads, decode
from vision.training.pictures import Picture, correct, in_sets, load, read_sources
from vision.training.weights import calibrate, fill_from_export, fill_from_yolox, is_exported

SAVE_EVERY_STEPS = 100
LOG_EVERY_STEPS = 20


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the weights move."""

    rate: float = 1e-3
    last_rate_share: float = 0.02
    warm_up_steps: int = 100
    decay: float = 0.02
    average_decay: float = 0.998
    largest_gradient: float = 10.0


@dataclass(slots=True)
class Course:
    """A training under way: what a checkpoint holds."""

    network: SiteHeads
    average: SiteHeads
    optimiser: torch.optim.Optimizer
    step: int = 0


def begin(network: SiteHeads, recipe: Recipe) -> Course:
    """A training before its first step. The stem and the first stage stay as they are: edges and colours are known."""
    for part in (network.backbone.stem, network.backbone.dark2):
        for parameter in part.parameters():
            parameter.requires_grad_(False)
    decayed: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    for parameter in network.parameters():
        if parameter.requires_grad:
            (decayed if parameter.ndim > 1 else free).append(parameter)
    groups = [{"params": decayed, "weight_decay": recipe.decay}, {"params": free, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=recipe.rate)
    return Course(network, copy.deepcopy(network), optimiser)


def set_training(network: SiteHeads) -> None:
    """Training mode, but for the parts that stay as they are."""
    network.train()
    network.backbone.stem.eval()
    network.backbone.dark2.eval()


def advance(course: Course, batch: Batch, plan: Plan, recipe: Recipe) -> Loss:
    """One step: forward, backward, weights, average."""
    rate = rate_at(course.step, plan.steps, recipe)
    for group in course.optimiser.param_groups:
        group["lr"] = rate
    device = next(course.network.parameters()).device
    with torch.autocast(device.type, torch.bfloat16, enabled=computes_bfloat16(device)):
        levels = course.network(to_input(batch, device))
    loss = measure_loss(decode(levels), [torch.from_numpy(rows).to(device) for rows in batch.boxes])
    course.optimiser.zero_grad()
    torch.autograd.backward(loss.total)
    nn.utils.clip_grad_norm_(course.network.parameters(), recipe.largest_gradient)
    course.optimiser.step()
    course.step += 1
    _follow(course, recipe)
    return loss


def computes_bfloat16(device: torch.device) -> bool:
    """True where the device has instructions for it; a processor that has none takes ten times as long as float32."""
    if device.type != "cpu":
        return True
    found = torch.cpu.get_capabilities()
    return any(found.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def to_input(batch: Batch, device: torch.device) -> Tensor:
    """Pixels as the network takes them, (n, 3, height, width) in 0..255, channels last in memory."""
    return torch.from_numpy(batch.pixels).to(device).permute(0, 3, 1, 2).float()


def rate_at(step: int, steps: int, recipe: Recipe) -> float:
    """Learning rate: a short warm-up, then half a cosine down to a small share."""
    warm = min(1.0, (step + 1) / recipe.warm_up_steps)
    wave = 0.5 * (1 + math.cos(math.pi * step / steps))
    return recipe.rate * warm * (recipe.last_rate_share + (1 - recipe.last_rate_share) * wave)


def _follow(course: Course, recipe: Recipe) -> None:
    """The average follows the weights, fast at first."""
    keep = recipe.average_decay * (1 - math.exp(-course.step / 200))
    with torch.no_grad():
        for kept, new in zip(course.average.state_dict().values(), course.network.state_dict().values(), strict=True):
            if kept.dtype.is_floating_point:
                kept.lerp_(new, 1 - keep)
            else:
                kept.copy_(new)


def save(course: Course, path: Path) -> None:
    """Write a checkpoint; a training cut off while writing keeps the one before."""
    state = {
        "network": course.network.state_dict(),
        "average": course.average.state_dict(),
        "optimiser": course.optimiser.state_dict(),
        "step": course.step,
    }
    fresh = path.with_suffix(".new")
    torch.save(state, fresh)
    fresh.replace(path)


def restore(course: Course, path: Path) -> None:
    """Go on from a checkpoint."""
    state: dict[str, Any] = torch.load(path, weights_only=True)
    course.network.load_state_dict(state["network"])
    course.average.load_state_dict(state["average"])
    course.optimiser.load_state_dict(state["optimiser"])
    course.step = state["step"]


def run(course: Course, pictures: list[Picture], plan: Plan, recipe: Recipe, folder: Path) -> None:
    """Train to the plan's end, with a log and checkpoints in `folder`."""
    set_training(course.network)
    log = (folder / "log.jsonl").open("a", encoding="utf-8")
    begun, steps_before = time.monotonic(), course.step
    for batch in batches(pictures, plan, course.step):
        loss = advance(course, batch, plan, recipe)
        if course.step % LOG_EVERY_STEPS == 0:
            seconds = (time.monotonic() - begun) / (course.step - steps_before)
            entry = {
                "step": course.step,
                "loss": round(float(loss.total.detach()), 4),
                "scores": round(loss.scores, 4),
                "boxes": round(loss.boxes, 4),
                "seconds_per_step": round(seconds, 3),
                "minutes_left": round(seconds * (plan.steps - course.step) / 60, 1),
            }
            log.write(json.dumps(entry) + "\n")
            log.flush()
        if course.step % SAVE_EVERY_STEPS == 0:
            save(course, folder / "checkpoint.pt")
    save(course, folder / "checkpoint.pt")
    torch.save(course.average.state_dict(), folder / "weights.pt")


def choose(folders: list[Path], hold: tuple[str, ...]) -> list[Picture]:
    """The pictures to train on, labels corrected: core ones, not held out, not kept back for thresholds."""
    sources = [
        source
        for source in read_sources(*folders)
        if source.core and not source.kept_back and not in_sets(source.set_name, hold)
    ]
    return [correct(load(source)) for source in sources]


def start(path: Path, pictures: list[Picture], plan: Plan) -> SiteHeads:
    """The network to begin with: an exported YOLOX-Nano, a detector of ours, or another training's `weights.pt`."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = SiteHeads()
    if path.suffix == ".pt":
        network.load_state_dict(torch.load(path, weights_only=True))
    elif is_exported(path):
        fill_from_export(network, path)
    else:
        fill_from_yolox(network, path)
    movable: Any = network  # torch's own types know no memory format for modules
    movable.to(device, memory_format=torch.channels_last)
    if path.suffix != ".pt":
        calibrate(network, to_input(make_batch(pictures, weigh(pictures), replace(plan, batch=24), 0), device))
    return network


def main() -> int:
    """Train; see the module's words."""
    arguments = _parse()
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(0)  # before the second process is forked: a pool of threads would not survive it
    torch.manual_seed(arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    pictures = choose(arguments.data, arguments.hold)
    steps = arguments.epochs * math.ceil(len(pictures) / arguments.batch)
    plan = Plan(steps, arguments.batch, arguments.seed)
    recipe = Recipe(rate=arguments.rate)
    course = begin(start(arguments.start, pictures, plan), recipe)
    checkpoint = arguments.out / "checkpoint.pt"
    if arguments.resume and checkpoint.exists():
        restore(course, checkpoint)
    print(f"{len(pictures)} pictures, {steps} steps of {arguments.batch}, from step {course.step}", file=sys.stderr)
    run(course, pictures, plan, recipe, arguments.out)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m vision.training.train", description=__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        nargs="+",
        help="folders with images/, labels/ and (photographs) sources.csv",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints, log and weights")
    parser.add_argument(
        "--start",
        type=Path,
        required=True,
        help="exported YOLOX-Nano, an exported detector of ours (both ONNX), or weights.pt of another training",
    )
    parser.add_argument(
        "--hold", type=lambda text: tuple(filter(None, text.split(","))), default=(), help="sets left out"
    )
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=int(os.environ.get("SITEWARDEN_TRAINING_THREADS", "1")))
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out, if there is one")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
