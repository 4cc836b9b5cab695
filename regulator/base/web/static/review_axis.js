/**
 * One time axis for an item's stills, its clip and its curve, with one cursor: whoever moves any of them moves all.
 *
 *     const axis = new TimeAxis((ms, by) => ...);   `by`: "start", "slider", "curve", "strip", "clip" or "key"
 *     axis.set(item); axis.moveTo(ms, "strip");
 *
 * Two spans: close (what the pictures cover) and wide (the half hour before); the button goes from one to the other.
 */
import { t } from "../screens/text.js";

const SVG = "http://www.w3.org/2000/svg";
const STEPS = 1000;
const byId = (id) => document.getElementById(id);

export class TimeAxis {
  /** @param {(ms: number, by: string) => void} moved */
  constructor(moved) {
    this.moved = moved;
    this.cursor = this.raised = this.from = 0;
    this.to = 1;
    this.slider = byId("cursor");
    this.mark = byId("curve-cursor");
    this.line = this.mark.appendChild(document.createElementNS(SVG, "line"));
    this.slider.addEventListener("input", () => this.moveTo(this.from + (Number(this.slider.value) / STEPS) * (this.to - this.from), "slider"));
    byId("span-toggle").addEventListener("click", () => this.#use((this.place + 1) % this.spans.length));
    const frame = byId("curve-frame");
    frame.addEventListener("pointerdown", (event) => event.button === 0 && (frame.setPointerCapture(event.pointerId), this.#point(event)));
    frame.addEventListener("pointermove", (event) => frame.hasPointerCapture(event.pointerId) && this.#point(event));
  }

  /** Another item; the cursor stands where it was raised. @param {object} item */
  set(item) {
    this.spans = item.spans;
    this.plot = item.plot;
    this.raised = item.raised_ms;
    this.cursor = item.raised_ms;
    this.mark.setAttribute("viewBox", `0 0 ${this.plot[4]} ${this.plot[5]}`);
    byId("span-toggle").hidden = this.spans.length < 2;
    this.#use(0);
  }

  /** @param {number} ms since the epoch @param {string} by whom; that one is not moved again */
  moveTo(ms, by) {
    this.cursor = Math.min(this.to, Math.max(this.from, ms));
    this.#paint();
    this.moved(this.cursor, by);
  }

  /** The moment as seconds from the alarm. @param {number} ms @returns {string} */
  offset(ms) {
    const seconds = (ms - this.raised) / 1000;
    return `${seconds < 0 ? "−" : "+"}${Math.abs(seconds).toFixed(1)} s`;
  }

  #use(place) {
    this.place = place;
    const span = this.spans[place];
    [this.from, this.to] = [span.from_ms, span.to_ms];
    byId("curve").src = span.curve;
    const button = byId("span-toggle");
    button.textContent = span.name === "close" ? t("Show the half hour before") : t("Show the seconds around it");
    this.moveTo(this.cursor, "start");
  }

  #paint() {
    const share = (this.cursor - this.from) / (this.to - this.from);
    const [left, right, top, bottom] = this.plot;
    const x = String(left + share * (right - left));
    for (const [name, value] of [["x1", x], ["x2", x], ["y1", top], ["y2", bottom]]) this.line.setAttribute(name, value);
    this.slider.value = String(Math.round(share * STEPS));
    const words = this.offset(this.cursor);
    this.slider.setAttribute("aria-valuetext", words);
    byId("cursor-said").textContent = words;
  }

  #point(event) {
    const box = byId("curve-frame").getBoundingClientRect();
    const [left, right, , , width] = this.plot;
    const share = (((event.clientX - box.left) / box.width) * width - left) / (right - left);
    this.moveTo(this.from + share * (this.to - this.from), "curve");
  }
}
