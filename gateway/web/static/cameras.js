/**
 * S4 and the page of one camera: stills, boxes, live video, the state of each camera.
 */
import { t } from "../screens/text.js";
import { bindBoxes } from "./boxes.js";
import { Stills } from "./camera_stills.js";
import { LiveVideo } from "../screens/live_video.js";
import { bindKeys } from "./keys.js";

const MOST_LIVE = 4;
const STATES_EVERY = 2; // of the feed's pictures, one a second

const root = document.querySelector("[data-cameras]");
const playing = new Map(); // figure -> LiveVideo
const stills = new Stills(root, () => playing.size);
const toggleBoxes = bindBoxes(document.getElementById("boxes-toggle"), () => stills.redraw());

for (const figure of root.querySelectorAll("[data-video]")) {
  const button = figure.querySelector("[data-live-toggle]");
  button.hidden = false;
  button.addEventListener("click", () => toggle(figure));
  figure.querySelector("a[data-picture]")?.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    toggle(figure);
  });
}

bindKeys({
  KeyB: toggleBoxes,
  KeyL: () => root.querySelectorAll("[data-still]").length === 1 && toggle(root.querySelector("[data-still]")),
  Escape: () => [...playing.keys()].forEach(stop),
});
document.addEventListener("click", (event) => event.target.closest?.("[data-close]")?.closest("dialog")?.close());

let heard = 0;
let asking = false;
document.addEventListener("feed-live", () => {
  if (++heard % STATES_EVERY === 0 && !document.hidden && !asking) refreshStates();
});
addEventListener("pagehide", () => [...playing.keys()].forEach(stop));

function toggle(figure) {
  if (!figure.dataset.video) return;
  if (playing.has(figure)) stop(figure);
  else start(figure);
}

function stop(figure) {
  playing.get(figure)?.stop();
}

/** Live until it is stopped or ends; then the still again, with the reason. */
async function start(figure) {
  if (playing.size >= MOST_LIVE) {
    say(figure, t("%(most)s live videos are running. Stop one first", { most: MOST_LIVE }));
    return;
  }
  const element = figure.querySelector("video");
  const video = new LiveVideo(element, figure.dataset.video);
  playing.set(figure, video);
  say(figure, t("Live video is being opened"));
  element.addEventListener("playing", () => playing.get(figure) === video && show(figure, true), { once: true });
  let why = t("The live video has ended");
  try {
    await video.play();
  } catch (error) {
    if (video.stopped.signal.aborted) why = "";
    else if (error.constructor === Error) why = error.message; // ours, in the page's language
  }
  playing.delete(figure);
  show(figure, false);
  say(figure, why);
}

function show(figure, live) {
  stills.of(figure).paused = live;
  figure.classList.toggle("playing", live);
  figure.querySelector("video").hidden = !live;
  figure.querySelector("[data-picture]").hidden = live;
  figure.querySelector("[data-live-toggle]").setAttribute("aria-pressed", String(live));
  stills.redraw();
  if (live) say(figure, t("Live. This look is on record."));
  stills.look();
}

function say(figure, words) {
  const place = figure.querySelector("[data-live-said]");
  if (place.textContent !== words) place.textContent = words;
}

/** What the server says of every camera; only what has changed is put into the page. */
async function refreshStates() {
  asking = true;
  try {
    const answer = await fetch("/parts/cameras", { headers: { "x-part": "1" }, cache: "no-store" });
    if (answer.ok) showStates(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // the bar at the top says when the box is away
  }
  asking = false;
}

function showStates(found) {
  for (const fresh of found.querySelectorAll("[data-camera-state]")) {
    const name = CSS.escape(fresh.dataset.cameraState);
    const shown = root.querySelector(`[data-camera-state="${name}"]`);
    if (!shown || shown.innerHTML === fresh.innerHTML || shown.contains(document.activeElement)) continue;
    shown.replaceChildren(...fresh.childNodes);
  }
}
