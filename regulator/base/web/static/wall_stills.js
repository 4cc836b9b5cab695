/** Small pictures of the tiles in view, after the feed is connected: three at a time, again every minute, each with its age. */
import { ageText, t } from "../screens/text.js";

const EVERY_MS = 60000;
const OLD_MS = 300000;
const AT_ONCE = 3;

export class Stills {
  constructor(connected) {
    Object.assign(this, { connected, on: false, busy: 0, near: new Set(), known: new WeakMap() });
    this.seen = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) this.near[isIntersecting ? "add" : "delete"](target);
      this.look();
    }, { root: null, rootMargin: "100px" });
    setInterval(() => this.look(), 500);
  }

  show(on, tiles) {
    this.on = on;
    this.seen.disconnect();
    this.near.clear();
    if (on) for (const tile of tiles) this.seen.observe(tile);
  }

  look() {
    if (!this.on || document.hidden || !this.connected()) return;
    const now = performance.now();
    const due = [...this.near].filter((tile) => now - (this.known.get(tile)?.askedAt ?? -EVERY_MS) >= EVERY_MS);
    for (const tile of due.slice(0, AT_ONCE - this.busy)) this.#ask(tile, now);
    for (const tile of this.near) this.#age(tile, now);
  }

  async #ask(tile, now) {
    const known = this.known.get(tile) ?? { etag: "", capturedAt: null };
    this.known.set(tile, known);
    known.askedAt = now;
    this.busy += 1;
    try {
      const headers = known.etag ? { "if-none-match": known.etag } : {};
      const answer = await fetch(`/api/wall/stills/${tile.dataset.code}`, { priority: "low", cache: "no-store", headers });
      if (answer.status === 200 || answer.status === 304) await this.#take(tile, known, answer);
    } catch {
      // what is shown grows old, and says so
    }
    this.busy -= 1;
    this.#age(tile, performance.now());
  }

  async #take(tile, known, answer) {
    known.capturedAt = performance.now() - Number(answer.headers.get("x-age-ms") ?? 0);
    if (answer.status === 304) return;
    known.etag = answer.headers.get("etag");
    const image = tile.querySelector("img"), before = image.src;
    image.src = URL.createObjectURL(await answer.blob());
    image.hidden = false;
    if (before.startsWith("blob:")) URL.revokeObjectURL(before);
  }

  #age(tile, now) {
    const known = this.known.get(tile);
    const age = known?.capturedAt == null ? null : now - known.capturedAt;
    const words = age === null ? t("no picture") : age > OLD_MS ? t("%(age)s old", { age: ageText(age / 1000) }) : "";
    tile.classList.toggle("no-still", words !== "");
    const place = tile.querySelector(".age");
    if (place.textContent !== words) place.textContent = words;
  }
}
