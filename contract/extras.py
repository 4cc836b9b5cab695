"""Which extra of the distribution brings which Python package, and the sentence that names one that is missing.

A box is installed without the desk's packages and a desk without OpenCV (docs/installing.md). In: the extra that a
command needs, or the error of an import. Out: one sentence with the command that installs it.
"""

import importlib.util
from collections.abc import Mapping
from typing import Final

_BOX: Final = ("av", "cv2", "influxdb_client", "onnxruntime", "paho", "prometheus_client", "pymodbus")
_DESK: Final = ("alembic", "authlib", "joserfc", "minio", "psycopg", "rfc3161_client", "sqlalchemy")

EXTRAS: Final[Mapping[str, tuple[str, ...]]] = {
    "box": _BOX,
    "desk": _DESK,
    "demo": (*_BOX, *_DESK, "amqtt"),
    "training": (*_BOX, "onnx", "torch"),
    "sm": ("gmssl_pyx",),
}
"""Modules by extra, as they are imported. A module of several extras is named with the first of them."""
_HAS_A_SUBSTITUTE: Final = frozenset({"onnxruntime"})
"""OpenCV runs the detector without it (`vision.detector.engine`)."""


class MissingExtraError(ModuleNotFoundError):
    """An extra is not installed, or not all of it. `name` is the first module that is missing."""

    def __init__(self, extra: str, module: str) -> None:
        super().__init__(
            f"the Python package {module!r} is not installed. It belongs to the extra {extra!r}. "
            f"Install it: pip install 'sitewarden[{extra}]'",
            name=module,
        )


def require(extra: str) -> None:
    """Find the modules that a command with this extra cannot do without, before anything starts; imports nothing.

    Raises MissingExtraError.
    """
    for module in EXTRAS[extra]:
        if module not in _HAS_A_SUBSTITUTE and importlib.util.find_spec(module) is None:
            raise MissingExtraError(extra, module)


def missing_extra(error: ModuleNotFoundError) -> MissingExtraError | None:
    """The extra that would have brought what an import did not find; None for a module of no extra."""
    if isinstance(error, MissingExtraError):
        return error
    module = (error.name or "").partition(".")[0]
    return next((MissingExtraError(extra, module) for extra, modules in EXTRAS.items() if module in modules), None)
