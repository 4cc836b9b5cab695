/**
 * Partial swaps: `<section id="x" data-part="/parts/x" data-on="alarm live:10">` is fetched again when the feed says so.
 *
 * A part with `data-first` is fetched before the others when an alarm comes.
 * For a part one request is in flight and at most one more waits, however many events come. A page that nobody sees
 * fetches nothing and catches up when it is looked at. Swaps take at most a fifth of the page's time, so that a flood
 * of alarms leaves room for hands. Focus, scroll positions, opened details and what was typed stay; while somebody types
 * or has a dialog open, his part waits, but not for longer than he pauses.
 */
const FETCH_MS = 10000;
const BEHIND_MS = 200; // after an alarm the list comes first, what stands around it a moment later
const BEHIND_EVERY_MS = 1000;
const SHARE = 4; // rest so many times as long as the last swap took
const SHORTEST_REST_MS = 100; // also for the box, which makes every part
const LONGEST_REST_MS = 1000;
const RETRY_MS = 3000;
const TYPING_MS = 10000; // after so long without a key, a part with a field is swapped like any other
const TYPED = "input:not([type=checkbox], [type=radio], [type=hidden]), textarea, select";

const states = new WeakMap(); // part -> { running, again, html, askedAt, restUntil, retry }
const owed = new Set(); // ids of parts that were asked for while nobody looked, or while somebody typed

/** Ask for every part that listens to this kind of event. @param {string} kind "alarm", "live" */
export function refresh(kind) {
  const now = performance.now();
  const asked = [...document.querySelectorAll("[data-part][id]")].filter((part) => {
    const word = (part.dataset.on ?? "").split(" ").find((each) => each.split(":")[0] === kind);
    return word && now - stateOf(part).askedAt >= 1000 * Number(word.split(":")[1] ?? 0) - 500;
  });
  const first = asked.filter((part) => "first" in part.dataset);
  const behind = kind === "alarm" && first.length > 0;
  for (const part of behind ? first : asked) refreshPart(part.id);
  if (behind) refreshBehind(asked.filter((part) => !first.includes(part)), now);
}

let behindAt = -Infinity;
let behindTimer = 0;

/** At most once a second: a flood of alarms needs the page's time for its list. */
function refreshBehind(parts, now) {
  if (behindTimer || !parts.length) return;
  const ids = parts.map((part) => part.id);
  behindTimer = setTimeout(() => {
    behindTimer = 0;
    behindAt = performance.now();
    for (const id of ids) refreshPart(id);
  }, Math.max(BEHIND_MS, behindAt + BEHIND_EVERY_MS - now));
}

/** Ask for every part: the page has been without news, and what it showed has been taken back. */
export function refreshAll() {
  for (const part of document.querySelectorAll("[data-part][id]")) {
    stateOf(part).html = "";
    refreshPart(part.id);
  }
}

/** Ask for one part, by its id. @param {string} id */
export function refreshPart(id) {
  const part = document.getElementById(id);
  if (!part?.dataset.part) return;
  if (document.hidden || busy(part)) {
    owe(id);
    return;
  }
  const state = stateOf(part);
  state.askedAt = performance.now();
  if (state.running) state.again = true;
  else run(part, state);
}

/** Fetch what was asked for while nobody looked. */
export function payOwed() {
  const ids = [...owed];
  owed.clear();
  for (const id of ids) refreshPart(id);
}

let typedAt = -Infinity;
let reminder = 0;
document.addEventListener("visibilitychange", () => document.hidden || payOwed());
document.addEventListener("focusout", () => setTimeout(payOwed, 0));
for (const kind of ["input", "keydown"]) {
  document.addEventListener(kind, () => (typedAt = performance.now()), { capture: true, passive: true });
}

function owe(id) {
  owed.add(id);
  if (!document.hidden) reminder ||= setTimeout(() => {
    reminder = 0;
    payOwed();
  }, TYPING_MS);
}

function stateOf(part) {
  let state = states.get(part);
  if (!state) states.set(part, (state = { running: false, again: false, html: "", askedAt: -Infinity, restMs: 0, retry: 0 }));
  return state;
}

async function run(part, state) {
  state.running = true;
  clearTimeout(state.retry);
  do {
    state.again = false;
    await swap(part, state);
    await new Promise((rested) => setTimeout(rested, state.restMs));
  } while (state.again && part.isConnected);
  state.running = false;
}

async function swap(part, state) {
  state.restMs = SHORTEST_REST_MS;
  try {
    const html = await fetched(part.dataset.part);
    if (html === state.html) return done(part, false);
    await painted();
    if (busy(part)) return owe(part.id);
    const began = performance.now();
    put(part, html);
    state.html = html;
    state.restMs = Math.min(LONGEST_REST_MS, Math.max(SHORTEST_REST_MS, (performance.now() - began) * SHARE));
    done(part, true);
  } catch (error) {
    part.dataset.failed = error.message;
    part.dispatchEvent(new CustomEvent("part-failed", { bubbles: true, detail: error.status ?? 0 }));
    state.retry = setTimeout(() => part.isConnected && refreshPart(part.id), RETRY_MS);
  }
}

function done(part, swapped) {
  delete part.dataset.failed;
  if (swapped) part.dispatchEvent(new CustomEvent("part-swapped", { bubbles: true }));
}

async function fetched(url) {
  const answer = await fetch(url, { headers: { "x-part": "1" }, cache: "no-store", signal: AbortSignal.timeout(FETCH_MS) });
  if (!answer.ok || answer.redirected) throw Object.assign(new Error(`${answer.status}`), { status: answer.redirected ? 401 : answer.status });
  return answer.text();
}

/** The next frame, or soon after where no frame comes. */
function painted() {
  return new Promise((go) => {
    const late = setTimeout(go, 200);
    requestAnimationFrame(() => {
      clearTimeout(late);
      go();
    });
  });
}

function put(part, html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  for (const details of part.querySelectorAll("details[open][id]")) {
    const same = fresh.querySelector(`#${CSS.escape(details.id)}`);
    if (same) same.open = true;
  }
  const scrolled = [...part.querySelectorAll("[id]")].filter((each) => each.scrollTop || each.scrollLeft);
  const places = scrolled.map((each) => [each.id, each.scrollTop, each.scrollLeft]);
  for (const field of part.querySelectorAll(TYPED)) keepTyped(field, fresh);
  part.replaceChildren(...fresh.childNodes);
  for (const [id, top, left] of places) document.getElementById(id)?.scrollTo({ top, left, behavior: "instant" });
  if (focused) giveFocus(part, focused);
}

/** What was written and not sent is still there afterwards. */
function keepTyped(field, fresh) {
  const was = field.tagName === "SELECT" ? [...field.options].find((each) => each.defaultSelected)?.value : field.defaultValue;
  const same = field.id && field.value !== was && fresh.querySelector(`#${CSS.escape(field.id)}`);
  if (same) same.value = field.value;
}

/** What had the focus; where it is gone, its part, so that the next key goes on from there. */
function giveFocus(part, id) {
  const same = document.getElementById(id);
  if (!same && !part.hasAttribute("tabindex")) part.tabIndex = -1;
  (same ?? part).focus({ preventScroll: true });
}

/** Whether a person is in the middle of something here: what he writes must not vanish under his hands. */
function busy(part) {
  if (part.querySelector("dialog[open]")) return true;
  const at = document.activeElement;
  return part.contains(at) && at.matches(TYPED) && performance.now() - typedAt < TYPING_MS;
}
