"""The floods of `bench.floods`, as one process: what one caller, or a few, can do to a box and a desk, all at once.

`python -m bench.flood_senders PLAN`: PLAN is JSON with addresses and sessions. It floods until its standard input ends,
then prints how often each flood did what, as one JSON object. Bounded: at most `SLOW` connections to each face that ask
for nothing, `STREAMS` event streams, and one message, package and envelope a sender at a time. Only 127.0.0.0/8.
"""

import asyncio
import contextlib
import io
import json
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import httpx

from contract.envelope import SIGNATURE_HEADER, Envelope, seal
from contract.signing import generate_key
from tests.fakes.mosquitto import program

NOBODIES: Final = 6
ENVELOPE_BYTES: Final = 1_800_000
STREAMS: Final = 64
SLOW: Final = 600
MESSAGE_BYTES: Final = 200_000_000
MESSAGE_EVERY_S: Final = 5.0
ZIP_FILES: Final = 19_000
ZIP_NAME_CHARACTERS: Final = 100
AGAIN_S: Final = 0.5
Counts = Counter[str]


async def run(plan: dict[str, Any]) -> Counts:
    """Every flood of the plan until standard input ends."""
    counts: Counts = Counter()
    slow = [(url, number) for url in (plan["box"], plan["desk"]) for number in range(SLOW)]
    floods = [
        *(_forever(_nobody(plan, number), counts) for number in range(NOBODIES)),
        *(_forever(_stream(plan), counts) for _ in range(STREAMS)),
        *(_forever(_slow(url, number), counts) for url, number in slow),
        _forever(_message(plan), counts),
        _forever(_package(plan), counts),
    ]
    tasks = [asyncio.create_task(flood) for flood in floods]
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print(json.dumps({"floods": len(tasks)}), flush=True)
    await reader.read()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return counts


async def _forever(once: Callable[[], Awaitable[str]], counts: Counts) -> None:
    """Again and again; what comes of it is counted."""
    while True:
        try:
            counts[await once()] += 1
        except (httpx.HTTPError, OSError, EOFError) as error:
            counts[f"{once.__name__}: {type(error).__name__}"] += 1
            await asyncio.sleep(AGAIN_S)


def _client(url: str, source: str, cookies: dict[str, str] | None = None) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(local_address=source)
    return httpx.AsyncClient(base_url=url, transport=transport, timeout=60, cookies=cookies)


def _nobody(plan: dict[str, Any], number: int) -> Callable[[], Awaitable[str]]:
    """A box that nobody enrolled, with a signature of its own that holds."""
    key, client = generate_key(), _client(plan["desk"], f"127.0.0.{10 + number}")
    body = {"record": "x" * ENVELOPE_BYTES, "sha256": "0" * 64}
    about = {"alg": key.public.alg, "key_id": key.public.key_id, "box_id": f"nobody-{number}", "seq": 1, "key": "r1"}
    sealed = seal(Envelope(**about, kind="evidence_record", sent_at_ns=time.time_ns(), body=body), key)

    async def envelope() -> str:
        answer = await client.post("/v1/messages", content=sealed.raw, headers={SIGNATURE_HEADER: sealed.signature})
        return f"envelope: {answer.status_code}"

    return envelope


def _stream(plan: dict[str, Any]) -> Callable[[], Awaitable[str]]:
    """One viewer's page that listens; the same login in every one."""
    client = _client(plan["box"], "127.0.0.20", plan["viewer"])

    async def stream() -> str:
        async with client.stream("GET", "/api/events", timeout=None) as answer:
            if answer.status_code == httpx.codes.OK:
                async for _ in answer.aiter_bytes():
                    continue
        await asyncio.sleep(AGAIN_S)
        return f"stream: {answer.status_code}"

    return stream


def _slow(url: str, number: int) -> Callable[[], Awaitable[str]]:
    """A third says nothing, a third a header and a third a body without end."""
    address = httpx.URL(url)
    begun = [b"", b"GET / HTTP/1.1\r\nhost: x\r\n", b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n"]

    async def slow() -> str:
        source = (f"127.0.0.{30 + number % 4}", 0)
        reader, writer = await asyncio.open_connection(address.host, address.port, local_addr=source)
        try:
            writer.write(begun[number % 3])
            await reader.read()
        finally:
            writer.close()
        await asyncio.sleep(AGAIN_S)
        return "slow: closed"

    return slow


def _message(plan: dict[str, Any]) -> Callable[[], Awaitable[str]]:
    """A device's message of 200 MB."""
    path, tool = Path(plan["folder"]) / "message", program("mosquitto_pub", "mosquitto-clients")
    with path.open("wb") as file:
        file.truncate(MESSAGE_BYTES)
    about = ["-h", "127.0.0.1", "-p", str(plan["broker_port"]), "-q", "1", "-t", plan["topic"], "-f", str(path)]

    async def message() -> str:
        process = await asyncio.create_subprocess_exec(tool, *about)
        try:
            ended = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
        await asyncio.sleep(MESSAGE_EVERY_S)
        return f"message: exit {ended}"

    return message


def _package(plan: dict[str, Any]) -> Callable[[], Awaitable[str]]:
    """A zip of some 4 MB with many long names, handed in to be checked by somebody who may."""
    client = _client(plan["desk"], "127.0.0.40", plan["reviewer"])
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        names = [f"{number:0{ZIP_NAME_CHARACTERS}}" for number in range(ZIP_FILES)]
        package.writestr("manifest.json", json.dumps({"files": dict.fromkeys(names, "0" * 64)}))
        for name in names:
            package.writestr(name, bytes(1000))
    content, csrf = file.getvalue(), plan["reviewer_csrf"]

    async def zipped() -> str:
        answer = await client.post("/verify", data={"csrf": csrf}, files={"package": ("p.zip", content)})
        return f"package: {answer.status_code}"

    return zipped


def main() -> None:
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with contextlib.suppress(KeyboardInterrupt):
        print(json.dumps(asyncio.run(run(plan))), flush=True)


if __name__ == "__main__":
    main()
