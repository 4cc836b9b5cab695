"""The demonstration's platform above the desk: it takes what is signed, names repetitions, and refuses the rest."""

import hashlib
import hmac
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from drivers.sim.platform import DUPLICATE, MOST_BODY_BYTES, REFUSED, TAKEN, WHO

RECORD = {"event_id": "e-1", "project_code": "P-1"}


@pytest.fixture(scope="module")
def platform() -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "drivers.sim.platform"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield json.loads(running.stdout.readline())
        running.terminate()
    assert running.returncode == 0


def post(platform: dict[str, Any], record: Any, *, at_s: float = 0.0, secret: str = "", **changes: Any) -> int:
    told: dict[str, Any] = {"appKey": platform["app_key"], "timestamp": str(int((time.time() + at_s) * 1000))}
    told |= {"nonce": "n-1", "data": json.dumps(record)}
    text = "&".join(f"{name}={told[name]}" for name in sorted(told))
    told["sign"] = hmac.new((secret or platform["app_secret"]).encode(), text.encode(), hashlib.sha256).hexdigest()
    answer = httpx.post(f"{platform['url']}/api/hazard", json=told | changes, trust_env=False)
    return int(answer.json()["code"])


def test_a_signed_record_is_taken_once_and_its_repetition_is_named(platform: dict[str, Any]) -> None:
    before = httpx.get(platform["url"], trust_env=False).json()
    assert post(platform, RECORD) == TAKEN
    assert post(platform, RECORD) == DUPLICATE
    assert post(platform, [RECORD, RECORD | {"event_id": "e-2"}]) == TAKEN
    after = httpx.get(platform["url"], trust_env=False).json()
    assert after["taken"]["/api/hazard"] - before["taken"].get("/api/hazard", 0) == 2
    assert after["duplicates"] - before["duplicates"] == 2


@pytest.mark.parametrize(
    ("code", "options"),
    [
        (WHO, {"secret": "another"}),
        (WHO, {"appKey": "nobody"}),
        (WHO, {"at_s": -3600}),
        (REFUSED, {"data": "no json"}),
        (REFUSED, {"sign": None, "timestamp": None}),
    ],
)
def test_what_is_not_signed_or_not_understood_is_refused(
    platform: dict[str, Any], code: int, options: dict[str, Any]
) -> None:
    assert post(platform, RECORD, **options) == code


def test_a_body_beyond_the_bound_is_refused(platform: dict[str, Any]) -> None:
    asking = http.client.HTTPConnection(platform["url"].removeprefix("http://"), timeout=10)
    asking.putrequest("POST", "/alarm")
    asking.putheader("content-length", str(MOST_BODY_BYTES + 1))
    asking.endheaders()
    assert asking.getresponse().status == 413
    asking.close()
