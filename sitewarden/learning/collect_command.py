"""`sitewarden vision collect`: a labelled set of this site's own judged pictures.

In: a site file, a folder. Out: the set, and counts; `--json` ends with one line. Exit status: 0 written, 1 there was
nothing to collect, 2 the folder, the site file or the data folder is wrong. Reads only: the box may be running.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from gateway.media.shelf import MediaShelf
from sitewarden.learning.collecting import Bounds, NotEmptyError, collect
from sitewarden.learning.labels import read_labels
from sitewarden.learning.own_site import own_site
from vision.detector import ModelError
from vision.privacy.still import blurred_still


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that this command takes."""
    usual = Bounds()
    parser.add_argument("--site", required=True, help="site file (YAML) of this box")
    parser.add_argument("--out", required=True, type=Path, help="folder that is made, or is empty")
    parser.add_argument("--camera", default="", help="of one camera alone")
    parser.add_argument("--most", type=int, default=usual.pictures, help="pictures, the newest first")
    parser.add_argument("--most-mib", type=int, default=usual.size_bytes >> 20, help="of all pictures together")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")


def run(args: argparse.Namespace) -> int:
    """Collect, and say what was left out."""
    try:
        site = own_site(args.site)
        if args.camera:
            site.camera(args.camera)
        labels = read_labels(site.folder, args.camera)
        findings = [each for each in labels.findings if each.frame.camera in site.cameras]
        thresholds = {name: camera.thresholds for name, camera in site.cameras.items()}
        bounds = Bounds(args.most, args.most_mib << 20)
        made = collect(findings, thresholds, MediaShelf(site.folder), blurred_still, args.out, bounds)
    except (NotEmptyError, ModelError) as error:
        print(f"sitewarden: {error}", file=sys.stderr)
        return 2
    left_out = dict(labels.left_out) | dict(made.left_out)
    if others := len(labels.findings) - len(findings):
        left_out["a camera that the site file does not have"] = others
    told = sys.stderr if args.json else sys.stdout
    print(f"{made.pictures} pictures, {made.size_bytes / 2**20:.1f} MiB, manifest {made.manifest_sha256}", file=told)
    for why, n in sorted(left_out.items()):
        print(f"left out: {n}: {why}", file=told)
    if args.json:
        print(json.dumps(asdict(made) | {"left_out": left_out}, ensure_ascii=False))
    return 0 if made.pictures else 1
