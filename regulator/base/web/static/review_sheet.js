/**
 * The contact sheet of a group: up to sixteen small pictures, picked with X or all at once, judged together. What may be
 * judged is what the server laid out; a P1 has no sheet.
 */
import { t } from "../screens/text.js";
import { bindKeys } from "./review_keys.js";

const dialog = document.getElementById("sheet");
const grid = document.getElementById("sheet-grid");
const said = document.getElementById("sheet-said");
let sheet = null;
let asking = false;
let decide = () => {};

/** @param {(sheet: object, ids: string[], fields: object) => void} decided a verdict for what was picked */
export function mountSheet(decided) {
  decide = decided;
  grid.addEventListener("click", (event) => pick(event.target.closest("button")));
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  for (const button of dialog.querySelectorAll("[data-verdict]")) {
    button.addEventListener("click", () => judge(button.dataset.verdict));
  }
  for (const button of dialog.querySelectorAll("[data-reason]")) {
    button.addEventListener("click", () => judge("false", button.dataset.reason));
  }
  const digits = Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => [`Digit${n}`, () => asking && judge("false", String(n))]));
  bindKeys(dialog, {
    ...digits,
    KeyJ: () => step(1),
    KeyK: () => step(-1),
    ArrowRight: () => step(1),
    ArrowLeft: () => step(-1),
    KeyX: () => pick(document.activeElement.closest("#sheet-grid button") ?? grid.querySelector("button")),
    "Ctrl+KeyA": () => pickAll(),
    KeyY: () => judge("true"),
    KeyU: () => judge("doubtful"),
    KeyN: () => ask(true),
    KeyG: () => dialog.close(),
    Escape: () => (asking ? ask(false) : dialog.close()),
  });
}

/** Show a sheet. @param {object} laid as the server laid it out @param {(id: string) => object|undefined} rowOf */
export function showSheet(laid, rowOf) {
  sheet = laid;
  ask(false);
  grid.replaceChildren(...laid.items.map((item, place) => tile(item, place, rowOf(item.id))));
  dialog.showModal();
  tell();
  grid.querySelector("button")?.focus();
}

function tile(item, place, row) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.item = item.id;
  button.setAttribute("aria-pressed", "false");
  const image = document.createElement("img");
  image.src = item.thumbnail;
  image.alt = t("item %(n)s", { n: place + 1 });
  image.addEventListener("error", () => image.replaceWith(t("no picture")), { once: true });
  const when = document.createElement("span");
  when.textContent = row?.raised ?? "";
  button.append(image, when);
  return button;
}

function pick(button) {
  if (!button) return;
  button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
  tell();
}

function pickAll() {
  const tiles = [...grid.querySelectorAll("button")];
  const all = tiles.every((each) => each.getAttribute("aria-pressed") === "true");
  for (const each of tiles) each.setAttribute("aria-pressed", String(!all));
  tell();
}

function picked() {
  return [...grid.querySelectorAll("[aria-pressed=true]")].map((each) => each.dataset.item);
}

function step(by) {
  const tiles = [...grid.querySelectorAll("button")];
  const at = tiles.indexOf(document.activeElement.closest("#sheet-grid button"));
  tiles[Math.min(tiles.length - 1, Math.max(0, at + by))]?.focus();
}

function ask(on) {
  asking = on;
  document.getElementById("sheet-reasons").hidden = !on;
  if (on) said.textContent = t("Why is it false? Press 1 to 9");
}

function tell() {
  said.textContent = t("%(n)s of %(all)s picked", { n: picked().length, all: sheet.items.length });
}

function judge(verdict, reason = "") {
  const ids = picked();
  if (!ids.length) {
    said.textContent = t("Pick items first: X, or Ctrl and A for all");
    return;
  }
  if (verdict === "false" && !reason) return ask(true);
  dialog.close();
  decide(sheet, ids, { verdict, reason });
}
