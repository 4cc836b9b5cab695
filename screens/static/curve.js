/**
 * A curve on a canvas: several series on one time axis, zoomed and read with mouse, fingers or keys.
 *
 *     const curve = mountCurve(canvas, { onCursor: (t_ns) => ..., onView: (fromMs, toMs) => ... });
 *     curve.show(await (await fetch("/api/curve?...")).json());
 *
 * Nothing moves by itself: there is no animation to reduce. What is unknown is hatched and never a number.
 */
import { colours, drawCursor, drawCurve, drawSelection } from "./curve_draw.js";
import { listen } from "./curve_input.js";
import { CurveSeries } from "./curve_series.js";

const NARROWEST_MS = 1000;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{language?: string, onCursor?: (t_ns: bigint|null) => void, onView?: (fromMs: number, toMs: number) => void}} [options]
 * `onCursor` is told when a person moves the cursor, `onView` when a person changes the span.
 */
export function mountCurve(canvas, options = {}) {
  return new Curve(canvas, options);
}

class Curve {
  constructor(canvas, options) {
    this.canvas = canvas;
    this.options = options;
    this.series = [];
    this.marks = [];
    this.whole = this.view = { from: 0, to: 1 };
    this.cursor = null;
    this.selection = null;
    this.base = document.createElement("canvas");
    this.pending = 0;
    this.fresh = false;
    const stop = new AbortController();
    this.stop = stop;
    this.sizes = new ResizeObserver(() => this.#redraw());
    this.sizes.observe(canvas);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", () => this.#redraw(), { signal: stop.signal });
    listen(canvas, this, stop.signal);
  }

  /** Show an answer of `/api/curve`. `keepView`: the span on the screen stays. @param {object} answer @param {boolean} [keepView] */
  show(answer, keepView = false) {
    const language = this.options.language ?? document.documentElement.lang;
    this.series = answer.series.map((row) => new CurveSeries(row, answer.from_ms, language));
    this.marks = answer.marks.map((mark) => ({ ...mark, at: answer.from_ms + mark.t_ms }));
    if (!keepView) this.whole = this.view = { from: answer.from_ms, to: answer.to_ms };
    this.draw();
  }

  /**
   * One new reading from the live feed; the span slides on when it ended at the newest one.
   * @param {string} pointId @param {number|bigint} t_ns @param {number|null} value @param {number} quality 0 good, 1 suspect, 2 bad
   */
  append(pointId, t_ns, value, quality) {
    const series = this.series.find((each) => each.point === pointId);
    if (!series) return;
    const ms = toMs(t_ns);
    series.append(ms, value, quality);
    this.#slide(ms);
  }

  /** An answer about the newest moments of the same points: the span slides on. @param {object} answer of `/api/curve` */
  extend(answer) {
    for (const row of answer.series) this.series.find((each) => each.point === row.point)?.extend(row, answer.from_ms);
    this.#slide(answer.to_ms);
  }

  /** Until when anything is known or known to be unknown: where the next question begins. @returns {number} ms */
  get newest() {
    return Math.min(...this.series.map((each) => Math.max(each.t.at(-1) ?? this.whole.from, this.whole.from)));
  }

  #slide(ms) {
    const step = ms - this.whole.to;
    if (step > 0) {
      const follows = this.view.to >= this.whole.to;
      this.whole = { from: this.whole.from + step, to: ms };
      if (follows) this.view = { from: this.view.from + step, to: this.view.to + step };
    }
    this.#redraw();
  }

  /** Put the cursor at a time (null: away), as a clip on the same axis does. `onCursor` is not called. @param {number|bigint|null} t_ns */
  setCursor(t_ns) {
    this.cursor = t_ns === null ? null : toMs(t_ns);
    this.#repaint();
  }

  /** The cursor as a person moved it. @param {number|null} ms */
  moveCursor(ms) {
    this.cursor = ms === null ? null : Math.min(Math.max(ms, this.view.from), this.view.to);
    this.#repaint();
    this.options.onCursor?.(this.cursor === null ? null : BigInt(Math.round(this.cursor)) * 1000000n);
  }

  /** Show another span, as a person asked for. @param {number} from ms @param {number} to ms */
  setView(from, to) {
    const span = Math.max(to - from, NARROWEST_MS);
    this.view = { from, to: from + span };
    if (this.cursor !== null) this.cursor = Math.min(Math.max(this.cursor, from), from + span);
    this.#redraw();
    this.options.onView?.(this.view.from, this.view.to);
  }

  /** @param {number} factor below 1 zooms in @param {number} [around] ms that stays where it is */
  zoom(factor, around = this.cursor ?? (this.view.from + this.view.to) / 2) {
    const { from, to } = this.view;
    this.setView(around - (around - from) * factor, around + (to - around) * factor);
  }

  /** @param {number} share of the span, to the right when positive */
  pan(share) {
    const step = (this.view.to - this.view.from) * share;
    this.setView(this.view.from + step, this.view.to + step);
  }

  /** The span as it was first asked for. */
  reset() {
    this.setView(this.whole.from, this.whole.to);
  }

  /** The span being dragged, in pixels; null when none. @param {number[]|null} span */
  select(span) {
    this.selection = span;
    this.#repaint();
  }

  /** The time at a pixel of the canvas. @param {number} px @returns {number} ms */
  timeAt(px) {
    return this.drawn ? this.drawn.ms(px) : this.view.from;
  }

  /** Stop listening. */
  destroy() {
    this.stop.abort();
    this.sizes.disconnect();
    cancelAnimationFrame(this.pending);
  }

  /** Draw now; the panel measures this. */
  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of [this.canvas, this.base]) {
      if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
      if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    }
    const pen = this.base.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.scene = { series: this.series, marks: this.marks, ...this.view, width, height, colours: colours(this.canvas) };
    this.drawn = drawCurve(pen, this.scene);
    this.fresh = true;
    this.#paint();
  }

  #paint() {
    const pen = this.canvas.getContext("2d");
    const ratio = window.devicePixelRatio || 1;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.drawImage(this.base, 0, 0);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (this.cursor !== null) drawCursor(pen, this.drawn, this.scene, this.cursor);
    if (this.selection) drawSelection(pen, this.drawn, this.scene, this.selection);
  }

  #redraw() {
    this.fresh = false;
    this.#repaint();
  }

  /** Once a frame, however often it is asked for. */
  #repaint() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      if (this.fresh && this.drawn) this.#paint();
      else this.draw();
    });
  }
}

function toMs(t_ns) {
  return typeof t_ns === "bigint" ? Number(t_ns / 1000n) / 1000 : t_ns / 1e6;
}
