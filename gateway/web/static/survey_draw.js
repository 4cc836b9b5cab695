/**
 * Drawing on the reference picture. The form's rows are the truth: whatever is drawn is written into them as numbers,
 * whatever is typed into them is drawn. Without this script the rows work all the same.
 *
 *     pointer   click: one more point (foot, then top, for a mark) · drag a point: move it
 *     keys      on a point: arrows move (Shift: finely) · Enter: one more after it · Delete: remove it · Ctrl+Z: undo
 */
import { t } from "../screens/text.js";

const SVG = "http://www.w3.org/2000/svg";
const STEP = 1, FINE = 0.1, RADIUS = 0.9, MOST_UNDO = 100;
const form = document.querySelector("[data-survey]");
const picture = form.querySelector("[data-drawing]");
const rows = form.querySelector("[data-rows]");

class Row {
  constructor(fieldset) {
    this.fieldset = fieldset;
    this.kind = fieldset.dataset.shape;
    this.field = fieldset.querySelector("[data-points]");
  }

  get title() {
    const typed = fieldValue(this.fieldset, "title");
    return typed || fieldValue(this.fieldset, "id");
  }

  get points() {
    return this.field.value.split("\n").map(point).filter(Boolean);
  }

  set points(points) {
    this.field.value = points.map(pointText).join("\n");
  }

  get gone() {
    return this.fieldset.querySelector("[data-remove]").checked;
  }

  get closed() {
    return this.kind === "zone" || this.fieldset.querySelector("[data-kind]").value === "opening";
  }

  /** What may stand along this kind of edge; tape is said to be no protection as soon as it is chosen. */
  offerProtections() {
    const choice = this.fieldset.querySelector("[data-protection]");
    if (!choice) return;
    const { value: kind } = this.fieldset.querySelector("[data-kind]");
    for (const option of choice.options) option.hidden = !option.dataset.of.split(" ").includes(kind);
    if (choice.selectedOptions[0]?.hidden) choice.value = "unknown";
    this.fieldset.querySelector("[data-tape]").hidden = choice.value !== "tape";
  }

  /** What a zone is for: "exempt", "danger" and "ground" are drawn otherwise. */
  get use() {
    return fieldValue(this.fieldset, "use");
  }

  /** Fields of the marks that count: [foot, top] each. */
  get marks() {
    if (this.kind === "zone" || this.closed) return [];
    return [...this.fieldset.querySelectorAll("[data-mark]")].map((mark) => [
      mark.querySelector("[data-mark-foot]"),
      mark.querySelector("[data-mark-top]"),
    ]);
  }
}

class Drawing {
  constructor() {
    this.svg = picture.querySelector("svg");
    this.image = picture.querySelector("img");
    this.target = form.querySelector("[data-target]");
    this.undoButton = form.querySelector("[data-undo]");
    this.past = [];
    this.held = null;
    this.shown = "";
    this.image.addEventListener("load", () => this.show());
    for (const part of form.querySelectorAll("[data-tools]")) part.hidden = false;
    form.querySelector("[data-without-script]").hidden = true;
    for (const button of form.querySelectorAll("[data-new]")) button.addEventListener("click", () => this.#add(button.dataset.new));
    this.undoButton.addEventListener("click", () => this.#undo());
    rows.addEventListener("focusin", (event) => this.#typing(event));
    rows.addEventListener("input", () => this.show());
    rows.addEventListener("change", () => this.show());
    this.target.addEventListener("change", () => this.show());
    picture.addEventListener("pointerdown", (event) => this.#down(event));
    picture.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) picture.addEventListener(name, () => (this.held = null));
    this.svg.addEventListener("keydown", (event) => this.#key(event));
    addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.code !== "KeyZ" || event.target.matches("input, textarea")) return;
      event.preventDefault();
      this.#undo();
    });
    this.show();
  }

  get rows() {
    return [...rows.querySelectorAll("[data-shape]")].map((fieldset) => new Row(fieldset));
  }

  /** Draw what the rows say, and offer what a click may set. */
  show() {
    const words = `${state().words} ${this.target.value} ${this.image.clientWidth}`;
    if (words === this.shown) return; // what has the focus is not made anew for nothing
    const focused = document.activeElement?.dataset?.handle;
    const all = this.rows;
    this.#offer(all);
    this.shown = `${state().words} ${this.target.value} ${this.image.clientWidth}`;
    const current = this.#current(all);
    this.svg.replaceChildren(...all.filter((row) => !row.gone).map((row) => this.#shape(row, row.fieldset.id === current?.row.fieldset.id)));
    for (const row of all) {
      row.fieldset.toggleAttribute("data-gone", row.gone);
      const site = row.fieldset.querySelector("[data-site]");
      if (site) site.hidden = row.use !== "ground";
      row.fieldset.classList.toggle("current", row.fieldset.id === current?.row.fieldset.id);
      row.fieldset.querySelector("[data-shape-name]").textContent = row.title;
      row.offerProtections();
    }
    if (focused) this.svg.querySelector(`[data-handle="${CSS.escape(focused)}"]`)?.focus();
  }

  #offer(all) {
    const wanted = this.target.value;
    const choices = all.filter((row) => !row.gone).flatMap((row) => {
      const points = [`${row.fieldset.id}/points`, t("points of %(name)s", { name: row.title })];
      const marks = row.marks.map((_, n) => [`${row.fieldset.id}/mark/${n}`, t("rail mark %(number)s of %(name)s", { number: n + 1, name: row.title })]);
      return [points, ...marks];
    });
    this.target.replaceChildren(...choices.map(([value, text]) => Object.assign(document.createElement("option"), { value, textContent: text })));
    if (choices.some(([value]) => value === wanted)) this.target.value = wanted;
  }

  #current(all) {
    const [id, what, mark] = this.target.value.split("/");
    const row = all.find((each) => each.fieldset.id === id);
    return row ? { row, mark: what === "mark" ? Number(mark) : null } : null;
  }

  #shape(row, current) {
    const group = make("g", { class: `${row.kind}${row.kind === "zone" ? ` ${row.use}` : ""}${current ? " current" : ""}` });
    const spots = row.points;
    const words = spots.map((spot) => spot.join(",")).join(" ");
    for (const name of ["shape-line", "shape-line inner"]) {
      group.append(make(row.closed ? "polygon" : "polyline", { points: words, class: name }));
      for (const [foot, top] of row.marks.map((mark) => mark.map((field) => point(field.value)))) {
        if (foot && top) group.append(make("polyline", { points: `${foot.join(",")} ${top.join(",")}`, class: name }));
      }
    }
    spots.forEach((spot, n) => group.append(this.#handle(spot, `${row.fieldset.id}/points/${n}`, t("%(name)s, point %(number)s", { name: row.title, number: n + 1 }))));
    row.marks.forEach((fields, n) => fields.forEach((field, end) => {
      const spot = point(field.value);
      const name = end ? t("%(name)s, top of mark %(number)s", { name: row.title, number: n + 1 }) : t("%(name)s, foot of mark %(number)s", { name: row.title, number: n + 1 });
      if (spot) group.append(this.#handle(spot, `${row.fieldset.id}/mark/${n}/${end}`, name, "mark"));
    }));
    return group;
  }

  /** The picture is drawn as 100 by 100, so a round handle is an ellipse there. */
  #handle([x, y], key, label, kind = "") {
    const { clientWidth: width, clientHeight: height } = this.image;
    const wide = RADIUS * Math.max(1, 700 / (width || 700));
    const handle = make("ellipse", { cx: x, cy: y, rx: wide, ry: (wide * (width || 16)) / (height || 9), class: `handle ${kind}`, tabindex: 0, role: "button", "aria-label": label });
    handle.dataset.handle = key;
    return handle;
  }

  #add(kind) {
    this.#remember();
    const number = 1 + Math.max(-1, ...[...rows.querySelectorAll(`[data-shape="${kind}"]`)].map((row) => Number(row.dataset.number)));
    const taken = new Set([...rows.querySelectorAll("input[name$='.id']")].map((field) => field.value));
    let free = number + 1;
    while (taken.has(`${kind}-${free}`)) free += 1;
    const made = document.querySelector(`[data-template="${kind}"]`).content.cloneNode(true);
    for (const element of made.querySelectorAll("*")) {
      for (const { name, value } of [...element.attributes]) {
        element.setAttribute(name, value.replace(`${kind}.N.`, `${kind}.${number}.`).replace(`${kind}-N-`, `${kind}-${number}-`));
      }
    }
    const fieldset = made.querySelector("[data-shape]");
    fieldset.id = `${kind}-${number}`;
    fieldset.dataset.number = number;
    fieldset.querySelector("input[name$='.id']").value = `${kind}-${free}`;
    const firstEdge = rows.querySelector('[data-shape="edge"]');
    rows.insertBefore(made, kind === "zone" ? firstEdge : null);
    this.show();
    this.target.value = `${fieldset.id}/points`;
    this.show();
    fieldset.querySelector("input[name$='.title']").focus();
  }

  #typing(event) {
    const fieldset = event.target.closest("[data-shape]");
    if (event.target.matches("input, textarea, select")) this.#remember();
    const mark = event.target.closest("[data-mark]");
    const wanted = mark ? `${fieldset.id}/mark/${mark.dataset.mark}` : `${fieldset?.id}/points`;
    if (fieldset && [...this.target.options].some((option) => option.value === wanted)) this.target.value = wanted;
    this.show();
  }

  #down(event) {
    if (event.button !== 0) return;
    const handle = event.target.closest("[data-handle]");
    this.#remember();
    event.preventDefault();
    picture.setPointerCapture(event.pointerId);
    if (handle) {
      this.held = handle.dataset.handle;
      handle.focus();
    } else this.held = this.#set(this.#spot(event));
  }

  #move(event) {
    if (this.held) this.#put(this.held, this.#spot(event));
  }

  #spot(event) {
    const box = this.image.getBoundingClientRect();
    return [(100 * (event.clientX - box.left)) / box.width, (100 * (event.clientY - box.top)) / box.height];
  }

  /** One more point where the tool says; its handle's key. */
  #set(spot) {
    if (!this.rows.some((row) => !row.gone)) this.#add("zone");
    const current = this.#current(this.rows);
    if (!current) return null;
    const { row, mark } = current;
    if (mark === null) {
      row.points = [...row.points, inside(spot)];
      this.show();
      return `${row.fieldset.id}/points/${row.points.length - 1}`;
    }
    const [foot, top] = row.marks[mark];
    const end = point(foot.value) && !point(top.value) ? 1 : 0;
    if (!end) top.value = "";
    (end ? top : foot).value = pointText(inside(spot));
    this.show();
    return `${row.fieldset.id}/mark/${mark}/${end}`;
  }

  #put(key, spot) {
    const [id, what, n, end] = key.split("/");
    const row = this.rows.find((each) => each.fieldset.id === id);
    if (!row) return;
    if (what === "mark") row.marks[Number(n)][Number(end)].value = pointText(inside(spot));
    else row.points = row.points.map((each, at) => (at === Number(n) ? inside(spot) : each));
    this.show();
  }

  #key(event) {
    const key = event.target.dataset?.handle;
    if (!key || event.ctrlKey || event.altKey || event.metaKey) return;
    const [id, what, n, end] = key.split("/");
    const row = this.rows.find((each) => each.fieldset.id === id);
    const at = what === "mark" ? point(row.marks[Number(n)][Number(end)].value) : row.points[Number(n)];
    const step = event.shiftKey ? FINE : STEP;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const acts = {
      Enter: () => what !== "mark" && this.#insert(row, Number(n)),
      Delete: () => this.#delete(row, what, Number(n), Number(end)),
      Backspace: () => this.#delete(row, what, Number(n), Number(end)),
    };
    const move = moves[event.key];
    if (!move && !acts[event.key]) return;
    event.preventDefault();
    this.#remember();
    if (move) this.#put(key, [at[0] + move[0], at[1] + move[1]]);
    else acts[event.key]();
    const now = move && (what === "mark" ? point(row.marks[Number(n)][Number(end)].value) : row.points[Number(n)]);
    form.querySelector("[data-said]").textContent = now ? pointText(now) : "";
  }

  #insert(row, n) {
    const points = row.points;
    const next = points[n + 1] ?? (row.closed ? points[0] : [points[n][0] + 5, points[n][1]]);
    points.splice(n + 1, 0, inside([(points[n][0] + next[0]) / 2, (points[n][1] + next[1]) / 2]));
    row.points = points;
    this.show();
    this.svg.querySelector(`[data-handle="${row.fieldset.id}/points/${n + 1}"]`)?.focus();
  }

  #delete(row, what, n, end) {
    if (what === "mark") row.marks[n][end].value = "";
    else row.points = row.points.filter((_, at) => at !== n);
    this.show();
    this.svg.querySelector(`[data-handle="${row.fieldset.id}/points/${Math.max(0, n - 1)}"]`)?.focus();
  }

  #remember() {
    const now = state();
    if (this.past.at(-1)?.words === now.words) return;
    this.past.push({ ...now, parts: [...rows.children].map((part) => part.cloneNode(true)) });
    if (this.past.length > MOST_UNDO) this.past.shift();
    this.undoButton.disabled = false;
  }

  /** As it was before the last act: whole rows, with what was typed in them. */
  #undo() {
    const words = state().words;
    let before = this.past.pop();
    while (before && before.words === words) before = this.past.pop();
    if (before) {
      rows.replaceChildren(...before.parts.map((part) => part.cloneNode(true)));
      restore(before.values);
      this.show();
    }
    this.undoButton.disabled = this.past.length === 0;
  }
}

function state() {
  const fields = [...rows.querySelectorAll("[name]")];
  const values = fields.map((field) => (field.type === "checkbox" ? field.checked : field.value));
  return { words: JSON.stringify([fields.map((field) => field.name), values]), values };
}

function restore(values) {
  [...rows.querySelectorAll("[name]")].forEach((field, n) => {
    if (field.type === "checkbox") field.checked = values[n];
    else field.value = values[n];
  });
}

function fieldValue(fieldset, name) {
  return fieldset.querySelector(`[name$=".${name}"]`)?.value.trim() ?? "";
}

function point(text) {
  const found = /^\s*(-?\d+(?:[.,]\d+)?)\s*[,;，；\s]\s*(-?\d+(?:[.,]\d+)?)\s*$/.exec(text);
  return found ? [Number(found[1].replace(",", ".")), Number(found[2].replace(",", "."))] : null;
}

function pointText([x, y]) {
  return `${Number(x.toFixed(2))}, ${Number(y.toFixed(2))}`;
}

function inside([x, y]) {
  return [Math.min(100, Math.max(0, x)), Math.min(100, Math.max(0, y))];
}

function make(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

if (picture) new Drawing();
