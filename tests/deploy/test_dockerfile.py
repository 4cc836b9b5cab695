"""There is no container engine in the tests: the Dockerfile is read, and its installation is replayed step by step."""

import http.server
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.fakes.dockerfile import Replay, read_dockerfile

CHECKOUT = Path(__file__).resolve().parents[2]
DESK_FILE = CHECKOUT / "deploy" / "desk" / "desk.yaml"
STAGES = WHEEL, ENVIRONMENT, RUNTIME = read_dockerfile(CHECKOUT / "Dockerfile")


USES = {
    "box": (("check", "demo"), "import gateway, cv2; print(gateway.__file__)", "sqlalchemy"),
    "desk": (("desk", "--check", str(DESK_FILE)), "import gateway, sqlalchemy; print(gateway.__file__)", "cv2"),
}
"""By extra: a command that works, what is there, what is not."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("extra", sorted(USES))
def test_the_installation_works_step_by_step_for_an_unprivileged_user(extra):
    """The same commands on the same locks; `--from` copies need no replay, since all stages share one root."""
    wheel, environment, runtime = read_dockerfile(CHECKOUT / "Dockerfile", EXTRA=extra)
    command, imports, absent = USES[extra]
    replay = Replay(CHECKOUT)
    try:
        replay.play(wheel)
        replay.play(environment)
        replay.play(runtime, frozenset({"WORKDIR"}))
        (program,) = json.loads(runtime.arguments("ENTRYPOINT")[0])
        done = replay.run(str(replay.inside(f"/opt/sitewarden/bin/{program}")), *command)
        assert done.returncode == 0, done.stdout + done.stderr
        python = str(replay.inside("/opt/sitewarden/bin/python"))
        where = replay.run(python, "-c", imports)
        assert where.stdout.startswith(str(replay.inside("/opt/sitewarden/lib")))
        assert f"No module named '{absent}'" in replay.run(python, "-c", f"import {absent}").stderr
    finally:
        replay.close()


def test_nothing_runs_as_root():
    steps = [step.name for step in RUNTIME.instructions]
    assert RUNTIME.arguments("USER") == ["sitewarden"]
    assert steps.index("USER") > max(i for i, name in enumerate(steps) if name in {"RUN", "COPY"})


def test_the_runtime_stage_has_no_build_tools_and_no_pip_run():
    assert RUNTIME.arguments("COPY") == [
        "--from=environment /opt/sitewarden /opt/sitewarden",
        "LICENSE NOTICE /usr/share/doc/sitewarden/",
    ]
    assert not any("pip" in run for run in RUNTIME.arguments("RUN"))


def test_every_dependency_is_installed_by_hash_or_from_the_wheel_just_built():
    installs = [run for stage in (WHEEL, ENVIRONMENT) for run in stage.arguments("RUN") if "pip install" in run]
    assert len(installs) == 3
    assert all("--require-hashes --requirement" in run or "--no-index --no-deps" in run for run in installs)


def test_data_and_settings_are_volumes():
    assert json.loads(RUNTIME.arguments("VOLUME")[0]) == ["/var/lib/sitewarden", "/etc/sitewarden"]


def test_everything_that_is_copied_is_in_the_build_context():
    admitted = {line[1:] for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copies = [copy for stage in STAGES for copy in stage.arguments("COPY") if "--from" not in copy]
    sources = {source for copy in copies for source in copy.split()[:-1]}
    assert sources == admitted
    assert all((CHECKOUT / source).exists() for source in sources)


class _Health(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, format, *args):
        return


@pytest.mark.parametrize(("status", "exit_code"), [(200, 0), (503, 1)])
def test_the_health_check_says_what_the_gateway_says(status, exit_code):
    handler = type("Handler", (_Health,), {"status": status})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        assert health_command(server.server_address[1]).returncode == exit_code
        server.shutdown()
        thread.join()


def test_the_health_check_fails_when_nobody_listens():
    with http.server.HTTPServer(("127.0.0.1", 0), _Health) as server:
        port = server.server_address[1]
    assert health_command(port).returncode != 0


def health_command(port):
    (check,) = RUNTIME.arguments("HEALTHCHECK")
    python, *rest = json.loads(check.split(" CMD ", 1)[1])
    assert python == "python"
    assert "8080" in rest[-1]
    code = [word.replace("8080", str(port)) for word in rest]
    return subprocess.run([sys.executable, *code], capture_output=True, check=False, timeout=30)
