/**
 * One live view: renews its lease, says where it stands, plays what comes. What the server says counts; a page that has
 * lost the server says that instead of what it last knew.
 */
import { LiveVideo } from "../screens/live_video.js";
import { t } from "../screens/text.js";

const WAITING_MS = 700;
const PLAYING_MS = 3000;
const AGAIN_MS = 1000;

const byId = (id) => document.getElementById(id);
const root = byId("live"), element = byId("live-video"), askedAt = performance.now();
const url = `/live/views/${root.dataset.view}`;
let video = null;
let over = "over" in root.dataset;

function say(words) {
  const place = byId("live-said");
  if (place.textContent !== words) place.textContent = words;
}

function post(what) {
  return fetch(`${url}/${what}`, { method: "POST", body: new URLSearchParams({ csrf: root.dataset.csrf }), keepalive: what === "stop" });
}

async function renew() {
  if (over) return;
  try {
    const answer = await post("renew");
    if (!answer.ok) throw new Error(t("No connection to the desk (%(status)s)", { status: answer.status }));
    show(await answer.json());
  } catch (error) {
    say(error instanceof TypeError ? t("No connection to the desk (%(status)s)", { status: "–" }) : error.message);
  }
  if (!over) setTimeout(renew, root.dataset.stage === "playing" ? PLAYING_MS : WAITING_MS);
}

function show(stands) {
  root.dataset.stage = stands.stage;
  if (stands.stage !== "playing" || !video) say(stands.words);
  over = stands.over || stands.stage === "ended" || stands.stage === "refused";
  if (over) end();
  else if (stands.stage === "playing" && !video) play(stands.words);
}

async function play(words) {
  const mine = (video = new LiveVideo(element, `${url}/stream.mp4`));
  element.addEventListener("playing", () => {
    root.dataset.firstMs = Math.round(performance.now() - askedAt);
    say(words);
  }, { once: true });
  element.hidden = false;
  try {
    await mine.play();
  } catch (error) {
    if (error.constructor === Error) say(error.message);
  }
  element.hidden = true;
  if (video === mine) setTimeout(() => (video = null), AGAIN_MS); // a stream that broke off is taken up again while the view lasts
}

function end() {
  video?.stop();
  element.hidden = true;
  byId("live-stop")?.remove();
}

byId("live-stop")?.addEventListener("click", async () => {
  over = true;
  await post("stop").catch(() => {});
  location.reload();
});
addEventListener("pagehide", () => over || post("stop"));
renew();
