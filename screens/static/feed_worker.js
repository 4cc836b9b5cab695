/**
 * The one listener of a browser: holds the event stream for all tabs and decides which tab sounds.
 *
 *   tab -> worker   { kind: "join", seq }   { kind: "here", visible, audible }   { kind: "bye" }   { kind: "hurry" }
 *   worker -> tab   what the line says, { kind: "beat" } once a second, { kind: "sounding", here, anywhere }
 *
 * A tab answers every beat; one that does not is frozen or gone, does not sound and is forgotten.
 */
import { FeedLine } from "./feed_line.js";

const BEAT_MS = 1000;
const QUIET_MS = 3500; // no answer for so long: it cannot be relied on to sound
const FORGET_MS = 60000;

const tabs = new Map();
let line = null;
let newest = { state: null, hello: null, live: null };
let sounding = null;

globalThis.onconnect = (event) => {
  const port = event.ports[0];
  port.onmessage = (message) => take(port, message.data);
  port.start();
};

setInterval(() => {
  const now = performance.now();
  for (const [port, tab] of tabs) {
    if (now - tab.heardAt > FORGET_MS) tabs.delete(port);
    else port.postMessage({ kind: "beat" });
  }
  elect();
}, BEAT_MS);

function take(port, said) {
  if (said.kind === "bye") {
    tabs.delete(port);
    elect();
    return;
  }
  const known = tabs.get(port) ?? { visible: false, audible: false, told: "" };
  known.heardAt = performance.now();
  tabs.set(port, known);
  if (said.kind === "join") welcome(port, said.seq);
  if (said.kind === "hurry") line?.hurry();
  if (said.kind === "here") {
    const appeared = said.visible && !known.visible;
    known.visible = said.visible;
    known.audible = said.audible;
    if (appeared && newest.live) port.postMessage(newest.live);
    elect();
  }
}

/** What the tab would have heard, had it been here before. */
function welcome(port, seq) {
  if (line === null) line = new FeedLine(relay, seq);
  for (const said of [newest.state, newest.hello, newest.live]) if (said) port.postMessage(said);
}

function relay(said) {
  if (said.kind in newest) newest[said.kind] = said;
  if (said.kind === "state" && said.state === "lost") newest.live = null; // what was last seen is no longer known
  const light = said.kind === "live" ? { kind: "live", data: { ...said.data, cells: null } } : said;
  for (const [port, tab] of tabs) port.postMessage(tab.visible ? said : light);
}

/** One tab sounds: one that can, that is seen if possible, and the same as before if that is as good. */
function elect() {
  const now = performance.now();
  const able = [...tabs].filter(([, tab]) => tab.audible && now - tab.heardAt < QUIET_MS);
  const seen = able.filter(([, tab]) => tab.visible);
  const choice = seen.length ? seen : able;
  if (!choice.some(([port]) => port === sounding)) sounding = choice.length ? choice[0][0] : null;
  for (const [port, tab] of tabs) {
    const told = `${port === sounding} ${sounding !== null}`;
    if (tab.told !== told) port.postMessage({ kind: "sounding", here: port === sounding, anywhere: sounding !== null });
    tab.told = told;
  }
}
