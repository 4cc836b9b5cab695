"""The model card: `python -m vision.training.card MODEL.yaml "TITLE=figures.json" ...`.

In: a registry's entry and, for each table, what `sitewarden vision evaluate --json` printed. Out: the card beside the
entry, made of `card_text.md` and the tables. No figure is typed by hand.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import yaml

TEXT = Path(__file__).with_name("card_text.md")
NO_VALUE = "-"


def table(title: str, figures: dict[str, Any]) -> str:
    """One set of figures as Markdown: a row per class, one per head size below it."""
    lines = [f"### {title}", "", f"{figures['images']} pictures, data digest `{_digest(figures)}`.", ""]
    lines += [
        "| class | heads | boxes | precision | recall | F1 | 95 % of F1 | AP50 | threshold |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, one in figures["classes"].items():
        interval = one.get("interval", {}).get("f1")
        lines.append(_row(name, _scope(name, figures), one, _interval(interval), _threshold(one["threshold"])))
        lines += [
            _row("", f"{size} px", figures_of, "", "") for size, figures_of in one["sizes"].items() if figures_of["n"]
        ]
    return "\n".join(lines + _reliability(figures["classes"])) + "\n"


def _reliability(classes: dict[str, Any]) -> list[str]:
    """How often a box of each tenth of the scores is right; nothing for figures that were made before this was told."""
    told = {name: one["calibration"] for name, one in classes.items() if "calibration" in one}
    if not told:
        return []
    starts = [each["from_score"] for each in next(iter(told.values()))["bins"]]
    words = "How often a box is right, by its score (in brackets: boxes). Error: mean distance from the score."
    lines = ["", words, ""]
    lines.append("| class | error | " + " | ".join(f"{start:.1f}" for start in starts) + " |")
    lines.append("|---|--:|" + "--:|" * len(starts))
    for name, one in told.items():
        cells = [f"{each['right']:.2f} ({each['n']})" if each["n"] else NO_VALUE for each in one["bins"]]
        lines.append(f"| {name} | {_number(one['ece'])} | " + " | ".join(cells) + " |")
    return lines


def _scope(name: str, figures: dict[str, Any]) -> str:
    """Persons are counted whatever their size."""
    least = 0 if name == "person" else figures.get("min_head_px", 0)
    return f"**>= {least:g} px**" if least else "**all**"


def _digest(figures: dict[str, Any]) -> str:
    sets = figures.get("folds") or [figures]
    return ", ".join(str(one.get("data_sha256", NO_VALUE))[:12] for one in sets)


def _row(name: str, heads: str, one: dict[str, Any], interval: str, threshold: str) -> str:
    numbers = [_number(one[key]) for key in ("precision", "recall", "f1")]
    return (
        f"| {name} | {heads} | {one['n']} | {' | '.join(numbers)} | {interval} | {_number(one['ap50'])} | {threshold} |"
    )


def _number(value: float | None) -> str:
    return NO_VALUE if value is None else f"{value:.3f}"


def _interval(sides: list[float | None] | None) -> str:
    return f"{_number(sides[0])} to {_number(sides[1])}" if sides else ""


def _threshold(value: float | list[float]) -> str:
    values = value if isinstance(value, list) else [value]
    return ", ".join(f"{each:.2f}" for each in values)


def write_card(entry: Path, tables: list[tuple[str, dict[str, Any]]]) -> Path:
    """Write the card whose name the entry gives."""
    said = yaml.safe_load(entry.read_text(encoding="utf-8"))
    path = entry.with_name(said["card"])
    text = TEXT.read_text(encoding="utf-8")
    facts = {
        "NAME": said["name"],
        "VERSION": said["version"],
        "SHA256": said["sha256"],
        "INPUTS": ", ".join(f"{width}x{height}" for width, height in said["inputs"]),
        "THRESHOLDS": ", ".join(f"{name} {value}" for name, value in said["thresholds"].items()),
        "TABLES": "\n".join(table(title, figures) for title, figures in tables),
    }
    for key, value in facts.items():
        text = text.replace("{{" + key + "}}", str(value))
    path.write_text(text, encoding="utf-8")
    return path


def main() -> int:
    """Write the card; see the module's words."""
    parser = argparse.ArgumentParser(prog="python -m vision.training.card", description=__doc__)
    parser.add_argument("entry", type=Path)
    parser.add_argument("figures", nargs="+", help='"title=file": a table of what evaluate printed last')
    arguments = parser.parse_args()
    tables = []
    for pair in arguments.figures:
        title, _, name = pair.rpartition("=")
        last_line = Path(name).read_text(encoding="utf-8").strip().splitlines()[-1]
        tables.append((title, json.loads(last_line)))
    write_card(arguments.entry, tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
