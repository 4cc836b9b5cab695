"""Location of maps: shipped maps by name, others by path."""

from pathlib import Path


def shipped_folder() -> Path:
    """The shipped maps: inside the package when installed from a wheel, else `config/docking` of the checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "maps"
    return installed if installed.is_dir() else package.parent / "config" / "docking"


def shipped_names() -> tuple[str, ...]:
    """The names of the maps that ship with the box, sorted."""
    return tuple(sorted(path.stem for path in shipped_folder().glob("*.yaml")))


def map_path(name: str) -> Path:
    """The file of a shipped map's name; what ends in `.yaml` is a path of its own."""
    return Path(name) if name.endswith(".yaml") else shipped_folder() / f"{name}.yaml"
