/**
 * Values that change once a second, put into the page without fetching anything.
 *
 *   <b data-cell="crane-1.load">45.2</b>           text, and `data-state` ok | alert | alarm | unknown
 *   <rect data-bar="crane-1.load" data-full="120"> the attribute `width`, a share of `data-full` (100 without it)
 *   <span data-escalation="ALARM-ID"></span>       when the alarm escalates, and to whom
 *   <span data-known>normal</span>                  a word of a part that is no longer true when nothing is known
 *
 * A value that is not known is never a number: the word, hatched, with its age as the title.
 */
import { ageText, t } from "./text.js";

/** @param {Object<string, {t: string, f?: number, s: string, a?: number}>} cells by id */
export function showCells(cells) {
  for (const element of document.querySelectorAll("[data-cell]")) {
    const cell = cells[element.dataset.cell];
    if (cell) showCell(element, cell);
  }
  for (const bar of document.querySelectorAll("[data-bar]")) {
    const cell = cells[bar.dataset.bar];
    if (cell) showBar(bar, cell);
  }
}

/** The page has been without news for too long: nothing in it is known any more. */
export function forgetCells() {
  for (const element of document.querySelectorAll("[data-cell]")) showCell(element, { t: "", s: "unknown" });
  for (const bar of document.querySelectorAll("[data-bar]")) showBar(bar, { s: "unknown" });
  for (const element of document.querySelectorAll("[data-escalation]")) put(element, "");
  for (const element of document.querySelectorAll("[data-known]")) {
    put(element, t("unknown"));
    element.dataset.state = "unknown";
  }
}

/** @param {Array<{alarm_id: string, in_s: number, to: string[], done: boolean}>} outlooks */
export function showEscalations(outlooks) {
  const elements = document.querySelectorAll("[data-escalation]");
  if (!elements.length) return;
  const byAlarm = new Map(outlooks.map((each) => [each.alarm_id, each]));
  for (const element of elements) put(element, escalationText(byAlarm.get(element.dataset.escalation)));
}

function escalationText(outlook) {
  if (!outlook) return "";
  const to = outlook.to.join(t(", "));
  if (outlook.done) return to ? t("Escalated to %(to)s", { to }) : t("Escalated (recorded only)");
  const age = ageText(outlook.in_s);
  return to ? t("Escalates to %(to)s in %(age)s", { to, age }) : t("Escalates in %(age)s (recorded only)", { age });
}

function showCell(element, cell) {
  const unknown = cell.s === "unknown";
  put(element, unknown ? t("unknown") : cell.t);
  mark(element, cell);
  const title = unknown && cell.a != null ? t("data %(age)s old", { age: ageText(cell.a) }) : "";
  if (element.title !== undefined && element.title !== title) element.title = title;
}

function showBar(bar, cell) {
  const full = Number(bar.dataset.full ?? 100);
  const share = cell.s === "unknown" ? 0 : Math.min(1, Math.max(0, cell.f ?? 0));
  const width = (share * full).toFixed(1);
  if (bar.getAttribute("width") !== width) bar.setAttribute("width", width);
  mark(bar, cell);
}

function mark(element, cell) {
  if (element.dataset.state !== cell.s) element.dataset.state = cell.s;
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
