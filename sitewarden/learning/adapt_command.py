"""`sitewarden vision adapt`: one camera's operating thresholds from what the desk judged of its alarms.

In: a site file, a camera. Out: a version in the data folder, which the running box finds, seals and judges by within
ten seconds (one that does not run: at its next start); figures before and after. `--undo` goes back to the version
before. Exit status: 0 written (or, with `--dry-run`, would be), 1 nothing was changed and why, 2 site file, camera or
data folder is wrong.
"""

import argparse
import getpass
import json
import sys
import time
from typing import Any

import numpy as np

from gateway.model.camera_scores import CameraScores
from gateway.model.detections import SeenClass
from gateway.model.errors import StoreError
from gateway.parts.camera.score_store import KeptScores, NewScores, NothingToUndoError, ScoreStore
from sitewarden.learning.adapting import Adapted, NotAdaptedError, Share, adapt
from sitewarden.learning.labels import CLASS_OF_KEY, JudgedFinding, read_labels
from sitewarden.learning.own_site import OwnCamera, own_site
from vision.detector import ModelError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that this command takes."""
    parser.add_argument("--site", required=True, help="site file (YAML) of this box")
    parser.add_argument("--camera", required=True, help="which camera")
    parser.add_argument("--by", default=getpass.getuser(), help="who does it, for the record; else the system's user")
    parser.add_argument("--undo", action="store_true", help="back to the thresholds before these")
    parser.add_argument("--dry-run", action="store_true", help="say what would be written, and write nothing")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")


def run(args: argparse.Namespace) -> int:
    """Adapt or undo, and say what came of it."""
    try:
        site = own_site(args.site)
        camera, store = site.camera(args.camera), ScoreStore(site.folder)
        if args.undo:
            return _undo(store, args)
        findings = read_labels(site.folder, camera.name).findings
        return _adapt(camera, store, findings, args)
    except (ModelError, StoreError) as error:
        print(f"sitewarden: {error}", file=sys.stderr)
        return 2


def own_scores(newest: KeptScores | None, camera: OwnCamera) -> CameraScores | None:
    """The camera's own scores, where they are in force: made for the model that looks."""
    scores = newest.scores if newest is not None else None
    return scores if scores is not None and scores.model == camera.entry.label and scores.scores else None


def _adapt(camera: OwnCamera, store: ScoreStore, findings: tuple[JudgedFinding, ...], args: argparse.Namespace) -> int:
    own = own_scores(store.newest(camera.name), camera)
    mine = [each for each in findings if each.frame.versions.get("model") == camera.entry.label]
    told = sys.stderr if args.json else sys.stdout
    adapted: dict[SeenClass, Adapted] = {}
    figures: dict[str, Any] = {"camera": camera.name, "model": camera.entry.label, "classes": {}}
    for code in sorted(set(CLASS_OF_KEY.values()) & set(camera.thresholds)):
        threshold, name = camera.thresholds[code], code.name.lower()
        try:
            judged = [each for each in mine if each.seen is code and each.right is not None]
            found = adapt(
                np.array([each.score for each in judged], np.float64),
                np.array([bool(each.right) for each in judged], bool),
                threshold,
                own.scores.get(name, threshold) if own is not None else threshold,
            )
        except NotAdaptedError as error:
            figures["classes"][name] = {"refused": str(error)}
            print(f"{name}: {error}", file=told)
            continue
        adapted[code] = found
        figures["classes"][name] = found.document()
        print(f"{name}: threshold {found.instead_of:.3f} -> {found.threshold:.3f}", file=told)
        for when, one in (("before", found.before), ("after", found.after)):
            texts = _share_text(one.precision), _share_text(one.kept)
            print(f"  {when:6} {texts[0]} of those told are right, {texts[1]} of the right ones are told", file=told)
    if others := len(findings) - len(mine):
        print(f"left out: {others} judged alarms of another model or calibration", file=told)
    if adapted and not args.dry_run:
        scores = dict(own.scores) if own is not None else {}
        scores |= {code.name.lower(): found.threshold for code, found in adapted.items()}
        new = NewScores(camera.name, camera.entry.label, scores, args.by, time.time_ns(), figures["classes"])
        figures["version"] = _written(store.add(new), told)
    if args.json:
        print(json.dumps(figures, ensure_ascii=False))
    return 0 if adapted else 1


def _undo(store: ScoreStore, args: argparse.Namespace) -> int:
    if args.dry_run:
        print("sitewarden: --undo writes; --dry-run does not go with it", file=sys.stderr)
        return 2
    told = sys.stderr if args.json else sys.stdout
    try:
        kept = store.undo(args.camera, args.by, time.time_ns())
    except NothingToUndoError as error:
        print(f"sitewarden: {error}", file=sys.stderr)
        return 1
    version = _written(kept, told)
    if args.json:
        print(json.dumps({"camera": args.camera, "version": version, "back_to": kept.scores.back_to}))
    return 0


def _share_text(share: Share) -> str:
    return f"{share.k} of {share.n} ({share.low:.2f} to {share.high:.2f})"


def _written(kept: KeptScores, told: Any) -> int:
    scores = kept.scores
    listed = ", ".join(f"{name} {score:.3f}" for name, score in sorted(scores.scores.items())) or "as the model says"
    print(f"{scores.camera}: version {scores.version}: {listed}; digest {kept.sha256}", file=told)
    return scores.version
