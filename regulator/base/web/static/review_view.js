/**
 * Shows one item: what happened, its pictures with boxes, clip and curve. Decides nothing and sends nothing.
 *
 * The first picture shown is the small one with faces blurred. Others show faces: each look is on record at the server,
 * so none is fetched before somebody asks for it.
 */
import { t } from "../screens/text.js";
import { TimeAxis } from "./review_axis.js";
import { boxWords, drawBoxes } from "./review_boxes.js";

const CLASSES = { thumbnail: () => t("Small picture, faces blurred"), frame: () => t("The frame that fired"), strip: () => t("Still before it"), clip: () => t("Clip") };
const STAGES = {
  handed_over: () => t("handed over by the site"),
  priority: () => t("priority 1"),
  repeated: () => t("raised again and again"),
  flood: () => t("a flood of alarms began"),
  unacknowledged: () => t("nobody at the site acknowledged it"),
  blinded: () => t("what watches is blind or silent"),
};
const RISKS = { major: () => t("suspected major hazard"), repeated: () => t("repeated"), works: () => t("dangerous works") };
const english = document.documentElement.lang === "en";
const byId = (id) => document.getElementById(id);
let shown = { id: "", pictures: [], at: 0 };
let boxes = true;
const NEAR_MS = 50;
const axis = new TimeAxis(follow);
byId("clip").addEventListener("timeupdate", clipMoved);
byId("clip").addEventListener("seeked", clipMoved);
byId("clip").addEventListener("loadedmetadata", seekClip);

/** A row's title in the page's language. */
export function titleOf(row) {
  return inLanguage(row.title_zh, row.title_en);
}

/** What the server wrote in both languages. @param {string} zh @param {string} en */
function inLanguage(zh, en) {
  return english ? en : zh;
}

/** What a row says in one line. */
export function stageOf(row) {
  return [STAGES[row.stage]?.() ?? row.stage, ...row.risks.map((risk) => RISKS[risk]?.() ?? risk)].join(" · ");
}

/** The head of an item: known at once, before anything else of it has come. @param {object} row */
export function paintHead(row) {
  const item = byId("item");
  item.hidden = false;
  byId("nothing").hidden = true;
  item.dataset.item = row.id;
  delete item.dataset.whole;
  put("item-title", titleOf(row));
  const chip = byId("item-chip");
  chip.className = `chip ${row.severity}`;
  chip.textContent = { P1: "■1", P2: "▲2", P3: "●3", log: "◆D" }[row.severity];
  put("item-project", row.project);
  put("item-raised", row.raised);
  put("item-stage", stageOf(row));
  put("item-group", row.group_size > 1 ? t("%(n)s alike in this hour", { n: row.group_size }) : "");
  paintHeld(row);
}

/** Who else looks at it. @param {object} row */
export function paintHeld(row) {
  const seen = byId("acknowledged");
  seen.hidden = !row.acknowledged_by.length;
  seen.textContent = seen.hidden ? "" : t("Acknowledged by %(names)s", { names: row.acknowledged_by.join(", ") });
  const held = byId("held");
  held.hidden = !row.held_by;
  held.textContent = row.held_by ? t("%(name)s is looking at this item", { name: row.held_by }) : "";
  for (const button of document.querySelectorAll("#verdicts button")) button.disabled = Boolean(row.held_by);
}

/** The whole of an item. @param {object} item */
export function paintItem(item) {
  const alarm = item.alarm;
  byId("facts").replaceChildren(
    ...fact(t("Place"), `${item.source} · ${alarm.subject}`),
    ...fact(t("Measured"), alarm.measured ? `${alarm.measured} ${alarm.unit}` : t("unknown")),
    ...fact(t("Limit"), alarm.limit ? `${alarm.limit} ${alarm.unit}` : "–"),
    ...fact(t("Basis"), inLanguage(alarm.basis_zh, alarm.basis_en)),
    ...(alarm.suspected ? fact(t("Suspected"), inLanguage(alarm.suspected_zh, alarm.suspected_en)) : []),
    ...fact(t("At the site"), stateWords(alarm)),
    ...fact(t("Raised here in 24 h"), String(item.in_a_day)),
    ...fact(t("False alarms of this camera and rule"), rateWords(item.rate)),
  );
  byId("came-back").hidden = !item.came_back;
  byId("came-back").textContent = item.came_back ? t("Back in the queue: %(why)s", { why: item.came_back }) : "";
  shown = { id: item.id, pictures: item.pictures, at: 0 };
  byId("curve-figure").hidden = item.pictures.length > 0;
  closeClip();
  axis.set(item);
  paintStrip();
  paintPicture();
  byId("item").dataset.whole = item.id;
}

/** Nothing waits. */
export function paintNothing() {
  byId("item").hidden = true;
  byId("nothing").hidden = false;
  delete byId("item").dataset.item;
  shown = { id: "", pictures: [], at: 0 };
}

/** The next piece of evidence. @param {number} by */
export function stepPicture(by) {
  const count = shown.pictures.length;
  if (count) showPicture((shown.at + by + count) % count);
}

/** Boxes on or off. */
export function toggleBoxes() {
  boxes = !boxes;
  byId("boxes-toggle").setAttribute("aria-pressed", String(boxes));
  paintPicture();
}

/** The curve beside the pictures, or not. */
export function toggleCurve() {
  const figure = byId("curve-figure");
  figure.hidden = !figure.hidden;
  if (!figure.hidden) figure.scrollIntoView({ block: "nearest" });
}

/** Play or hold the clip; opens it when it is not there yet. */
export function playClip() {
  const clip = byId("clip");
  if (clip.hidden) {
    const place = shown.pictures.findIndex((each) => each.class === "clip");
    if (place >= 0) showPicture(place);
    else say(t("There is no clip of this alarm"));
  } else if (clip.paused) clip.play().catch(() => say(t("This browser cannot play the clip")));
  else clip.pause();
}

/** Move on the time axis, the clip with it; without any, from picture to picture. @param {number} seconds */
export function moveBy(seconds) {
  const clip = byId("clip");
  if (clip.hidden || !Number.isFinite(clip.duration)) {
    if (new Set(stills().map((each) => each.at_ms)).size < 2) return stepPicture(Math.sign(seconds));
    return axis.moveTo(axis.cursor + seconds * 1000, "key");
  }
  clip.currentTime = Math.min(clip.duration, Math.max(0, clip.currentTime + seconds));
}

/** For those who hear the page. @param {string} words */
export function say(words) {
  put("said", words);
}

/** Something went wrong, and a person has to know. @param {string} words */
export function warn(words) {
  const trouble = byId("trouble");
  trouble.hidden = !words;
  trouble.textContent = words;
}

function showPicture(place) {
  shown.at = place;
  paintPicture();
  const picture = shown.pictures[place];
  if (picture.class !== "clip") axis.moveTo(picture.at_ms, "strip");
}

/** What has faces to be seen and stands for one moment. */
function stills() {
  return shown.pictures.filter((each) => each.class !== "clip" && !each.blurred);
}

/** The newest still that is not after a moment; before the first, the first. */
function stillAt(ms) {
  const sorted = stills().sort((a, b) => a.at_ms - b.at_ms);
  return sorted.filter((each) => each.at_ms <= ms + NEAR_MS).at(-1) ?? sorted[0];
}

/** The cursor was moved: the strip, the still and the clip go with it. */
function follow(ms, by) {
  const near = by === "start" ? null : stillAt(ms);
  for (const [place, button] of [...byId("strip").querySelectorAll("button")].entries()) {
    button.toggleAttribute("aria-current", false);
    if (near && shown.pictures[place] === near) button.setAttribute("aria-current", "true");
  }
  if (by === "start" || by === "strip" || by === "clip") return;
  if (!byId("clip").hidden) seekClip();
  else if (near && shown.pictures[shown.at] !== near) {
    shown.at = shown.pictures.indexOf(near);
    paintPicture();
  }
}

function clipMoved() {
  const clip = shown.pictures[shown.at];
  if (clip?.class === "clip" && byId("clip").readyState) axis.moveTo(clip.at_ms + byId("clip").currentTime * 1000, "clip");
}

/** The clip at the cursor; where the clip has nothing, it stays. */
function seekClip() {
  const clip = shown.pictures[shown.at], video = byId("clip");
  if (clip?.class !== "clip" || !Number.isFinite(video.duration)) return;
  const at = (axis.cursor - clip.at_ms) / 1000;
  if (at >= 0 && at <= video.duration && Math.abs(video.currentTime - at) > NEAR_MS / 1000) video.currentTime = at;
}

function paintPicture() {
  const picture = shown.pictures[shown.at];
  const still = byId("still"), svg = byId("boxes"), clip = byId("clip");
  for (const [place, button] of [...byId("strip").querySelectorAll("button")].entries()) {
    button.setAttribute("aria-pressed", String(place === shown.at));
  }
  byId("no-picture").hidden = Boolean(picture);
  const video = picture?.class === "clip";
  byId("still-frame").hidden = !picture || video;
  if (!video) closeClip();
  put("picture-words", picture ? pictureWords(picture) : "");
  if (!picture) return;
  if (video) {
    clip.hidden = false;
    if (clip.getAttribute("src") !== picture.url) clip.src = picture.url;
    return;
  }
  if (still.getAttribute("src") !== picture.url) still.src = picture.url;
  still.alt = `${CLASSES[picture.class]?.() ?? picture.class}, ${picture.at}`;
  svg.toggleAttribute("hidden", !boxes);
  drawBoxes(svg, boxes ? picture.boxes : [], picture.size);
}

function pictureWords(picture) {
  const seen = picture.class === "clip" || picture.blurred ? [] : [t("faces visible: this view is recorded")];
  const drawn = picture.class === "clip" ? [] : [boxWords(picture.boxes)];
  return [CLASSES[picture.class]?.() ?? picture.class, picture.at, ...drawn, ...seen].join(" · ");
}

function paintStrip() {
  const buttons = shown.pictures.map((picture, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = picture.class === "strip" ? t("Still %(offset)s", { offset: axis.offset(picture.at_ms) }) : CLASSES[picture.class]?.() ?? picture.class;
    button.addEventListener("click", () => showPicture(place));
    return button;
  });
  byId("strip").replaceChildren(...buttons);
}

function closeClip() {
  const clip = byId("clip");
  clip.hidden = true;
  clip.pause();
  if (clip.hasAttribute("src")) {
    clip.removeAttribute("src");
    clip.load();
  }
}

function stateWords(alarm) {
  const parts = [alarm.active ? t("active") : t("returned")];
  parts.push(alarm.acknowledged ? t("acknowledged %(at)s", { at: alarm.acknowledged }) : t("unacknowledged"));
  if (alarm.handed_over) parts.push(t("handed over %(at)s", { at: alarm.handed_over }));
  if (alarm.late) parts.push(t("came late"));
  if (alarm.unsealed) parts.push(t("not sealed: the box's disk takes no records"));
  return parts.join(" · ");
}

function rateWords(rate) {
  if (!rate) return t("too few verdicts to say");
  const words = t("%(value)s % (95 %: %(low)s–%(high)s %), n = %(n)s", rate);
  return rate.indicative ? `${words}, ${t("indicative")}` : words;
}

function fact(name, words) {
  const dt = document.createElement("dt"), dd = document.createElement("dd");
  dt.textContent = name;
  dd.textContent = words || "–";
  return [dt, dd];
}

function put(id, words) {
  const element = byId(id);
  if (element.textContent !== words) element.textContent = words;
}
