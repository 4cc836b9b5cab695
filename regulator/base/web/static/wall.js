/**
 * R1: 500 tiles in a fixed order. Arrows go from tile to tile, staying on one opens its card, Enter its page. What
 * changes is written into the tile that is there; nothing is moved but by the set itself.
 */
import { t } from "../screens/text.js";
import { WallFeed, json } from "./wall_feed.js";

const byId = (id) => document.getElementById(id);
const root = byId("wall");
const words = JSON.parse(root.dataset.words); // of links, bands, rungs, in the page's language
const SHAPES = ["", "■1", "▲2", "●3"];
const CARD_MS = 150;
const A_FRAME = 50; // a frame with a change costs about as much for six tiles as for fifty: the whole wall is laid in layers anew
const FILTERS = ["category", "city", "stage", "work"];
const tiles = new Map(); // code -> { row, link, parts }
const TAIL = 5; // what tells neighbours apart stands at the end of a code, and is never cut off
let data = JSON.parse(byId("wall-data").content.textContent);
let mode = "state";
const query = new URLSearchParams(location.search);
let stills = null; // made when pictures are wanted

function build() {
  const old = new Map([...tiles].map(([code, { link }]) => [code, link.parentElement]));
  tiles.clear();
  root.replaceChildren(...data.cities.map(([city, name, rows]) => {
    const section = Object.assign(document.createElement("section"), { className: "wall-city" });
    const heading = Object.assign(document.createElement("h2"), { id: `city-${city}`, textContent: name });
    const list = document.createElement("ol");
    list.setAttribute("aria-labelledby", heading.id);
    list.append(...rows.map(([code, kind, ...numbers]) => made(code, city, data.kinds[kind], numbers, old.get(code))));
    section.append(heading, list);
    return section;
  }));
  for (const tile of tiles.values()) paint(tile);
  filter();
}

function made(code, city, kind, numbers, item) {
  if (!item) {
    item = document.createElement("li");
    item.innerHTML = '<a class="tile" tabindex="-1"><b><span></span><strong></strong></b><img hidden alt="" width="160" height="90"><span class="age"></span><span class="chip" hidden></span><span class="said"></span></a>';
    item.firstChild.dataset.code = code;
    item.firstChild.href = `/projects/${encodeURIComponent(code)}`;
    item.querySelector("b span").textContent = code.slice(0, -TAIL);
    item.querySelector("b strong").textContent = code.slice(-TAIL);
  }
  const link = item.firstChild;
  tiles.set(code, { code, city, kind, numbers, link, chip: link.querySelector(".chip"), said: link.querySelector(".said") });
  return item;
}

function paint({ code, numbers, link, chip, said }) {
  const [rung = 0, doubt = 0, linked = 0, scored = 0, band = 0, today = 0, hazards = 0, overdue = 0, worst = 0, open = 0, active = 0] = numbers;
  const top = words.rungs.length - 1;
  link.classList.toggle("unknown", { state: linked > 0, thumbnail: linked > 0, risk: !scored, coverage: doubt > 0 }[mode]);
  link.dataset.level = mode === "risk" ? band : mode === "coverage" && rung < top ? 2 : 0;
  chip.hidden = !worst || mode === "coverage" || mode === "risk";
  chip.className = `chip P${worst}${open ? " unacknowledged" : ""}`;
  chip.textContent = SHAPES[worst];
  const counts = `${today}·${hazards}·${overdue}`;
  const text = {
    state: linked ? `${words.links[linked]} ${counts}` : counts,
    thumbnail: linked ? words.links[linked] : "",
    risk: scored ? `${scored - 1} ${words.bands[band]}` : words.bands[0],
    coverage: `${rung}/${top} ${doubt ? words.unknown : words.rungs[rung]}`,
  }[mode];
  said.textContent = text;
  link.setAttribute("aria-label", t("%(code)s: %(link)s; alarms standing %(active)s, gravest %(worst)s, today %(today)s; open hazards %(hazards)s, overdue %(overdue)s; %(said)s", {
    code, link: words.links[linked], active, worst: worst ? `P${worst}` : "–", today, hazards, overdue, said: text,
  }));
}

/* --- what changes --- */

let waiting = [];
function apply(rows) {
  if (!waiting.length) requestAnimationFrame(flush);
  waiting.push(...rows);
}

/** In their order, what half a second brings in one frame: hundreds at once must not hold up hands. */
function flush() {
  for (const [code, seq, ...numbers] of waiting.splice(0, Math.max(A_FRAME, waiting.length / 60))) {
    const tile = tiles.get(code);
    if (tile) paint(Object.assign(tile, { numbers }));
    root.dataset.seq = seq;
  }
  if (waiting.length) requestAnimationFrame(flush);
  else count();
}

async function reload() {
  data = await json("/api/wall/tiles");
  waiting = [];
  build();
  root.dataset.seq = data.seq;
  return { seq: data.seq, mark: data.mark };
}

function state(name, reason) {
  if (name === "live" && document.documentElement.dataset.feed === "live") return;
  document.documentElement.dataset.feed = name;
  byId("wall-stale").hidden = name === "live";
  byId("wall-login").hidden = reason !== "login";
}

/* --- what is shown --- */

function filter() {
  const [category, city, stage, work] = FILTERS.map((name) => byId(`f-${name}`).value);
  for (const { city: where, kind, link } of tiles.values()) {
    link.parentElement.hidden = !((!category || kind[0] === +category) && (!city || where === city) && (!stage || kind[1] === stage) && (!work || kind[2] & (1 << +work)));
  }
  for (const section of root.children) section.hidden = !section.querySelector("li:not([hidden])");
  const now = root.querySelector('.tile[tabindex="0"]');
  if (!now || now.parentElement.hidden) rove(shown()[0], false);
  count();
}

function count() {
  const rows = [...tiles.values()].filter(({ link }) => !link.parentElement.hidden).map(({ numbers }) => numbers);
  const of = (place, value) => rows.filter((row) => (row[place] ?? 0) === value).length;
  byId("wall-count").textContent = t("%(shown)s of %(all)s; not heard of %(silent)s; P1 %(p1)s, P2 %(p2)s, P3 %(p3)s", {
    shown: rows.length, all: tiles.size, silent: rows.length - of(2, 0), p1: of(8, 1), p2: of(8, 2), p3: of(8, 3),
  });
}

function choose(name) {
  mode = name;
  root.dataset.mode = name;
  for (const button of document.querySelectorAll("[data-mode-choice]")) button.setAttribute("aria-pressed", String(button.dataset.modeChoice === name));
  for (const legend of document.querySelectorAll("[data-legend]")) legend.hidden = legend.dataset.legend !== name;
  for (const tile of tiles.values()) paint(tile);
  pictures(name === "thumbnail");
  remember();
}

async function pictures(on) {
  if (!on && !stills) return;
  stills ??= import("./wall_stills.js").then(({ Stills }) => new Stills(() => document.documentElement.dataset.feed === "live"));
  (await stills).show(mode === "thumbnail", [...tiles.values()].map(({ link }) => link));
}

function remember() {
  const kept = new URLSearchParams(FILTERS.map((name) => [name, byId(`f-${name}`).value]).filter(([, value]) => value));
  if (mode !== "state") kept.set("mode", mode);
  history.replaceState(null, "", kept.size ? `?${kept}` : location.pathname);
}

/* --- keys and the card --- */

const shown = () => [...root.querySelectorAll("li:not([hidden]) > .tile")].filter((link) => !link.closest("section").hidden);

function rove(link, focus = true) {
  root.querySelector('.tile[tabindex="0"]')?.setAttribute("tabindex", "-1");
  link?.setAttribute("tabindex", "0");
  if (focus) link?.focus();
}

const STEPS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
root.addEventListener("keydown", (event) => {
  const at = event.target.closest(".tile");
  if (!at || event.ctrlKey || event.altKey || event.metaKey) return;
  const all = shown(), place = all.indexOf(at);
  let next = null;
  if (event.key in STEPS) next = all[Math.min(all.length - 1, Math.max(0, place + STEPS[event.key]))];
  if (event.key === "ArrowUp" || event.key === "ArrowDown") next = beside(all, at, event.key === "ArrowUp" ? -1 : 1);
  if (event.key === "Escape") byId("wall-card").hidden = true;
  if (!next) return;
  event.preventDefault();
  rove(next);
});

/** The nearest tile further up or down, in the same column rather than in another. */
function beside(all, at, way) {
  const { left, top, height } = at.getBoundingClientRect();
  let best = null, nearest = Infinity;
  for (const link of all) {
    const place = link.getBoundingClientRect(), down = (place.top - top) * way;
    const far = down + 3 * Math.abs(place.left - left);
    if (down > height / 2 && far < nearest) [best, nearest] = [link, far];
  }
  return best;
}

let cardTimer = 0;
function stay(event) {
  const link = event.target.closest?.(".tile");
  clearTimeout(cardTimer);
  if (link) cardTimer = setTimeout(() => card(link.dataset.code), CARD_MS);
}
root.addEventListener("mouseover", stay);
root.addEventListener("mouseleave", () => clearTimeout(cardTimer));
root.addEventListener("focusin", (event) => {
  stay(event);
  const link = event.target.closest(".tile");
  if (link?.tabIndex !== 0) rove(link, false);
});

async function card(code) {
  const place = byId("wall-card");
  try {
    const answer = await fetch(`/wall/card/${encodeURIComponent(code)}`, { headers: { "x-part": "1" }, cache: "no-store" });
    if (!answer.ok) return;
    const body = new DOMParser().parseFromString(await answer.text(), "text/html").body;
    place.replaceChildren(...body.childNodes);
    place.dataset.code = code;
    place.hidden = false;
  } catch {
    // the bar at the top says when the desk is away
  }
}

/* --- begin --- */

for (const name of FILTERS) {
  byId(`f-${name}`).value = query.get(name) ?? "";
  byId(`f-${name}`).addEventListener("change", () => {
    filter();
    remember();
  });
}
byId("wall-filter").addEventListener("submit", (event) => event.preventDefault());
for (const button of document.querySelectorAll("[data-mode-choice]")) button.addEventListener("click", () => choose(button.dataset.modeChoice));
if (!matchMedia("(prefers-reduced-motion: reduce)").matches) setInterval(() => document.hidden || root.classList.toggle("blink"), 500);
build();
choose(document.querySelector(`[data-mode-choice="${CSS.escape(query.get("mode") ?? "")}"]`) ? query.get("mode") : "state");
root.dataset.seq = data.seq;
new WallFeed(data.seq, data.mark, { apply, reload, state });
root.dataset.ready = "";
