"""Which hardware onnxruntime runs a model on: the names that a site file may give, and whether this box has them.

In: a name. Out: onnxruntime's own name, and what the installed onnxruntime brings. Imports no onnxruntime: another
process is asked, and only when something else than the processor is wanted. Names as in
https://onnxruntime.ai/docs/execution-providers/
"""

import json
import subprocess
import sys
from functools import lru_cache
from typing import Final, Literal

Provider = Literal["cpu", "openvino", "cuda", "tensorrt", "rknn"]
CPU: Final = "CPUExecutionProvider"
PROVIDERS: Final[dict[str, str]] = {
    "cpu": CPU,
    "openvino": "OpenVINOExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "rknn": "RknpuExecutionProvider",
}
_ASK: Final = "import json, onnxruntime; print(json.dumps(onnxruntime.get_available_providers()))"
_ASKED_FOR_S: Final = 60


@lru_cache(maxsize=1)
def available() -> tuple[str, ...]:
    """The names that the installed onnxruntime brings, asked once; empty where it cannot be imported."""
    try:
        done = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, timeout=_ASKED_FOR_S, check=True)
        brought = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return ()
    return tuple(name for name, theirs in PROVIDERS.items() if theirs in brought)


def checked_provider(name: Provider) -> Provider:
    """The name itself. Raises ValueError that says what is available when onnxruntime does not bring it here."""
    if name == "cpu" or name in available():
        return name
    here = ", ".join(available()) or "no onnxruntime"
    raise ValueError(
        f"the installed onnxruntime does not bring {name} ({PROVIDERS[name]}); available here: {here}. "
        f"Install a build of onnxruntime that brings it, or write provider: cpu"
    )
