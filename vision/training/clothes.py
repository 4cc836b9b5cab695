"""Work clothes or one's own: a small network over torso crops, measured on cameras that it has not seen.

    nice -n 15 python -m vision.training.clothes --data DIR --out DIR

In: `images/` and `labels/` with YOLO classes 2 (person), 3 (safety clothes), 4 (own clothes), named by camera
(`cctv_2_20_...`). Out: `figures.json` (the network, a colour rule and the plain share, each by camera left out),
`work_clothes.onnx` of a network trained on all, and its card for `clothes_model` where there is a size from which both
classes are told right four times in five on cameras left out; else no card, and the reason. One thread.
"""

import argparse
import hashlib
import itertools
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import torch
import yaml
from numpy.typing import NDArray
from torch import Tensor, nn

from vision.people.torso import HEIGHT_PX, WIDTH_PX, Box, crop, fluorescent_share

PERSON, WORK, OWN = 2, 3, 4
FOLDS, EPOCHS, BATCH, OPSET = 5, 60, 32, 13
TOLD_RIGHT, BETWEEN = 0.8, 0.1
SIZES_PX = (0, 24, 36, 54, 80, 10_000)
Image = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Worn:
    """One person whose clothes somebody labelled. `picture` is the part of the frame around, `person` the box there."""

    camera: str
    picture: Image
    person: Box
    own: bool

    @property
    def torso_px(self) -> float:
        """Height of the torso in the picture."""
        return 0.45 * (self.person[3] - self.person[1])


class Clothes(nn.Module):
    """Four strided convolutions, a mean, one number: the score of one's own clothes."""

    def __init__(self) -> None:
        super().__init__()
        steps: list[nn.Module] = []
        for before, after in ((3, 16), (16, 24), (24, 32), (32, 48)):
            steps += [nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.steps = nn.Sequential(*steps)
        self.last = nn.Sequential(nn.Dropout(0.3), nn.Linear(48, 1))

    def forward(self, torsos: Tensor) -> Tensor:
        """(n, 3, 96, 64) BGR 0..255 to logits (n, 1)."""
        said: Tensor = self.last(self.steps(torsos / 128.0 - 1.0).mean((2, 3)))
        return said


class Scored(nn.Module):
    """As it is exported."""

    def __init__(self, network: Clothes) -> None:
        super().__init__()
        self.network = network

    def forward(self, torsos: Tensor) -> Tensor:
        """Scores 0..1 (n, 1)."""
        said: Tensor = self.network(torsos).sigmoid()
        return said


def read_worn(data: Path) -> list[Worn]:
    """Everybody whose clothes are labelled and lie on a labelled person."""
    worn = []
    for label in sorted((data / "labels").glob("*.txt")):
        rows = [[float(part) for part in line.split()[:5]] for line in label.read_text().splitlines() if line.strip()]
        if not any(int(row[0]) in (WORK, OWN) for row in rows):
            continue
        picture = cv2.imread(str(data / "images" / f"{label.stem}.jpg"))
        if picture is None:
            raise ValueError(f"{label.stem}: no picture beside the label")
        image = np.asarray(picture, np.uint8)
        boxes = [(int(row[0]), _box(row, image.shape[1], image.shape[0])) for row in rows]
        persons = [box for code, box in boxes if code == PERSON]
        camera = "_".join(label.stem.split("_")[1:3])
        for code, clothes in boxes:
            if code in (WORK, OWN):
                on = [person for person in persons if _within(clothes, person) > 0.8]
                if on:
                    best = max(on, key=lambda person, clothes=clothes: _within(clothes, person))  # type: ignore[misc]
                    worn.append(_cut_out(camera, image, best, code == OWN))
    return worn


def folds_of(worn: Sequence[Worn]) -> dict[str, int]:
    """Fold by camera: those with one's own clothes first, one in each fold in turn."""
    own = Counter(each.camera for each in worn if each.own)
    cameras = sorted({each.camera for each in worn}, key=lambda name: (-own[name], name))
    return {name: i % FOLDS for i, name in enumerate(cameras)}


def train(worn: Sequence[Worn], seed: int, epochs: int) -> Clothes:
    """One network; both classes are drawn equally often."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = Clothes()
    steps = max(1, len(worn) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3, weight_decay=1e-2)
    falling = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, epochs * steps)
    by_class = [[each for each in worn if each.own is own] for own in (False, True)]
    for _ in range(epochs * steps):
        told = [bool(i % 2) for i in range(BATCH)]
        torsos = [_changed(by_class[own][int(rng.integers(len(by_class[own])))], rng) for own in told]
        wanted = torch.tensor(told, dtype=torch.float32)[:, None] * 0.9 + 0.05
        loss = nn.functional.binary_cross_entropy_with_logits(network(_tensor(torsos)), wanted)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        falling.step()
    return network.eval()


def scores(network: Clothes, worn: Sequence[Worn]) -> Floats:
    """The score of one's own clothes of each (n,)."""
    with torch.no_grad():
        return np.array([float(network(_tensor([_plain(each)])).sigmoid()) for each in worn])


def figures_of(score: Floats, worn: Sequence[Worn], threshold_score: float) -> dict[str, Any]:
    """How good a score is at one threshold. `balanced` is the mean of both recalls; the plain share's is 0.5."""
    own = np.array([each.own for each in worn])
    said = score >= threshold_score
    recalls = float(said[own].mean()), float((~said)[~own].mean())
    called = int(said.sum())
    higher = (score[own][:, None] > score[~own][None, :]).mean() + (score[own][:, None] == score[~own]).mean() / 2
    return {
        "accuracy": float((said == own).mean()),
        "plain_share": float(max(own.mean(), 1 - own.mean())),
        "balanced": sum(recalls) / 2,
        "own_recall": recalls[0],
        "work_recall": recalls[1],
        "own_precision": float((said & own).sum() / called) if called else None,
        "area_under_curve": float(higher),
    }


def by_camera(score: Floats, worn: Sequence[Worn], threshold_score: float) -> dict[str, list[int]]:
    """[own, own called own, work, work called own] of each camera."""
    rows: dict[str, list[int]] = {}
    for each, value in zip(worn, score.tolist(), strict=True):
        row = rows.setdefault(each.camera, [0, 0, 0, 0])
        row[0 if each.own else 2] += 1
        row[1 if each.own else 3] += value >= threshold_score
    return rows


def by_size(score: Floats, worn: Sequence[Worn], threshold_score: float) -> dict[str, dict[str, Any]]:
    """Balanced accuracy by the torso's height."""
    said = {}
    for low, high in itertools.pairwise(SIZES_PX):
        rows = [i for i, each in enumerate(worn) if low <= each.torso_px < high]
        own = sum(worn[i].own for i in rows)
        if rows:
            hit = [(score[i] >= threshold_score) == worn[i].own for i in rows]
            row: dict[str, Any] = {"torsos": len(rows), "own": own, "accuracy": float(np.mean(hit))}
            if 0 < own < len(rows):
                row["balanced"] = figures_of(score[rows], [worn[i] for i in rows], threshold_score)["balanced"]
            said[f"{low}-{high}"] = row
    return said


def best_threshold(score: Floats, worn: Sequence[Worn]) -> float:
    """The one with the best balanced accuracy on these."""
    tried = np.unique(score)
    return float(max(tried, key=lambda at: figures_of(score, worn, float(at))["balanced"]))


def measure(worn: Sequence[Worn], epochs: int) -> dict[str, Any]:
    """Every camera scored by a network, and by a threshold, that have not seen it."""
    fold_of = folds_of(worn)
    fold = np.array([fold_of[each.camera] for each in worn])
    net = np.zeros(len(worn))
    for number in range(FOLDS):
        network = train([each for each, of in zip(worn, fold, strict=True) if of != number], number, epochs)
        left = np.flatnonzero(fold == number).tolist()
        net[left] = scores(network, [worn[i] for i in left])
        print(f"fold {number}: {len(left)} left out, {sum(worn[i].own for i in left)} own", flush=True)
    colour = np.array([-fluorescent_share(_plain(each)) for each in worn])
    said: dict[str, Any] = {"folds": fold_of}
    for name, score in (("network", net), ("colour", colour)):
        moved = score.copy()  # each fold by a threshold of the others, moved to 0
        for number in range(FOLDS):
            others = [i for i in range(len(worn)) if fold[i] != number]
            moved[fold == number] -= best_threshold(score[others], [worn[i] for i in others])
        said[name] = figures_of(moved, worn, 0.0) | {
            "by_camera": by_camera(moved, worn, 0.0),
            "by_size": by_size(moved, worn, 0.0),
            "threshold_on_all": best_threshold(score, worn),
            "curve_unmoved": figures_of(score, worn, 0.5)["area_under_curve"],
        }
    return said


def least_torso_px(figures: dict[str, Any]) -> int | None:
    """The height from which every size class that has both kinds of clothes is told right often enough; None without
    one."""
    least = None
    for name, row in reversed(list(figures["by_size"].items())):
        if row.get("balanced", 0.0) < TOLD_RIGHT:
            break
        least = int(name.split("-")[0])
    return least


def write_card(model: Path, figures: dict[str, Any]) -> bool:
    """The card beside the model. False where no size is told right often enough: then there is none."""
    least = least_torso_px(figures)
    if least is None:
        return False
    at = figures["threshold_on_all"]
    entry = {
        "name": model.stem,
        "version": "1.0",
        "file": model.name,
        "sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
        "own": round(min(1.0, at + BETWEEN), 3),
        "work": round(max(0.0, at - BETWEEN), 3),
        "least_torso_px": max(8, least),
    }
    model.with_suffix(".yaml").write_text(yaml.safe_dump(entry, sort_keys=False), encoding="utf-8")
    return True


def write_onnx(network: Clothes, path: Path) -> None:
    """Write the file: `torsos` (n, 3, 96, 64) in, `own` (n, 1) out."""
    example = torch.zeros(2, 3, HEIGHT_PX, WIDTH_PX)
    torch.onnx.export(
        Scored(network).eval(),
        (example,),
        str(path),
        input_names=["torsos"],
        output_names=["own"],
        dynamic_axes={"torsos": {0: "n"}, "own": {0: "n"}},
        opset_version=OPSET,
        dynamo=False,
    )
    model = onnx.load(path)
    model.producer_name = "sitewarden"
    onnx.checker.check_model(model)
    onnx.save(model, path)


def main() -> int:
    """Measure by camera left out, then train on all and export."""
    parser = argparse.ArgumentParser(prog="python -m vision.training.clothes", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    worn = read_worn(arguments.data)
    arguments.out.mkdir(parents=True, exist_ok=True)
    figures = measure(worn, arguments.epochs)
    (arguments.out / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    path = arguments.out / "work_clothes.onnx"
    write_onnx(train(worn, FOLDS, arguments.epochs), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    carded = write_card(path, figures["network"])
    print("card written" if carded else f"no card: no size is told right by {TOLD_RIGHT:.0%} on cameras left out")
    print(f"{len(worn)} torsos, {sum(each.own for each in worn)} own; {path.name} {digest}")
    for name in ("network", "colour"):
        print(name, {key: value for key, value in figures[name].items() if not isinstance(value, dict)})
    return 0


def _box(row: Sequence[float], width: int, height: int) -> Box:
    _, x, y, w, h = row
    return (x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height


def _cut_out(camera: str, image: Image, person: Box, own: bool) -> Worn:
    """Without the rest of the frame: hundreds of frames are more than a small box holds."""
    x1, y1, x2, y2 = person
    aside, above = 0.3 * (x2 - x1), 0.3 * (y2 - y1)
    left, top = max(0, round(x1 - aside)), max(0, round(y1 - above))
    around = image[top : round(y2 + above), left : round(x2 + aside)].copy()
    return Worn(camera, around, (x1 - left, y1 - top, x2 - left, y2 - top), own)


def _within(a: Box, b: Box) -> float:
    """Share of `a` that lies in `b`."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    return width * height / max((a[2] - a[0]) * (a[3] - a[1]), 1e-9)


def _torso(person: Box) -> Box:
    x1, y1, x2, y2 = person
    aside, height = 0.05 * (x2 - x1), y2 - y1
    return x1 + aside, y1 + 0.15 * height, x2 - aside, y1 + 0.60 * height


def _plain(worn: Worn) -> Image:
    return crop(worn.picture, _torso(worn.person))


def _changed(worn: Worn, rng: np.random.Generator) -> Image:
    """As another camera, another light and another detector might have shown it."""
    x1, y1, x2, y2 = worn.person
    dx, dy = rng.normal(0, 0.05, 2) * (x2 - x1), rng.normal(0, 0.04, 2) * (y2 - y1)
    torso = crop(worn.picture, _torso((x1 + dx[0], y1 + dy[0], x2 + dx[1], y2 + dy[1])))
    small = int(rng.integers(16, HEIGHT_PX + 1))
    if small < HEIGHT_PX and rng.random() < 0.6:
        less = cv2.resize(torso, (max(4, small * WIDTH_PX // HEIGHT_PX), small), interpolation=cv2.INTER_AREA)
        torso = np.asarray(cv2.resize(less, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_LINEAR), np.uint8)
    if rng.random() < 0.5:
        torso = torso[:, ::-1]
    light = torso.astype(np.float32) * rng.uniform(0.6, 1.4) * rng.uniform(0.93, 1.07, 3) + rng.uniform(-20, 20)
    light += rng.normal(0, rng.uniform(0, 8), light.shape)
    return np.clip(light, 0, 255).astype(np.uint8)


def _tensor(torsos: Sequence[Image]) -> Tensor:
    return torch.from_numpy(np.stack(torsos).astype(np.float32)).permute(0, 3, 1, 2)


if __name__ == "__main__":
    sys.exit(main())
