"""Matches into the figures of `sitewarden vision evaluate`: one plain dictionary for JSON, and lines to read. Pure.

Several results are pooled: their images are put together, each judged at the thresholds of its own model.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.model.detections import SeenClass
from vision.evaluation.calibration import reliability, scored_boxes
from vision.evaluation.error_words import Words, error_figures, error_lines
from vision.evaluation.evaluate_sets import SetResult
from vision.picture.detection_scores import (
    Matches,
    Sizes,
    average_precision,
    best_threshold,
    bootstrap,
    curve,
    scores_at,
)

BUCKETS = {
    "<12": Sizes(0.0, 12.0),
    "12-20": Sizes(12.0, 20.0),
    "20-32": Sizes(20.0, 32.0),
    "32-64": Sizes(32.0, 64.0),
    ">=64": Sizes(64.0),
    ">=20": Sizes(20.0),
}
CURVE_AT = tuple(round(0.05 * step, 2) for step in range(1, 20))
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """`min_head_px` makes smaller helmets and heads ignore regions; `rounds` of the bootstrap, 0 for no interval;
    `errors` were counted and are told."""

    min_head_px: float = 0.0
    rounds: int = 1000
    seed: int = 1
    errors: bool = False


def pooled_report(results: Sequence[SetResult], options: ReportOptions) -> Figures:
    """Figures over all results together. Numbers without a value are None."""
    names = [name for result in results for name in result.names]
    whole = _ms(results, "whole_ns")
    classes = {code.name.lower(): _class_figures(results, code, options) for code in _reported(results)}
    figures: Figures = {
        "images": len(names),
        "classes": classes,
        "threshold": {name: figures["threshold"] for name, figures in classes.items()},
        "match_iou": 0.5,
        "min_head_px": options.min_head_px,
        "ms_per_image": _middle(whole),
        "ms_inference_per_image": _middle(_ms(results, "inference_ns")),
        "cpu_ms_per_image": _middle(_ms(results, "cpu_ns")),
        "ms_per_image_p95": float(np.percentile(whole, 95)) if len(whole) else None,
        "skipped": [{"file": file, "reason": reason} for result in results for file, reason in result.skipped],
    }
    if options.errors:
        figures["errors"] = error_figures(sum((result.errors for result in results), Words()))
    return {key: _plain(value) for key, value in figures.items()}


def set_report(result: SetResult, options: ReportOptions) -> Figures:
    """Figures of one result, with what judged what."""
    return {
        "set": result.name,
        "model": result.model_version,
        "backend": str(result.backend),
        "data_sha256": result.data_sha256,
        **pooled_report([result], options),
    }


def report_lines(figures: Figures) -> list[str]:
    """The main figures as a table, for people."""
    lines = [f"{'class':8}{'n':>7}{'precision':>11}{'recall':>9}{'F1':>8}  {'95 %':15}{'AP50':>7}{'threshold':>11}"]
    for name, one in figures["classes"].items():
        low, high = one.get("interval", {}).get("f1", (None, None))
        lines.append(
            f"{name:8}{one['n']:7}{_text(one['precision']):>11}{_text(one['recall']):>9}{_text(one['f1']):>8}  "
            f"{_text(low) + '..' + _text(high) if low is not None else '':15}{_text(one['ap50']):>7}"
            f"{_threshold_text(one['threshold']):>11}"
        )
        for bucket, size in one["sizes"].items():
            cells = f"{_text(size['precision']):>11}{_text(size['recall']):>9}{_text(size['f1']):>8}"
            lines.append(f"  {bucket:6}{size['n']:7}{cells}  {'':15}{_text(size['ap50']):>7}")
    lines.append(
        f"{figures['images']} pictures, {len(figures['skipped'])} kept out; median "
        f"{_text(figures['ms_per_image'], 1)} ms a picture, of which inference "
        f"{_text(figures['ms_inference_per_image'], 1)} ms; {_text(figures['cpu_ms_per_image'], 1)} ms of CPU"
    )
    lines.extend(_calibration_lines(figures["classes"]))
    lines.extend(error_lines(figures.get("errors", {})))
    lines.extend(f"kept out: {one['reason']}" for one in figures["skipped"])
    return lines


def _calibration_lines(classes: Figures) -> list[str]:
    """Score and share right of each tenth that holds a box."""
    lines = []
    for name, one in classes.items():
        off = one["calibration"]
        cells = (f"{_text(b['score'], 2)} right {_text(b['right'], 2)} ({b['n']})" for b in off["bins"] if b["n"])
        lines.append(f"{name:8}calibration error {_text(off['ece'])} of {off['n']} boxes: {', '.join(cells)}")
    return lines


def _class_figures(results: Sequence[SetResult], code: SeenClass, options: ReportOptions) -> Figures:
    images = [matches for result in results for matches in result.matches[code]]
    thresholds = _thresholds(results, code)
    sizes = Sizes() if code is SeenClass.PERSON else Sizes(options.min_head_px)
    figures: Figures = {
        **_figures(images, thresholds, sizes),
        "threshold": _one_or_all(results, code),
        "sizes": {name: _figures(images, thresholds, bucket) for name, bucket in BUCKETS.items()},
        "curve": _curve_figures(images, sizes),
        "calibration": asdict(reliability(*scored_boxes(images, sizes))),
    }
    if options.rounds and images:
        figures["interval"] = asdict(bootstrap(images, thresholds, sizes, options.rounds, options.seed))
    return figures


def _figures(images: Sequence[Matches], thresholds: NDArray[np.float64], sizes: Sizes) -> Figures:
    return {**asdict(scores_at(images, thresholds, sizes)), "ap50": average_precision(images, sizes)}


def _curve_figures(images: Sequence[Matches], sizes: Sizes) -> Figures:
    """The curve at round thresholds, and where F1 would be best **on these images** (which no one may tune on)."""
    best = best_threshold(images, sizes)
    points = [{"threshold": at, **_ratios(images, at, sizes)} for at in CURVE_AT]
    return {"points": points, "best_f1_at": best, "best_f1": float(curve(images, sizes).f1.max(initial=0.0))}


def _ratios(images: Sequence[Matches], threshold_score: float, sizes: Sizes) -> Figures:
    scores = scores_at(images, threshold_score, sizes)
    return {"precision": scores.precision, "recall": scores.recall, "f1": scores.f1}


def _reported(results: Sequence[SetResult]) -> list[SeenClass]:
    """Helmet and head always; persons where any is labelled."""
    persons = any(len(matches.label_height_px) for result in results for matches in result.matches[SeenClass.PERSON])
    return [SeenClass.HELMET, SeenClass.HEAD, *([SeenClass.PERSON] if persons else [])]


def _thresholds(results: Sequence[SetResult], code: SeenClass) -> NDArray[np.float64]:
    """One an image: that of the model which judged it."""
    each = [np.full(len(result.names), result.thresholds[code], dtype=np.float64) for result in results]
    return np.concatenate(each) if each else np.zeros(0)


def _one_or_all(results: Sequence[SetResult], code: SeenClass) -> float | list[float]:
    values = [round(float(result.thresholds[code]), 4) for result in results]
    return values[0] if len(set(values)) == 1 else values


def _ms(results: Sequence[SetResult], which: str) -> NDArray[np.float64]:
    """One of the three times of every image, in milliseconds."""
    return np.array([ns for result in results for ns in getattr(result, which)], dtype=np.float64) / 1e6


def _middle(values: NDArray[np.float64]) -> float | None:
    return float(np.median(values)) if len(values) else None


def _plain(value: Any) -> Any:
    """For JSON: four decimals, None for what has no value."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return round(value, 4) if isfinite(value) else None
    return value


def _text(value: float | None, decimals: int = 3) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"


def _threshold_text(value: float | list[float] | None) -> str:
    return "by model" if isinstance(value, list) else _text(value, 2)
