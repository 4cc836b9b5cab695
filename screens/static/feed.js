/**
 * Every page's living part. The feed speaks; parts, values, sound, title and the bars at the top follow.
 *
 * Other modules listen on the document: `feed-alarm` (detail: the event), `feed-live` (detail: the picture), `feed-back`
 * (the connection is there again), `feed-gap`. `<body class="wall">` is a screen without a person in front of it.
 */
import { callAttention } from "./attention.js";
import { forgetCells, showCells, showEscalations } from "./cells.js";
import { Connection } from "./connection.js";
import { FeedLink } from "./feed_link.js";
import { Kiosk } from "./kiosk.js";
import { refresh, refreshAll } from "./parts.js";
import { Sound } from "./sound.js";

const LOOK_MS = 500;
const WALL_RELOAD_MS = 10000;

const wall = document.body.matches(".wall, [data-wall]");
const sound = new Sound({ wall, changed: () => link?.tellHere() });
const kiosk = wall ? new Kiosk(() => !sound.calling.p1 && !sound.calling.p2) : null;
const connection = new Connection({
  forget: () => {
    newest = null;
    forgetCells();
    callAttention(null);
  },
  back: () => {
    refreshAll();
    tell("feed-back", null);
  },
  retry: () => link.hurry(),
});
let welcomed = false;
let newest = null;
const link = new FeedLink(hear, () => ({ visible: !document.hidden, audible: sound.audible }));

document.addEventListener("part-failed", (event) => {
  if (event.detail === 401) connection.lineSays({ state: "lost", reason: "login" });
});
document.addEventListener("part-swapped", () => newest && showEscalations(newest.escalation)); // not made with the part
setInterval(() => {
  connection.look();
  sound.look();
}, LOOK_MS);
document.addEventListener("visibilitychange", () => document.hidden || connection.look());

function hear(said) {
  if (said.kind === "state") connection.lineSays(said);
  if (said.kind === "hello") atOtherEnd({ config: said.data.config, version: said.data.version });
  if (said.kind === "live") hearLive(said.data);
  if (said.kind === "sound") hearCount(said.data);
  if (said.kind === "alarm") {
    sound.hear(said.data);
    refresh("alarm");
    tell("feed-alarm", said.data);
  }
  if (said.kind === "change") refresh("alarm");
  if (said.kind === "gap") {
    connection.gap(said.data);
    refreshAll();
    tell("feed-gap", said.data);
  }
  if (said.kind === "sounding") sound.chosen(said);
}

function hearLive(picture) {
  connection.heard();
  kiosk?.heard(picture.at_ns / 1e6);
  atOtherEnd({ config: picture.config });
  hearCount(picture.sound);
  if (picture.cells === null) return; // a tab that nobody sees
  newest = picture;
  showCells(picture.cells);
  showEscalations(picture.escalation);
  if (!welcomed) refresh("alarm"); // what came between the page's making and now
  welcomed = true;
  refresh("live");
  tell("feed-live", picture);
}

function hearCount(calling) {
  sound.count(calling);
  callAttention(calling);
}

/** A wall has nobody who could press a button. */
function atOtherEnd(said) {
  if (connection.other(said) && wall) setTimeout(() => location.reload(), WALL_RELOAD_MS * Math.random());
}

function tell(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }));
}
