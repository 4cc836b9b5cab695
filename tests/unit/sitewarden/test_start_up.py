"""What a box imports before it can read its first register. Each of these is time in which it is blind."""

import json
import subprocess
import sys

from tests.fakes.gateway_process import ROOT

BUILT_WITH = {
    "PIL",
    "_argon2_cffi_bindings",
    "_cffi_backend",
    "annotated_doc",
    "annotated_types",
    "anyio",
    "argon2",
    "click",
    "cryptography",
    "fastapi",
    "h11",
    "httpcore",
    "httpx",
    "idna",
    "jinja2",
    "markupsafe",
    "numpy",
    "opentelemetry",
    "orjson",
    "paho",
    "polib",
    "prometheus_client",
    "pydantic",
    "pydantic_core",
    "pygments",
    "pymodbus",
    "python_multipart",
    "rich",
    "starlette",
    "typing_extensions",
    "typing_inspection",
    "uvicorn",
    "yaml",
}
"""Libraries that a box without cameras and uplinks needs. Whatever joins them is paid for at every start."""
MOST_MODULES = 1600
PROGRAM = """
import json, sys, sysconfig
import sitewarden.__main__
libraries = sysconfig.get_path("purelib")
files = {name.split(".")[0]: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}
found = sorted(name for name, file in files.items() if file.startswith(libraries))
print(json.dumps([found, len(sys.modules)]))
"""


def test_a_box_starts_with_the_libraries_it_needs_and_no_others():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=ROOT, check=True)
    libraries, modules = json.loads(done.stdout)
    assert set(libraries) - BUILT_WITH - {"_distutils_hack"} == set()
    assert modules <= MOST_MODULES
