/**
 * The box's clock on every page, and ages of what the page shows: `data-clock` holds the box's time when the page was
 * made, `data-since-ms` when something began (both ms UTC). The browser's own clock may be wrong and is not asked.
 */
import { ageText } from "../screens/text.js";

const TICK_MS = 1000;
const SITE_OFFSET_MS = 8 * 3600000; // Asia/Shanghai, without summer time
const known = { boxMs: Number(document.querySelector("[data-clock]")?.dataset.clock), atMs: performance.now() };

document.addEventListener("feed-live", (event) => {
  known.boxMs = event.detail.at_ns / 1e6;
  known.atMs = performance.now();
});

document.addEventListener("part-swapped", tick);
setInterval(tick, TICK_MS);

function tick() {
  if (!known.boxMs || document.hidden) return;
  const nowMs = known.boxMs + performance.now() - known.atMs;
  for (const clock of document.querySelectorAll("[data-clock]")) {
    put(clock, new Date(nowMs + SITE_OFFSET_MS).toISOString().slice(11, 19));
  }
  for (const since of document.querySelectorAll("[data-since-ms]")) {
    put(since, ageText((nowMs - Number(since.dataset.sinceMs)) / 1000));
  }
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
