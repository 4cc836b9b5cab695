"""A curve over 130,000 stored points in a real headless Chromium: from the question to the frame after the drawing.

    python -m bench.curve [--runs 20] [--shape raw|minutes] [--slower 6]

A history is written through the real store, the real gateway serves it, and the browser asks as a person does who
presses the button of another span: question, reading, decimation, answer, drawing, the next frame. `raw` are 130,000
readings of one crane at 10 Hz (3.6 h), `minutes` 130,000 one-minute values (90 days). Each run asks for another point
of the device. The first run is cold: that process has not opened the history yet.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
from playwright.async_api import Page, async_playwright

from bench.curve_history import MINUTE_NS, write_history
from gateway.settings import load
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.chromium import launch, throttle_cpu
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.mosquitto import free_port
from tests.fakes.screen_site import CRANES, PIT, write_site

POINTS = 130_000
DEVICE = "crane-1-host"
AIM_MS = 250.0
SHAPES = {"raw": 100_000_000, "minutes": MINUTE_NS}
KEYS = ("load_t", "moment_pct", "radius_m", "hook_m", "slew_deg", "wind_ms", "tilt_deg", "crane_h_m")
ASK = """async (query) => {
  const { showIn } = await import(document.querySelector("script[src*='curve_panel.js']").src);
  const figure = document.querySelector("figure[data-curve]");
  const drawn = new Promise((told) => figure.addEventListener("curve-drawn", told, { once: true }));
  const started = performance.now();
  showIn(figure, `/api/curve?${query}`);
  const told = (await drawn).detail;
  await new Promise((frame) => requestAnimationFrame(() => requestAnimationFrame(frame)));
  const label = figure.querySelector("canvas").getAttribute("aria-label");
  return { whole_ms: performance.now() - started, ...told, label };
}"""


async def measure(shape: str, runs: int, slower: float) -> dict[str, object]:
    """One shape of history: times of `runs` curves, and what their answers weigh."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        site = write_site(folder, {asset: free_port() for asset in (*CRANES, PIT)}, port)
        end_ns = time.time_ns() // MINUTE_NS * MINUTE_NS - 2 * MINUTE_NS
        settings = load(site, DRIVERS, UPLINKS, KINDS)
        write_history(folder / "box", settings.points, DEVICE, POINTS, SHAPES[shape], end_ns)
        span = f"from_ns={end_ns - POINTS * SHAPES[shape]}&to_ns={end_ns}"
        with GatewayProcess(site, f"http://127.0.0.1:{port}") as gateway:
            async with async_playwright() as playwright:
                browser = await launch(playwright)
                page = await browser.new_page(viewport={"width": 1280, "height": 900})
                await page.goto(f"{gateway.url}/curves?asset=crane-2")
                await throttle_cpu(page, slower)
                times = [await _asked(page, f"point=crane-1.{KEYS[n % len(KEYS)]}&{span}") for n in range(runs)]
                await browser.close()
            four = "&".join(f"point=crane-1.{key}" for key in KEYS[:4])
            return {
                "whole_ms": [each["whole_ms"] for each in times],
                "fetched_ms": [each["fetched_ms"] for each in times],
                "drawn_ms": [each["drawn_ms"] for each in times],
                "one": _fetched(f"{gateway.url}/api/curve?point=crane-1.load_t&{span}"),
                "four": _fetched(f"{gateway.url}/api/curve?{four}&{span}"),
            }


async def _asked(page: Page, query: str) -> dict[str, float]:
    found: dict[str, float] = await page.evaluate(ASK, query)
    if not found["label"] or "fetched_ms" not in found:
        raise RuntimeError("no curve was drawn")
    return found


def _fetched(url: str) -> dict[str, float]:
    """The answer without a browser: bytes, milliseconds, samples of the first series."""
    started = time.perf_counter()
    with urllib.request.urlopen(url, timeout=30) as answer:
        body = answer.read()
    took_ms = (time.perf_counter() - started) * 1000
    return {"bytes": len(body), "ms": took_ms, "samples": len(json.loads(body)["series"][0]["t_ms"])}


def report(shape: str, run: dict[str, object], slower: float) -> str:
    """The figures of one shape, with the aim beside them."""
    whole, fetched, drawn = (np.array(run[name]) for name in ("whole_ms", "fetched_ms", "drawn_ms"))
    one, four = run["one"], run["four"]
    cpu = f", browser {slower:g}x slower" if slower != 1 else ""
    return (
        f"{POINTS} stored points as {shape}: question to the frame after the drawing, {len(whole)} runs{cpu}\n"
        f"  p50 {np.percentile(whole, 50):6.0f} ms   p95 {np.percentile(whole, 95):6.0f} ms   cold {whole[0]:6.0f} ms"
        f"   aim < {AIM_MS:.0f}\n"
        f"  of it: answer p50 {np.percentile(fetched, 50):.0f} ms, drawing p50 {np.percentile(drawn, 50):.1f} ms\n"
        f"  one point: {one['samples']} samples, {one['bytes'] / 1000:.0f} kB, {one['ms']:.0f} ms"  # type: ignore[index]
        f"; four points: {four['bytes'] / 1000:.0f} kB, {four['ms']:.0f} ms"  # type: ignore[index]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--shape", choices=[*SHAPES, "both"], default="both")
    parser.add_argument("--slower", type=float, default=1.0, help="how many times slower the browser's CPU is made")
    options = parser.parse_args()
    print(f"load of the machine (1 min): {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for shape in SHAPES if options.shape == "both" else (options.shape,):
        print(report(shape, asyncio.run(measure(shape, options.runs, options.slower)), options.slower))


if __name__ == "__main__":
    main()
