/**
 * Stills, once a second: fetched one by one, at most three at a time, only those near the window, only while somebody
 * looks, and after the feed of the alarms is connected. A picture that is old, or that nobody can get, says so.
 *
 *   <figure data-camera="cam-1" data-still="/cameras/cam-1/still.jpg">
 *     <... data-picture><img hidden><svg class="boxes" hidden></svg><span data-no-picture></span></...>
 *     <p data-picture-age></p> <ul data-box-words></ul>
 *   </figure>
 */
import { ageText, t } from "../screens/text.js";
import { boxesOn, boxWords, drawBoxes } from "./boxes.js";

const EVERY_MS = 1000;
const AT_ONCE = 3;
const CONNECTIONS = 6; // a browser opens no more to one address over HTTP/1.1
const FEED_WAIT_MS = 4000;
const OLD_MS = 5000;
const GIVE_UP_MS = 8000;
const NEAR = "240px";

export class Stills {
  /** @param {HTMLElement} root holds the figures @param {() => number} playing live videos now */
  constructor(root, playing) {
    this.playing = playing;
    this.inFlight = 0;
    this.tiles = [...root.querySelectorAll("[data-still]")].map((figure) => new Tile(figure));
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries) this.of(entry.target).near = entry.isIntersecting;
      this.look();
    }, { rootMargin: NEAR });
    for (const tile of this.tiles) seen.observe(tile.figure);
    this.startedAt = performance.now();
    setInterval(() => this.look(), EVERY_MS / 4);
    document.addEventListener("visibilitychange", () => this.look());
  }

  of(figure) {
    return this.tiles.find((tile) => tile.figure === figure);
  }

  /** Draw boxes, or no boxes. */
  redraw() {
    for (const tile of this.tiles) tile.showBoxes();
  }

  /** Ask for what is due, the oldest first. */
  look() {
    if (document.hidden || !this.#alarmsFirst()) return;
    const now = performance.now();
    for (const tile of this.tiles) tile.age(now);
    const due = this.tiles.filter((tile) => tile.due(now)).sort((a, b) => a.askedAt - b.askedAt);
    // One connection is the feed's, one is kept for hands: nobody waits for a picture to acknowledge.
    const room = Math.max(1, Math.min(AT_ONCE, CONNECTIONS - 2 - this.playing()));
    for (const tile of due.slice(0, Math.max(0, room - this.inFlight))) this.#ask(tile, now);
  }

  #alarmsFirst() {
    return document.documentElement.dataset.feed === "live" || performance.now() - this.startedAt > FEED_WAIT_MS;
  }

  async #ask(tile, now) {
    this.inFlight += 1;
    await tile.ask(now);
    this.inFlight -= 1;
  }
}

class Tile {
  constructor(figure) {
    this.figure = figure;
    this.image = figure.querySelector("img");
    this.svg = figure.querySelector("svg.boxes");
    this.near = false;
    this.paused = false;
    this.askedAt = -Infinity;
    this.busy = false;
    this.etag = "";
    this.capturedAt = null; // on this page's clock
    this.boxes = [];
    this.size = [640, 360];
  }

  due(now) {
    return this.near && !this.paused && !this.busy && now - this.askedAt >= EVERY_MS;
  }

  async ask(now) {
    this.busy = true;
    this.askedAt = now;
    try {
      const headers = this.etag ? { "if-none-match": this.etag } : {};
      const signal = AbortSignal.timeout(GIVE_UP_MS);
      const answer = await fetch(this.figure.dataset.still, { priority: "low", cache: "no-store", headers, signal });
      if (answer.status === 200 || answer.status === 304) await this.#take(answer);
    } catch {
      // what is shown grows old, and says so
    }
    this.busy = false;
    this.age(performance.now());
  }

  /** How old the picture is; hatched when it is too old to be now. */
  age(now) {
    const place = this.figure.querySelector("[data-picture-age]");
    const age = this.capturedAt === null ? null : Math.max(0, now - this.capturedAt);
    const old = age === null || age > OLD_MS;
    this.figure.classList.toggle("old", old && !this.paused);
    const words = this.paused || age === null ? "" : old ? t("picture is %(age)s old", { age: ageText(age / 1000) }) : "";
    if (place.textContent !== words) place.textContent = words;
  }

  showBoxes() {
    const shown = boxesOn() && !this.paused && this.capturedAt !== null;
    this.svg.toggleAttribute("hidden", !shown);
    if (shown) drawBoxes(this.svg, this.boxes, this.size);
    const words = this.figure.querySelector("[data-box-words]");
    words.hidden = !shown;
    if (shown) {
      words.replaceChildren(...boxWords(this.boxes).map((text) => Object.assign(document.createElement("li"), { textContent: text })));
    }
  }

  async #take(answer) {
    this.capturedAt = performance.now() - Number(answer.headers.get("x-age-ms") ?? 0);
    if (answer.status === 304) return;
    const body = await answer.blob();
    const size = (answer.headers.get("x-size") ?? "").split(" ").map(Number);
    this.etag = answer.headers.get("etag") ?? "";
    this.boxes = JSON.parse(answer.headers.get("x-boxes") ?? "[]");
    if (size.length === 2 && size[0] > 0) this.size = size;
    const before = this.image.src;
    this.image.src = URL.createObjectURL(body);
    this.image.width = this.size[0];
    this.image.height = this.size[1];
    this.image.hidden = false;
    this.figure.querySelector("[data-no-picture]").hidden = true;
    if (before.startsWith("blob:")) URL.revokeObjectURL(before);
    this.showBoxes();
  }
}
