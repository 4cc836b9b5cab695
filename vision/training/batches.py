"""Batches, made ahead in a second process: which pictures, on which canvas, at which step.

In: pictures and a plan. Out: (pixels, labels) per step, the same for the same seed and step, so that a training that
was cut off goes on with exactly the batches that it would have had. It must not know of networks.
"""

import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass

import numpy

from vision.training.augment import Canvas, Generator, make_mosaic, make_single
from vision.training.pictures import Numbers, Picture, Pixels

# How often a picture is drawn, beside 1: bare heads on sites are few, crowds of bare heads are many.
SET_WEIGHTS = {"css": 3.0, "scf": 2.0, "bike": 1.0, "scut": 0.5, "blast": 1.0, "panly": 1.0, "cctv": 3.0}
BARE_HEAD_WEIGHT = 2.0
# Scales are those of the shipped input whatever the canvas: a smaller canvas is a smaller part, and cheaper.
SIZES = ((320, 416), (416, 320), (352, 384))
MADE_AHEAD = 6


@dataclass(frozen=True, slots=True)
class Plan:
    """A training from its first step to its last."""

    steps: int
    batch: int
    seed: int = 0
    single_from: float = 0.85
    sizes: tuple[tuple[int, int], ...] = SIZES


@dataclass(frozen=True, slots=True)
class Batch:
    """`pixels` (n, height, width, 3) and per canvas its boxes, rows of class, x1, y1, x2, y2."""

    pixels: Pixels
    boxes: list[Numbers]


def weigh(pictures: list[Picture]) -> Numbers:
    """The chance of each picture to be drawn; they sum to 1."""
    weights = numpy.array([_weight(picture) for picture in pictures], numpy.float64)
    return numpy.asarray(weights / weights.sum())


def _weight(picture: Picture) -> float:
    prefix = picture.set_name.split("_")[0]
    crowd = prefix in {"scut", "bike"}
    bare = BARE_HEAD_WEIGHT if picture.has_bare_head and not crowd else 1.0
    return SET_WEIGHTS.get(prefix, 1.0) * bare


def make_batch(pictures: list[Picture], chances: Numbers, plan: Plan, step: int) -> Batch:
    """The batch of one step."""
    random = numpy.random.default_rng((plan.seed, step))
    progress = step / plan.steps
    height, width = plan.sizes[random.integers(len(plan.sizes))]
    canvases = [_make_canvas(pictures, chances, plan, (height, width, progress), random) for _ in range(plan.batch)]
    return Batch(numpy.stack([canvas.pixels for canvas in canvases]), [canvas.boxes for canvas in canvases])


def _make_canvas(
    pictures: list[Picture], chances: Numbers, plan: Plan, shape: tuple[int, int, float], random: Generator
) -> Canvas:
    height, width, progress = shape
    drawn = [pictures[index] for index in random.choice(len(pictures), 4, p=chances)]
    if progress >= plan.single_from or random.random() < 0.25:
        return make_single(drawn[0], height, width, random)
    return make_mosaic(drawn, height, width, random)


def _produce(
    pictures: list[Picture], chances: Numbers, plan: Plan, first: int, out: "multiprocessing.Queue[Batch]"
) -> None:
    for step in range(first, plan.steps):
        out.put(make_batch(pictures, chances, plan, step))


def batches(pictures: list[Picture], plan: Plan, first: int = 0) -> Iterator[Batch]:
    """All batches from step `first` on, a few made ahead in a process of its own."""
    context = multiprocessing.get_context("fork")
    queue: multiprocessing.Queue[Batch] = context.Queue(MADE_AHEAD)
    maker = context.Process(target=_produce, args=(pictures, weigh(pictures), plan, first, queue), daemon=True)
    maker.start()
    try:
        for _ in range(first, plan.steps):
            yield queue.get()
    finally:
        maker.terminate()
        maker.join()
