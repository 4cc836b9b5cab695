/**
 * Brings every `<figure data-curve="/api/curve?...">` of a page to life: data, readout, tools, table, newest values.
 *
 * Other scripts reach the curve as `curveOf(figure)`; a figure says `curve-drawn` after each drawing of new data, and
 * `curve-cursor` (detail: ns as BigInt, or null) when a person moves the cursor.
 */
import { ageText, t } from "./text.js";
import { mountCurve } from "./curve.js";
import { siteTime } from "./curve_time.js";
import { valueText } from "./curve_scale.js";

const LETTERS = "ABCD";
const SETTLE_MS = 180;
const FEWEST_SAMPLES = 600, MOST_SAMPLES = 4000;
const TAIL_MS = 2000, LATER_MS = 10000, SELDOM_MS = 300000;
const SHORT_SPAN_MS = 2 * 3600e3, RAW_SPAN_MS = 26 * 3600e3, WHOLE_AGAIN_MS = 120000;
const panels = new WeakMap();

/** The curve of a figure. @param {HTMLElement} figure @returns {object|undefined} as `mountCurve` gives it */
export function curveOf(figure) {
  return panels.get(figure)?.curve;
}

/** Bring a figure to life; once each. @param {HTMLElement} figure */
export function mountPanel(figure) {
  if (!panels.has(figure)) panels.set(figure, new Panel(figure));
}

/** Show other points or another span in a figure. @param {HTMLElement} figure @param {string} url @returns {Promise<void>} */
export function showIn(figure, url) {
  return panels.get(figure).open(url);
}

class Panel {
  constructor(figure) {
    this.figure = figure;
    this.canvas = figure.querySelector("canvas");
    this.readout = figure.querySelector("[data-curve-readout]");
    this.summary = figure.querySelector("[data-curve-summary]");
    this.problem = figure.querySelector("[data-curve-problem]");
    this.table = figure.querySelector("details[data-values]");
    for (const part of figure.querySelectorAll("[data-needs-script]")) part.hidden = false;
    this.curve = mountCurve(this.canvas, { onCursor: (at) => this.#moved(at), onView: () => this.#viewChanged() });
    figure.querySelector("[data-curve-tools]")?.addEventListener("click", (event) => this.#tool(event));
    this.table?.addEventListener("toggle", () => this.#fillTable());
    this.zoomed = false;
    this.asked = 0;
    this.open(figure.dataset.curve);
    this.#keepFresh();
  }

  /** @param {string} url */
  async open(url) {
    this.url = url;
    this.zoomed = false;
    await this.#load(url, false);
  }

  /** An alarm rose, returned or was acknowledged: its marks may belong to what is shown. Once in a while at most. */
  alarmed() {
    if (!this.answer?.live || this.zoomed || document.hidden || this.alarmWaits) return;
    this.alarmWaits = setTimeout(() => {
      this.alarmWaits = 0;
      if (!this.zoomed) this.#load(this.url, false);
    }, TAIL_MS);
  }

  async #load(url, keepView) {
    const number = ++this.asked;
    const started = performance.now();
    try {
      const answer = await fetch(this.#asFineAs(url), { cache: "no-store" });
      if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
      const row = await answer.json();
      if (number !== this.asked || !this.canvas.isConnected) return;
      this.#show(row, keepView, started);
    } catch {
      if (number === this.asked) this.#fail();
    }
  }

  /** No finer than the screen: a lowest and a highest value for each of its pixels. */
  #asFineAs(url) {
    const pixels = this.canvas.clientWidth * (window.devicePixelRatio || 1);
    return `${url}&samples=${Math.min(MOST_SAMPLES, Math.max(FEWEST_SAMPLES, Math.round(2 * pixels)))}`;
  }

  #show(row, keepView, started) {
    this.answer = row;
    this.loaded = performance.now();
    this.problem.hidden = true;
    this.figure.classList.remove("outdated");
    this.#size(row.series);
    const drawing = performance.now();
    this.curve.show(row, keepView);
    const words = row.summaries.join(" ");
    this.canvas.setAttribute("aria-label", words);
    this.summary.replaceChildren(...row.summaries.map((text) => Object.assign(document.createElement("p"), { textContent: text })));
    this.#resolution(row);
    this.#read();
    this.#fillTable();
    const detail = { fetched_ms: drawing - started, drawn_ms: performance.now() - drawing };
    this.figure.dispatchEvent(new CustomEvent("curve-drawn", { bubbles: true, detail }));
  }

  /** One pane a unit, each high enough to be read. */
  #size(series) {
    const panes = new Set(series.map((each) => each.unit)).size;
    this.canvas.style.height = `${Math.max(240, 30 + 190 * panes)}px`;
  }

  #fail() {
    this.problem.hidden = false;
    this.problem.textContent = t("The curve could not be loaded. Old data is shown");
    this.figure.classList.add("outdated");
  }

  #resolution(row) {
    const place = this.figure.querySelector("[data-curve-resolution]");
    if (!place) return;
    const words = { raw: t("readings"), minute: t("one-minute values") };
    const parts = row.series[0]?.parts ?? [];
    place.textContent = parts.map((part) => {
      const each = part.each_s > 0 ? `, ${t("lowest and highest of each %(age)s", { age: spanText(part.each_s) })}` : "";
      const from = parts.length > 1 ? `${siteTime(row.from_ms + part.from_ms)} ` : "";
      return `${from}${words[part.resolution]}${each}`;
    }).join("; ");
  }

  #moved(at) {
    this.#read();
    this.figure.dispatchEvent(new CustomEvent("curve-cursor", { bubbles: true, detail: at }));
  }

  /** What every series says at the cursor. */
  #read() {
    const at = this.curve.cursor;
    if (at === null) {
      this.readout.replaceChildren(text("span", t("Move the cursor over the curve, or use the arrow keys")));
      return;
    }
    const rows = this.curve.series.map((series, n) => text("span", `${LETTERS[n]} ${series.title}: ${this.#valueAt(series, at)}`));
    this.readout.replaceChildren(text("strong", siteTime(at)), ...rows);
  }

  #valueAt(series, at) {
    const found = series.at(at);
    if (found.kind) {
      const words = { missing: t("no data"), bad: t("bad data"), suspect: t("doubtful data") };
      const age = Number.isFinite(found.ageMs) ? `, ${t("last value %(age)s before", { age: ageText(found.ageMs / 1000) })}` : "";
      return `${t("unknown")} (${words[found.kind]}${age})`;
    }
    const number = (value) => valueText(value, series.decimals);
    const span = found.low === found.high ? number(found.mean) : `${number(found.low)} – ${number(found.high)}, ${t("mean")} ${number(found.mean)}`;
    const age = found.ageMs >= 1000 ? ` (${t("%(age)s before", { age: ageText(found.ageMs / 1000) })})` : "";
    return `${span} ${series.unit}${age}`;
  }

  #viewChanged() {
    const { whole, view } = this.curve;
    this.zoomed = view.from !== whole.from || view.to !== whole.to;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.#load(this.#urlOfView(), this.zoomed), SETTLE_MS);
  }

  /** The same question about the span on the screen. */
  #urlOfView() {
    if (!this.zoomed) return this.url;
    const url = new URL(this.url, location.href);
    url.searchParams.delete("last_s");
    const { from, to } = this.curve.view;
    url.searchParams.set("from_ns", `${Math.max(0, Math.round(from))}000000`);
    url.searchParams.set("to_ns", `${Math.max(1, Math.round(to))}000000`);
    return `${url.pathname}${url.search}`;
  }

  #tool(event) {
    const tool = event.target.closest("button")?.dataset.tool;
    const actions = {
      in: () => this.curve.zoom(0.5),
      out: () => this.curve.zoom(2),
      left: () => this.curve.pan(-0.5),
      right: () => this.curve.pan(0.5),
      all: () => this.curve.reset(),
    };
    actions[tool]?.();
  }

  async #fillTable() {
    if (!this.table?.open) return;
    const place = this.table.querySelector("[data-values-place]");
    const url = this.#urlOfView().replace("/api/curve", "/curves/values");
    const answer = await fetch(url, { headers: { "x-part": "1" }, cache: "no-store" }).catch(() => null);
    if (!answer?.ok) {
      place.replaceChildren(text("p", t("The table could not be loaded")));
      return;
    }
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    place.replaceChildren(...found.body.childNodes);
  }

  /** A span that ends now goes on: not while somebody looks at a part of it or at its table, nor in a hidden page. */
  #keepFresh() {
    const span = this.answer ? this.answer.to_ms - this.answer.from_ms : 0;
    const wait = span <= SHORT_SPAN_MS ? TAIL_MS : span <= RAW_SPAN_MS ? LATER_MS : SELDOM_MS;
    setTimeout(async () => {
      if (!this.canvas.isConnected) {
        this.curve.destroy();
        return;
      }
      if (this.answer?.live && !this.zoomed && !document.hidden && !this.table?.open) await this.#goOn(span);
      this.#keepFresh();
    }, wait);
  }

  /** The newest moments alone, when the span is made of readings; from time to time everything, decimated anew. */
  async #goOn(span) {
    const again = performance.now() - this.loaded > Math.max(WHOLE_AGAIN_MS, span / 50);
    if (span > RAW_SPAN_MS || again || this.figure.classList.contains("outdated")) return this.#load(this.url, false);
    const number = this.asked;
    const url = new URL(this.url, location.href);
    url.searchParams.delete("last_s");
    url.searchParams.set("from_ns", `${Math.floor(this.curve.newest)}000000`);
    const nowMs = Math.round(this.answer.now_ms + performance.now() - this.loaded); // the box's clock, not the browser's
    url.searchParams.set("to_ns", `${nowMs + 60000}000000`);
    try {
      const answer = await fetch(`${url.pathname}${url.search}`, { cache: "no-store" });
      if (!answer.ok) throw new Error(`${url.pathname}: ${answer.status}`);
      const row = await answer.json();
      if (number === this.asked && !this.zoomed) this.curve.extend({ ...row, to_ms: row.now_ms });
    } catch {
      if (number === this.asked) this.#fail();
    }
  }
}

function text(tag, words) {
  return Object.assign(document.createElement(tag), { textContent: words });
}

function spanText(seconds) {
  return seconds < 60 ? `${Number(seconds.toFixed(1))} ${t("s")}` : ageText(seconds);
}

for (const figure of document.querySelectorAll("figure[data-curve]")) mountPanel(figure);
document.addEventListener("feed-alarm", () => {
  for (const figure of document.querySelectorAll("figure[data-curve]")) panels.get(figure)?.alarmed();
});
document.addEventListener("part-swapped", (event) => {
  for (const figure of event.target.querySelectorAll("figure[data-curve]")) mountPanel(figure);
});
