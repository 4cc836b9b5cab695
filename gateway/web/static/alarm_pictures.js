/**
 * The pictures of an alarm on one time axis with its curve: one cursor moves the shown still, the clip and the curve's
 * mark together. Whoever moves any of them moves all.
 *
 *     B boxes · , and . one step back and on · arrows on the slider, on the curve or in the clip
 */
import { curveOf } from "../screens/curve_panel.js";
import { refreshPart } from "../screens/parts.js";
import { t } from "../screens/text.js";
import { bindBoxes, boxesOn, boxWords, drawBoxes } from "./boxes.js";
import { bindKeys } from "./keys.js";

const STEP_MS = 100;
const section = document.getElementById("pictures");
const figure = document.querySelector("figure[data-curve]");
let shown = null;

class Pictures {
  constructor(root) {
    this.root = root;
    this.from = Number(root.dataset.fromMs);
    this.to = Number(root.dataset.toMs);
    this.cursor = (this.from + this.to) / 2;
    this.image = root.querySelector(".picture img");
    this.axis = root.querySelector("[data-axis]");
    this.slider = root.querySelector("[data-cursor]");
    this.video = root.querySelector("[data-clip-video]");
    this.stills = [...root.querySelectorAll("[data-strip]")].map((link) => ({ link, at: Number(link.dataset.strip) }));
    this.current = this.stills.find(({ link }) => "fired" in link.dataset) ?? null;
    this.axis.hidden = false;
    this.toggleBoxes = bindBoxes(root.querySelector("#boxes-toggle"), () => this.showBoxes());
    this.slider.addEventListener("input", () => this.moveTo(this.#middle() + 1000 * Number(this.slider.value), "slider"));
    for (const still of this.stills) {
      still.link.addEventListener("click", (event) => {
        event.preventDefault();
        this.moveTo(still.at, "strip");
      });
    }
    root.querySelector("[data-faces]")?.addEventListener("click", (event) => this.#faces(event));
    root.querySelector("[data-clip]")?.addEventListener("click", (event) => this.#openClip(event));
    this.video?.addEventListener("timeupdate", () => this.#clipMoved());
    this.video?.addEventListener("seeked", () => this.#clipMoved());
    this.moveTo(this.cursor, "start");
    this.align();
  }

  /** Put the cursor at a time; whoever moved it is not moved again. @param {number} ms @param {string} by */
  moveTo(ms, by) {
    this.cursor = Math.min(this.to, Math.max(this.from, ms));
    const offset = (this.cursor - this.#middle()) / 1000;
    const words = `${offset < 0 ? "−" : "+"}${Math.abs(offset).toFixed(1)} s`;
    this.root.querySelector("[data-cursor-said]").textContent = words;
    if (by !== "slider") this.slider.value = String(offset);
    this.slider.setAttribute("aria-valuetext", words);
    if (by !== "curve" && figure) curveOf(figure)?.setCursor(BigInt(Math.round(this.cursor)) * 1000000n);
    if (by !== "clip") this.#seek();
    this.#show(by === "start");
  }

  step(by) {
    this.moveTo(this.cursor + by * STEP_MS, "key");
  }

  showBoxes() {
    const svg = this.root.querySelector(".picture svg.boxes");
    const words = this.root.querySelector("[data-box-words]");
    if (!svg || !this.current) return;
    const on = boxesOn();
    svg.toggleAttribute("hidden", !on);
    words.hidden = !on;
    if (!on) return;
    const boxes = JSON.parse(this.current.link.dataset.boxes);
    drawBoxes(svg, boxes, this.current.link.dataset.size.split(" ").map(Number));
    words.replaceChildren(...boxWords(boxes).map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  }

  /** The slider begins and ends where the curve does, which shows the same span. */
  align() {
    const plan = figure && curveOf(figure)?.drawn?.plan;
    if (!plan || innerWidth < 600) return;
    this.axis.style.paddingLeft = `${plan.left}px`;
    this.axis.style.paddingRight = `${Math.max(0, figure.clientWidth - plan.right)}px`;
  }

  #middle() {
    return (this.from + this.to) / 2;
  }

  /** The newest still that is not after the cursor; before the first, the first. */
  #show(keep) {
    const sorted = [...this.stills].sort((a, b) => a.at - b.at);
    const found = keep ? this.current : (sorted.filter((still) => still.at <= this.cursor + STEP_MS / 2).at(-1) ?? sorted[0]);
    if (!found || !this.image) return;
    for (const { link } of this.stills) link.toggleAttribute("aria-current", false);
    found.link.setAttribute("aria-current", "true");
    if (found !== this.current) {
      this.image.src = found.link.href;
      const of = found.link.querySelector("img").alt;
      this.image.alt = of || t("The frame that fired, faces blurred");
    }
    this.current = found;
    this.showBoxes();
  }

  #faces(event) {
    event.preventDefault();
    this.moveTo(this.stills.find(({ link }) => "fired" in link.dataset).at, "faces");
    this.image.src = event.currentTarget.href;
    this.image.alt = t("The frame that fired, with faces");
  }

  /** In one piece, so that one look is one record, and so that it can be moved in freely. */
  async #openClip(event) {
    event.preventDefault();
    const link = event.currentTarget;
    const said = this.root.querySelector("[data-clip-said]");
    said.textContent = t("The clip is being opened");
    try {
      const answer = await fetch(link.href, { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      this.video.src = URL.createObjectURL(await answer.blob());
      this.video.hidden = false;
      link.hidden = true;
      said.textContent = "";
      this.video.addEventListener("loadedmetadata", () => this.#seek(), { once: true });
      this.video.addEventListener("error", () => (said.textContent = t("This browser cannot play the clip")), { once: true });
    } catch {
      said.textContent = t("The clip could not be opened");
    }
  }

  #start() {
    return Number(this.root.querySelector("[data-clip]")?.dataset.clip ?? NaN);
  }

  #seek() {
    if (!this.video || this.video.hidden || !Number.isFinite(this.video.duration)) return;
    const at = Math.min(this.video.duration, Math.max(0, (this.cursor - this.#start()) / 1000));
    if (Math.abs(this.video.currentTime - at) > 0.02) this.video.currentTime = at;
  }

  #clipMoved() {
    if (this.video.hidden) return;
    const at = this.#start() + 1000 * this.video.currentTime;
    if (Math.abs(at - this.cursor) > 30) this.moveTo(at, "clip");
  }
}

function mount() {
  const root = section.querySelector("[data-pictures]");
  shown = root ? new Pictures(root) : null;
}

if (section) {
  mount();
  section.addEventListener("part-swapped", mount);
  bindKeys({
    KeyB: () => shown?.toggleBoxes(),
    Comma: () => shown?.step(-1),
    Period: () => shown?.step(1),
  });
  document.addEventListener("feed-live", () => {
    if (section.querySelector("[data-pending]")) refreshPart("pictures");
  });
  figure?.addEventListener("curve-cursor", (event) => {
    if (event.detail !== null) shown?.moveTo(Number(event.detail / 1000000n), "curve");
  });
  figure?.addEventListener("curve-drawn", () => zoomOnce());
}

let zoomed = false;

/** At first the curve shows the clip's span: one axis. Its own tools show the rest. */
function zoomOnce() {
  const curve = curveOf(figure);
  if (shown && curve && !zoomed) {
    zoomed = true;
    curve.setView(shown.from, shown.to);
    curve.setCursor(BigInt(Math.round(shown.cursor)) * 1000000n);
  }
  requestAnimationFrame(() => shown?.align());
}
