/**
 * R2: judging by keyboard. J and K only look. Y, N with a reason, and U judge and go on at once: the next item is on the
 * screen before the server has answered, and what the server does not take comes back with its reason. Z takes the last
 * verdict back while the server lets it.
 */
import { t } from "../screens/text.js";
import { Refused, askItem, askQueue, forget, send } from "./review_data.js";
import { showHelp } from "../screens/keys_switch.js";
import { bindKeys, mountHelp } from "./review_keys.js";
import { ReviewList } from "./review_list.js";
import { mountSheet, showSheet } from "./review_sheet.js";
import * as view from "./review_view.js";

const AHEAD = 5;
const FEW = 15;
const REFRESH_MS = 5000;
const RENEW_MS = 20000;
const byId = (id) => document.getElementById(id);
const root = byId("review");
const mayJudge = "judge" in root.dataset;
const list = new ReviewList(byId("queue"), (id) => show(id));
let current = "";
let place = 0; // where the current row stood, should it go
let held = "";
let asking = false; // for the reason of a false alarm
let undo = null; // { url, rows, until }
let words = root.dataset.words;
let loading = false;
let away = false; // the last question was not answered

function rowOf(id) {
  return list.rows[list.at(id)];
}

/** Look at an item. */
function show(id, focus = true) {
  const row = rowOf(id);
  if (!row) return nothing();
  current = id;
  place = list.at(id);
  ask(false);
  view.paintHead(row);
  list.mark(id);
  askItem(id).then((item) => current === id && view.paintItem(item), (error) => current === id && view.warn(error.message));
  if (focus && !byId("verdicts").contains(document.activeElement)) byId("item-title").focus({ preventScroll: true });
  hold(id);
  for (const each of list.rows.slice(place + 1, place + 1 + AHEAD)) askItem(each.id).catch(() => {});
  if (list.rows.length - place < FEW && list.next) more();
}

function nothing() {
  current = "";
  view.paintNothing();
}

/** Keep others away while somebody looks. Decided by the server; who was first is named. */
function hold(id) {
  if (!mayJudge) return;
  send(`/review/items/${id}/lease`, () => ({ let_go: held }), () => current === id).then(
    (lease) => lease && (held = id) && mark(id, { held_by: "", seen: true }),
    (error) => refusedLease(id, error),
  );
}

async function refusedLease(id, error) {
  if (error.code === "judged_already" || error.status === 404) {
    list.drop(id);
    if (current === id) goOn();
    view.say(error.message);
  } else if (error.code === "leased") await refresh();
  else view.warn(error.message);
}

function mark(id, changes) {
  const row = rowOf(id);
  if (!row) return;
  list.put(Object.assign(row, changes));
  if (current === id) view.paintHeld(row);
}

function step(by) {
  const at = list.at(current);
  const next = list.rows[Math.min(list.rows.length - 1, Math.max(0, (at < 0 ? place : at + by)))];
  if (next && next.id !== current) show(next.id);
}

/** The next that nobody else holds, from where the last one stood. */
function goOn() {
  const free = list.rows.slice(place).find((row) => !row.held_by) ?? list.rows.find((row) => !row.held_by);
  if (free) show(free.id);
  else if (list.rows.length) show(list.rows[Math.min(place, list.rows.length - 1)].id);
  else nothing();
}

function judge(verdict, reason = "") {
  const row = rowOf(current);
  if (!mayJudge || !row) return;
  if (row.held_by) return view.warn(t("%(name)s is looking at this item", { name: row.held_by }));
  if (verdict === "false" && !reason) return ask(true);
  const sent = send(`/review/items/${row.id}/verdict`, { verdict, reason });
  judged([row], `/review/items/${row.id}/undo`, sent, verdictWords(verdict, reason));
}

/** These leave the list; the next one is shown; the server has the last word. */
function judged(rows, url, sent, told) {
  ask(false);
  view.warn("");
  const way = { url, rows };
  undo = way;
  for (const row of rows) {
    list.judged.add(row.id);
    list.drop(row.id);
    forget(row.id);
  }
  count(rows, -1);
  goOn();
  const next = rowOf(current);
  view.say(`${told}. ${next ? `${t("Next")}: ${view.titleOf(next)}, ${next.project}` : t("Nothing waits")}`);
  tellUndo(told);
  sent.catch((error) => {
    if (undo === way) forgetUndo();
    bringBack(rows);
    view.warn(t("Not saved: %(title)s. %(why)s", { title: view.titleOf(rows[0]), why: error.message }));
  });
}

function bringBack(rows) {
  for (const row of rows) {
    list.judged.delete(row.id);
    list.put(row);
  }
  count(rows, 1);
}

function takeBack() {
  const way = undo;
  if (!way) return view.say(t("There is nothing to take back"));
  forgetUndo();
  send(way.url, {}).then(
    () => {
      bringBack(way.rows);
      show(way.rows[0].id);
      view.say(t("Taken back: %(title)s", { title: view.titleOf(way.rows[0]) }));
    },
    (error) => view.warn(error.message),
  );
}

function tellUndo(told) {
  const bar = byId("undo");
  bar.hidden = false;
  byId("undo-words").textContent = told;
  clearTimeout(undo.timer);
  undo.timer = setTimeout(() => (bar.hidden = true), Number(root.dataset.undoMs));
}

function forgetUndo() {
  clearTimeout(undo?.timer);
  undo = null;
  byId("undo").hidden = true;
}

/** Which reason a false alarm has. */
function ask(on) {
  asking = on;
  byId("reasons").hidden = !on;
  byId("verdict-false").setAttribute("aria-expanded", String(on));
  if (on) view.say(t("Why is it false? Press 1 to 9"));
}

function verdictWords(verdict, reason) {
  if (verdict === "true") return t("Judged true");
  if (verdict === "doubtful") return t("Doubtful: to be looked at on site");
  return t("Judged false: %(why)s", { why: byId("reasons").querySelector(`[data-reason="${reason}"]`).dataset.words });
}

/** True, and straight on to the order: the hazard is opened at once, and nothing can be taken back. */
function order() {
  const row = rowOf(current);
  if (mayJudge && row && !row.held_by) byId("order").showModal();
}

async function orderNow() {
  const row = rowOf(current);
  byId("order").close();
  try {
    const judgedNow = await send(`/review/items/${row.id}/verdict`, { verdict: "true", order: "1" });
    location.assign(`/hazards/${encodeURIComponent(judgedNow.hazard_id)}`);
  } catch (error) {
    view.warn(error.message);
  }
}

/** Seen, and being dealt with. Judges nothing; everybody sees who. */
async function acknowledge() {
  const row = rowOf(current);
  if (!mayJudge || !row) return;
  try {
    const said = await send(`/review/items/${row.id}/acknowledge`, {});
    if (said.new) mark(row.id, { acknowledged_by: [...row.acknowledged_by, root.dataset.name] });
    view.say(t("Acknowledged"));
  } catch (error) {
    view.warn(error.message);
  }
}

/** Out of the queue for some hours, with a reason. */
function shelve() {
  const row = rowOf(current);
  if (!mayJudge || !row) return;
  if (row.severity === "P1" || row.risks.includes("major")) return view.warn(t("A P1 alarm or a suspected major hazard cannot be shelved"));
  byId("shelve").showModal();
  byId("shelve-reason").focus();
}

async function shelveNow() {
  const row = rowOf(current);
  const fields = { reason: byId("shelve-reason").value, hours: byId("shelve-hours").value };
  try {
    const said = await send(`/review/items/${row.id}/shelve`, fields);
    byId("shelve-reason").value = "";
    list.drop(row.id);
    forget(row.id);
    count([row], -1);
    goOn();
    view.say(t("Shelved until %(at)s", { at: said.until }));
  } catch (error) {
    view.warn(error.message);
  }
}

/** Evidence packages belong to hazards: an item has one once it was judged true. */
async function evidence() {
  const item = current && (await askItem(current).catch(() => null));
  if (item?.hazard_id) location.assign(`/hazards/${encodeURIComponent(item.hazard_id)}`);
  else view.warn(t("An evidence package belongs to a hazard. Judge the item as true first"));
}

async function group() {
  const row = rowOf(current);
  if (!mayJudge || !row) return;
  try {
    showSheet(await send(`/review/items/${row.id}/sheet`, {}), rowOf);
  } catch (error) {
    view.warn(error.message);
  }
}

function decideSheet(sheet, ids, { verdict, reason }) {
  const rows = ids.map(rowOf).filter(Boolean);
  const fields = [["verdict", verdict], ["reason", reason], ...ids.map((id) => ["item_id", id])];
  const told = `${verdictWords(verdict, reason)} (${t("%(n)s items together", { n: ids.length })})`;
  judged(rows, `/review/sheets/${sheet.id}/undo`, send(`/review/sheets/${sheet.id}/verdict`, fields), told);
}

function count(rows, by) {
  for (const row of rows) {
    const place = byId(`count-${row.severity}`);
    if (place && !place.textContent.endsWith("+")) place.textContent = String(Math.max(0, Number(place.textContent) + by));
  }
}

function showCounts(waiting) {
  const most = Number(root.dataset.countLimit);
  for (const [severity, n] of Object.entries(waiting)) {
    byId(`count-${severity}`).textContent = n >= most ? `${most}+` : String(n);
  }
}

async function refresh() {
  try {
    const asked = words;
    const page = await askQueue("", asked);
    if (asked !== words) return;
    list.merge(page, current);
    showCounts(page.waiting);
    const row = rowOf(current);
    if (row) view.paintHeld(row);
    else if (list.rows.length) goOn();
    else nothing();
    list.mark(current);
    if (away) view.warn("");
    away = false;
  } catch (error) {
    away = true;
    view.warn(error instanceof Refused ? error.message : t("The desk does not answer. The data shown may be old"));
  }
}

async function more() {
  if (loading || !list.next) return;
  loading = true;
  const after = list.next;
  try {
    const page = await askQueue(after, words);
    list.merge(page, current, after);
    list.next = page.next;
  } catch (error) {
    view.warn(error.message);
  }
  loading = false;
}

byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  words = byId("search-words").value.trim();
  list.clear();
  current = "";
  place = 0;
  refresh();
  byId("item-title").focus({ preventScroll: true });
});
byId("search-words").addEventListener("keydown", (event) => event.code === "Escape" && !event.isComposing && event.target.blur());
byId("verdicts").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.reason) judge("false", button.dataset.reason);
  else if (button?.dataset.verdict === "order") order();
  else if (button?.dataset.verdict) judge(button.dataset.verdict);
});
for (const [id, action] of [
  ["undo-now", takeBack],
  ["group-now", group],
  ["acknowledge-now", acknowledge],
  ["shelve-now", shelve],
  ["shelve-not", () => byId("shelve").close()],
  ["boxes-toggle", view.toggleBoxes],
  ["curve-toggle", view.toggleCurve],
  ["order-now", orderNow],
  ["order-not", () => byId("order").close()],
]) byId(id)?.addEventListener("click", action);

byId("shelve-form").addEventListener("submit", shelveNow);

const digits = Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => [`Digit${n}`, () => asking && judge("false", String(n))]));
bindKeys(document, {
  ...digits,
  KeyJ: () => step(1),
  KeyK: () => step(-1),
  KeyY: () => judge("true"),
  KeyN: () => ask(true),
  KeyU: () => judge("doubtful"),
  KeyD: order,
  KeyZ: takeBack,
  KeyG: group,
  KeyA: acknowledge,
  KeyS: shelve,
  Space: view.playClip,
  ArrowLeft: () => view.moveBy(-1),
  ArrowRight: () => view.moveBy(1),
  "Shift+ArrowLeft": () => view.moveBy(-5),
  "Shift+ArrowRight": () => view.moveBy(5),
  KeyB: view.toggleBoxes,
  KeyC: view.toggleCurve,
  KeyV: () => view.stepPicture(1),
  KeyE: evidence,
  Slash: () => byId("search-words").focus(),
  "Shift+Slash": showHelp,
  Escape: () => (asking ? ask(false) : document.activeElement?.blur()),
});
bindKeys(byId("order"), { Enter: orderNow });
mountHelp();
mountSheet(decideSheet);
setInterval(() => document.hidden || refresh(), REFRESH_MS);
setInterval(() => document.hidden || !current || rowOf(current)?.held_by || hold(current), RENEW_MS);
document.addEventListener("visibilitychange", () => document.hidden || refresh());
await refresh();
root.dataset.ready = "";
