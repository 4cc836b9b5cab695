"""Which pictures a training saw, as digests: `python -m vision.training.manifest --data DIR --out DIR`.

In: the folder of labelled pictures. Out: `manifest.json` (pictures and boxes by set, one digest over all) and
`manifest.txt.gz` (per picture a digest of it and its label, and the set; no file name and no pixel), so that anybody
who has the pictures can see whether they are the same.
"""

import argparse
import gzip
import hashlib
import json
import sys
from collections import Counter
from pathlib import Path

from vision.training.classes import CLASS_NAMES
from vision.training.pictures import Source, label_name, read_sources


def manifest_line(source: Source) -> str:
    """SHA-256 of the picture's bytes followed by its label's, its set, whether training uses it."""
    body = (source.folder / source.name).read_bytes() + (source.folder / label_name(source.name)).read_bytes()
    return " ".join((hashlib.sha256(body).hexdigest(), source.set_name, "core" if source.core else "spare"))


def count_boxes(sources: list[Source]) -> dict[str, dict[str, int]]:
    """Pictures and boxes of each class, by set."""
    counts: dict[str, Counter[str]] = {}
    for source in sources:
        count = counts.setdefault(source.set_name, Counter())
        count["pictures"] += 1
        for line in (source.folder / label_name(source.name)).read_text(encoding="ascii").splitlines():
            number = int(line.split()[0])
            count[CLASS_NAMES[number] if number < len(CLASS_NAMES) else f"label {number}"] += 1
    return {name: dict(count) for name, count in sorted(counts.items())}


def write_manifest(folders: list[Path], out: Path) -> None:
    """Both files, the same bytes for the same pictures."""
    sources = read_sources(*folders)
    text = "\n".join(sorted(manifest_line(source) for source in sources)) + "\n"
    used = [source for source in sources if source.core]
    summary = {
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "of": "the sorted lines of manifest.txt.gz: SHA-256 of picture and label together, set, core or spare",
        "used": count_boxes(used),
        "spare": count_boxes([source for source in sources if not source.core]),
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "manifest.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    (out / "manifest.txt.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


def main() -> int:
    """Write the manifest; see the module's words."""
    parser = argparse.ArgumentParser(prog="python -m vision.training.manifest", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    write_manifest(arguments.data, arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
