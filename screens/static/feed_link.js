/**
 * A page's way to the feed: through the browser's shared worker, or a connection of its own where there is none.
 *
 *   const link = new FeedLink(hear);   hear() gets what `feed_line.js` says, and { kind: "sounding", here, anywhere }
 */
import { FeedLine } from "./feed_line.js";

const WORKER_SILENT_MS = 6000; // the worker beats once a second, whatever the server does
const CHECK_MS = 1000;
const WORKER_TRIES = 2;
const KEPT_FOR_MS = 60000;
const KEY = "sitewarden.feed";

export class FeedLink {
  /** @param {(said: object) => void} hear @param {() => {visible: boolean, audible: boolean}} here */
  constructor(hear, here) {
    this.hear = hear;
    this.here = here;
    this.seq = remembered();
    this.tries = 0;
    this.port = null;
    this.line = null;
    this.#join();
    this.check = setInterval(() => this.#look(), CHECK_MS);
    addEventListener("pagehide", () => this.#leave());
    addEventListener("pageshow", (event) => event.persisted && this.#join());
    addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => {
      this.tellHere();
      if (!document.hidden) this.hurry();
    });
  }

  /** "shared" or "direct". */
  get way() {
    return this.line ? "direct" : "shared";
  }

  /** Try to connect at once. */
  hurry() {
    this.port?.postMessage({ kind: "hurry" });
    this.line?.hurry();
  }

  /** Whether this page is seen and can sound has changed. */
  tellHere() {
    const here = this.here();
    this.port?.postMessage({ kind: "here", ...here });
    if (this.line) this.hear({ kind: "sounding", here: here.audible, anywhere: here.audible });
  }

  #join() {
    this.heardAt = performance.now();
    if (typeof SharedWorker === "undefined" || this.tries >= WORKER_TRIES) return this.#goDirect();
    this.tries += 1;
    try {
      const worker = new SharedWorker(new URL("./feed_worker.js", import.meta.url), { type: "module", name: "feed" });
      worker.onerror = () => this.#goDirect();
      this.port = worker.port;
      this.port.onmessage = (message) => this.#take(message.data);
      this.port.postMessage({ kind: "here", ...this.here() });
      this.port.postMessage({ kind: "join", seq: this.seq });
    } catch {
      this.#goDirect();
    }
  }

  #goDirect() {
    if (this.port) this.port.onmessage = null;
    this.port = null;
    this.line ??= new FeedLine((said) => this.#take(said), this.seq);
    this.tellHere();
  }

  #leave() {
    this.port?.postMessage({ kind: "bye" });
    this.port = null;
    this.line?.stop();
    this.line = null;
    if (this.seq === null) return;
    try {
      sessionStorage.setItem(KEY, JSON.stringify({ seq: this.seq, at: Date.now() }));
    } catch {
      return; // storage is full or switched off: the next page starts from what the server shows it
    }
  }

  #take(said) {
    this.heardAt = performance.now();
    if (said.kind === "beat") {
      this.tries = 0;
      this.tellHere();
      return;
    }
    if (said.kind === "alarm") this.seq = said.data.seq;
    if (said.kind === "gap") this.seq = said.data.to;
    if (said.kind === "hello") this.seq ??= said.data.seq;
    this.hear(said);
  }

  /** A worker that has gone silent is asked for anew; one that stays silent is done without. */
  #look() {
    if (this.line || !this.port || performance.now() - this.heardAt < WORKER_SILENT_MS) return;
    this.port = null;
    this.#join();
  }
}

/** The last alarm that the page before this one knew, if that was a moment ago. */
function remembered() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY));
    return kept && Date.now() - kept.at < KEPT_FOR_MS ? kept.seq : null;
  } catch {
    return null;
  }
}
