/**
 * The list of what waits: rows by id in the queue's order, kept in step with the server without losing the place.
 *
 * A place is `rank.minute.risk.id`; smaller rank first, then the earlier minute, then the higher risk.
 */
import { t } from "../screens/text.js";
import { stageOf, titleOf } from "./review_view.js";

const SHAPES = { P1: "■1", P2: "▲2", P3: "●3", log: "◆D" };

export class ReviewList {
  /** @param {HTMLElement} element an ordered list @param {(id: string) => void} choose a row was pressed */
  constructor(element, choose) {
    this.element = element;
    this.rows = [];
    this.lines = new Map();
    this.judged = new Set(); // by this page: the server may still list them for a moment
    this.next = "";
    element.replaceChildren();
    element.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-row]");
      if (button) choose(button.dataset.row);
    });
  }

  /** @returns {number} where a row is, -1 when it is not here */
  at(id) {
    return this.rows.findIndex((row) => row.id === id);
  }

  /** A page of the queue that begins after `after`: what is new comes in, what has gone goes. The row that is looked
   * at stays. @param {object} page @param {string} current @param {string} after */
  merge(page, current, after = "") {
    const there = new Set(page.rows.map((row) => row.id));
    const end = page.rows.at(-1)?.place;
    const within = (row) => (!after || compare(row.place, after) > 0) && (!page.next || compare(row.place, end) <= 0);
    for (const row of this.rows.filter((each) => within(each) && !there.has(each.id) && each.id !== current)) this.drop(row.id);
    for (const row of page.rows) if (!this.judged.has(row.id)) this.put(row);
    const whole = !this.next || compare(page.next || end || "", this.next) > 0;
    if (whole || after) this.next = page.next;
  }

  /** A row in its place; one that is there is brought up to date. @param {object} row */
  put(row) {
    const place = this.at(row.id);
    if (place >= 0) this.rows[place] = row;
    else {
      const before = this.rows.findIndex((each) => compare(each.place, row.place) > 0);
      const line = document.createElement("li");
      this.lines.set(row.id, line);
      this.element.insertBefore(line, before < 0 ? null : this.lines.get(this.rows[before].id));
      this.rows.splice(before < 0 ? this.rows.length : before, 0, row);
    }
    this.#paint(row);
  }

  /** Take a row out. @param {string} id */
  drop(id) {
    const place = this.at(id);
    if (place < 0) return;
    this.rows.splice(place, 1);
    this.lines.get(id).remove();
    this.lines.delete(id);
  }

  /** Empty it: something else is looked for. */
  clear() {
    for (const row of [...this.rows]) this.drop(row.id);
    this.next = "";
  }

  /** Say which row is looked at. @param {string} id */
  mark(id) {
    this.element.querySelector("[aria-current]")?.removeAttribute("aria-current");
    const line = this.lines.get(id);
    line?.querySelector("button").setAttribute("aria-current", "true");
    line?.scrollIntoView({ block: "nearest" });
  }

  #paint(row) {
    const line = this.lines.get(row.id);
    const was = line.querySelector("button")?.getAttribute("aria-current");
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.row = row.id;
    if (was) button.setAttribute("aria-current", was);
    button.append(chip(row), text("span", titleOf(row), "row-title"), text("span", `${row.project} · ${row.source}`, "row-where"));
    button.append(text("span", `${row.raised} · ${stageOf(row)}`, "row-when"));
    if (row.acknowledged_by.length) button.append(text("span", t("acknowledged"), "row-seen"));
    if (row.held_by) button.append(text("span", t("held by %(name)s", { name: row.held_by }), "row-held"));
    else if (row.seen) button.append(text("span", t("seen"), "row-seen"));
    const focused = line.contains(document.activeElement);
    line.replaceChildren(button);
    if (focused) button.focus({ preventScroll: true });
  }
}

function chip(row) {
  const element = text("span", SHAPES[row.severity], `chip ${row.severity}`);
  return element;
}

function text(tag, words, name) {
  return Object.assign(document.createElement(tag), { textContent: words, className: name });
}

/** @param {string} one @param {string} other places @returns {number} below 0: one comes first */
export function compare(one, other) {
  const [a, b] = [one, other].map((place) => place.split("."));
  for (const [place, sign] of [[0, 1], [1, 1], [2, -1]]) {
    const apart = Number(a[place]) - Number(b[place]);
    if (apart) return apart * sign;
  }
  return (a[3] ?? "") < (b[3] ?? "") ? -1 : (a[3] ?? "") > (b[3] ?? "") ? 1 : 0;
}
