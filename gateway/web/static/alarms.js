/**
 * S2 and S3: keys, what is selected, the countdown to act, forms that follow the alarm's state. The server says what is
 * possible; nothing here decides.
 */
import { ageText, t } from "../screens/text.js";
import { openAcknowledge } from "./acknowledge.js";
import { bindKeys } from "./keys.js";

const picked = new Set(); // ids of selected alarms; they survive a swap of the list
let current = ""; // the row of J and K
let place = 0; // where that row stood, should it leave the list
const list = document.getElementById("alarm-list");
const page = document.querySelector("[data-alarm-page]");

if (list) {
  list.addEventListener("change", (event) => {
    if (event.target.name !== "alarm_id") return;
    if (event.target.checked) picked.add(event.target.value);
    else picked.delete(event.target.value);
    showPicked();
  });
  list.addEventListener("part-swapped", () => {
    restorePicked();
    markCurrent();
  });
  list.addEventListener("focusin", (event) => {
    const row = event.target.closest("[data-alarm]");
    if (row) choose(row, false);
  });
  bindKeys({
    KeyJ: () => step(1),
    KeyK: () => step(-1),
    Enter: () => currentRow() && open(currentRow(), ""),
    KeyA: () => acknowledge(currentRow() ?? rows()[0]),
    KeyS: () => currentRow() && open(currentRow(), "#shelve"),
    KeyC: () => currentRow() && open(currentRow(), "#curve"),
    Escape: () => document.activeElement?.blur(),
  });
  restorePicked();
}

if (page) {
  bindKeys({
    KeyA: () => openAction("acknowledge"),
    KeyS: () => openAction("shelve"),
    KeyC: () => document.getElementById("curve")?.focus(),
    KeyJ: () => stepGroup(1),
    KeyK: () => stepGroup(-1),
    Escape: () => document.getElementById("back-to-list")?.click(),
  });
  document.getElementById("alarm-state").addEventListener("part-swapped", showPossible);
  addEventListener("hashchange", openNamed);
  openNamed();
  setInterval(countDown, 1000);
  countDown();
}

function rows() {
  return [...list.querySelectorAll("[data-alarm]")].filter((row) => row.offsetParent !== null);
}

function currentRow() {
  return rows().find((row) => row.dataset.alarm === current) ?? null;
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.dataset.alarm === current);
  const next = at < 0 ? Math.min(place, all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by));
  choose(all[next], true);
}

function choose(row, focus) {
  current = row.dataset.alarm;
  place = rows().indexOf(row);
  markCurrent();
  if (!focus) return;
  row.querySelector(".alarm-title").focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function markCurrent() {
  for (const row of list.querySelectorAll("[data-alarm]")) {
    row.toggleAttribute("data-current", row.dataset.alarm === current);
  }
}

function open(row, hash) {
  location.assign(`/alarms/${encodeURIComponent(row.dataset.alarm)}${hash}`);
}

function acknowledge(row) {
  const button = row?.querySelector("[data-acknowledge]");
  if (!button) return;
  choose(row, false);
  openAcknowledge(row.dataset.alarm, button.dataset.title);
}

function restorePicked() {
  const boxes = [...list.querySelectorAll("input[name=alarm_id]")];
  const there = new Set(boxes.map((box) => box.value));
  for (const id of [...picked]) if (!there.has(id)) picked.delete(id);
  for (const box of boxes) {
    if (box.checked) picked.add(box.value); // the browser kept it over a reload
    box.checked = picked.has(box.value);
  }
  showPicked();
}

function showPicked() {
  const form = document.getElementById("together");
  if (!form) return;
  form.hidden = picked.size === 0;
  document.getElementById("together-count").textContent = String(picked.size);
}

function openAction(name) {
  const action = document.getElementById(name);
  if (!action || action.hidden) return;
  if (action.localName === "details") action.open = true;
  action.scrollIntoView({ block: "nearest" });
  action.querySelector("summary, input:not([type=hidden]), button, textarea")?.focus();
}

function openNamed() {
  const name = location.hash.slice(1);
  if (name && document.querySelector(`[data-action="${CSS.escape(name)}"]`)) openAction(name);
}

function stepGroup(by) {
  const links = [...document.querySelectorAll(".group-list li")];
  const at = links.findIndex((item) => item.hasAttribute("aria-current"));
  links[at + by]?.querySelector("a")?.click();
}

/** After the head has changed: only what is possible now is offered. Half-typed forms stay. */
function showPossible() {
  const can = (document.querySelector("[data-can]")?.dataset.can ?? "").split(" ");
  for (const action of document.querySelectorAll("[data-action]")) {
    const typing = action.contains(document.activeElement) && document.activeElement.matches("textarea, input");
    action.hidden = !can.includes(action.dataset.action) && !typing;
  }
}

function countDown() {
  for (const element of document.querySelectorAll("[data-deadline-ms]")) {
    const left = (Number(element.dataset.deadlineMs) - Date.now()) / 1000;
    const text = left > 0 ? t("%(age)s left", { age: ageText(left) }) : t("over for %(age)s", { age: ageText(-left) });
    if (element.textContent !== text) element.textContent = text;
    element.closest(".respond")?.classList.toggle("overdue", left <= 0);
  }
}
