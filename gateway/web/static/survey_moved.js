/**
 * The floor moved up: one handle moves a whole edge. Every spot of it goes up by the same metres, each as far in the
 * picture as a metre is there, so a drag shifts and scales the line. The form's numbers are the truth; a line that is
 * moved again is no longer confirmed.
 *
 *     touch, mouse   drag the handle · ▲ ▼ a tenth of a metre · tap a row: its line has the handle
 *     keys           on the handle: up and down 0.05 m, left and right 0.2 % of the picture
 */
import { t } from "../screens/text.js";

const SVG = "http://www.w3.org/2000/svg";
const STEP_M = 0.05, STEP_ASIDE = 0.2, AWAY_PX = 40, MOST_RISE_M = 30;
const form = document.querySelector("[data-moved]");
const picture = form.querySelector("[data-drawing]");

class Row {
  constructor(fieldset) {
    this.fieldset = fieldset;
    this.way = JSON.parse(fieldset.dataset.move);
    this.name = fieldset.querySelector("[data-name]").textContent;
    this.confirm = fieldset.querySelector("[data-confirm]");
    this.goneBox = fieldset.querySelector("[data-gone-box]");
    this.riseField = fieldset.querySelector("[data-rise]");
    this.asideField = fieldset.querySelector("[data-aside]");
    this.larger = Number(fieldset.querySelector("[name$='.larger']").value);
    this.touched = false;
  }

  get rise() {
    return number(this.riseField.value);
  }

  get aside() {
    return number(this.asideField.value);
  }

  get settled() {
    return this.confirm.checked || this.goneBox.checked;
  }

  /** Whether it goes along when another edge of the floor is moved. */
  get follows() {
    return !this.touched && !this.settled && this.fieldset.dataset.kind === "floor_edge" && !("found" in this.fieldset.dataset);
  }

  moveTo(rise, aside) {
    this.riseField.value = String(Number(Math.min(MOST_RISE_M, Math.max(-MOST_RISE_M, rise)).toFixed(2)));
    this.asideField.value = String(Number(Math.min(100, Math.max(-100, aside)).toFixed(2)));
    this.confirm.checked = false;
  }

  at([x, y, upX, upY]) {
    return [x + this.rise * upX + this.aside, y + this.rise * upY];
  }

  get line() {
    return this.way.line.map((spot) => this.at(spot));
  }

  get marks() {
    return this.way.marks.map((mark) => {
      const foot = this.at(mark);
      return [foot, [foot[0] + this.larger * mark[4], foot[1] + this.larger * mark[5]]];
    });
  }

  /** The middle of the line, and how a metre up looks there. */
  get middle() {
    const { line } = this.way;
    const spot = line.length === 2 ? line[0].map((part, n) => (part + line[1][n]) / 2) : line[Math.floor(line.length / 2)];
    return { place: this.at(spot), up: [spot[2], spot[3]] };
  }
}

class Moving {
  constructor() {
    this.svg = picture.querySelector("svg");
    this.image = picture.querySelector("img");
    this.handle = picture.querySelector("[data-handle]");
    this.rows = [...form.querySelectorAll("[data-move]")].map((fieldset) => new Row(fieldset));
    this.current = this.rows.find((row) => !row.settled) ?? this.rows[0];
    this.held = null;
    for (const tool of form.querySelectorAll("[data-tools]")) tool.hidden = false;
    for (const row of this.rows) this.#listen(row);
    this.handle.addEventListener("pointerdown", (event) => this.#down(event));
    this.handle.addEventListener("pointermove", (event) => this.#drag(event));
    for (const name of ["pointerup", "pointercancel"]) this.handle.addEventListener(name, () => (this.held = null));
    this.handle.addEventListener("keydown", (event) => this.#key(event));
    this.image.addEventListener("load", () => this.show());
    addEventListener("resize", () => this.show());
    this.show();
  }

  #listen(row) {
    row.fieldset.addEventListener("pointerdown", () => this.#choose(row));
    row.fieldset.addEventListener("focusin", () => this.#choose(row));
    for (const field of [row.riseField, row.asideField]) {
      field.addEventListener("input", () => {
        row.confirm.checked = false;
        row.touched = true;
        this.show();
      });
    }
    for (const button of row.fieldset.querySelectorAll("[data-nudge]")) {
      button.addEventListener("click", () => this.#move(row, row.rise + Number(button.dataset.nudge), row.aside));
    }
    for (const box of [row.confirm, row.goneBox]) {
      box.addEventListener("change", () => {
        const other = box === row.confirm ? row.goneBox : row.confirm;
        if (box.checked) other.checked = false;
        if (row.settled) this.#choose(this.rows.find((each) => !each.settled) ?? row);
        this.show();
      });
    }
  }

  #choose(row) {
    if (row === this.current) return;
    this.current = row;
    this.show();
  }

  #move(row, rise, aside) {
    row.touched = true;
    row.moveTo(rise, aside);
    for (const other of this.rows) if (other !== row && other.follows) other.moveTo(row.rise, other.aside);
    this.show();
  }

  #down(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.handle.focus({ preventScroll: true });
    this.handle.setPointerCapture(event.pointerId);
    const { rise, aside, middle } = this.current;
    this.held = { x: event.clientX, y: event.clientY, rise, aside, up: middle.up };
  }

  #drag(event) {
    if (!this.held) return;
    const box = this.image.getBoundingClientRect();
    const { x, y, rise, aside, up } = this.held;
    const metres = (100 * (event.clientY - y)) / box.height / up[1];
    const across = (100 * (event.clientX - x)) / box.width - metres * up[0];
    this.#move(this.current, rise + metres, aside + across);
  }

  #key(event) {
    const moves = { ArrowUp: [STEP_M, 0], ArrowDown: [-STEP_M, 0], ArrowLeft: [0, -STEP_ASIDE], ArrowRight: [0, STEP_ASIDE] };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    this.#move(this.current, this.current.rise + move[0], this.current.aside + move[1]);
  }

  show() {
    this.svg.replaceChildren(...this.rows.filter((row) => !row.goneBox.checked).map((row) => this.#drawn(row)));
    for (const row of this.rows) {
      row.fieldset.classList.toggle("current", row === this.current);
      row.fieldset.toggleAttribute("data-gone", row.goneBox.checked);
    }
    this.#showHandle();
    const settled = this.rows.filter((row) => row.settled).length;
    form.querySelector("[data-keep]").disabled = settled < this.rows.length;
    form.querySelector("[data-count]").textContent = t("%(done)s of %(all)s lines confirmed", { done: settled, all: this.rows.length });
  }

  #drawn(row) {
    const group = make("g", { class: `edge${row === this.current ? " current" : ""}${row.confirm.checked ? " confirmed" : ""}` });
    for (const name of ["shape-line", "shape-line inner"]) {
      group.append(make(row.way.closed ? "polygon" : "polyline", { points: words(row.line), class: name }));
      for (const mark of row.marks) group.append(make("polyline", { points: words(mark), class: name }));
    }
    return group;
  }

  /** Beside the line, never on it: the finger hides what is under it. */
  #showHandle() {
    const { clientWidth: width, clientHeight: height } = this.image;
    const { place } = this.current.middle;
    const [x, y] = [(place[0] * width) / 100, (place[1] * height) / 100];
    const below = y + AWAY_PX <= height - 24;
    this.handle.hidden = this.current.goneBox.checked || !height;
    this.handle.style.left = `${Math.min(width - 24, Math.max(24, x))}px`;
    this.handle.style.top = `${Math.min(height - 24, Math.max(24, below ? y + AWAY_PX : y - 2 * AWAY_PX))}px`;
    this.handle.setAttribute("aria-label", t("Move %(name)s", { name: this.current.name }));
    const said = form.querySelector("[data-said]");
    said.textContent = t("%(name)s: %(metres)s m up", { name: this.current.name, metres: this.current.rise.toFixed(2) });
  }
}

function number(text) {
  const found = Number(text.trim().replace(",", "."));
  return Number.isFinite(found) ? found : 0;
}

function words(spots) {
  return spots.map((spot) => spot.join(",")).join(" ");
}

function make(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

new Moving();
