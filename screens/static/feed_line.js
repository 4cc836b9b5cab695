/**
 * One connection to an event stream (the box's, unless another is named), kept alive: replay from the last number, no alarm twice, backoff, and the
 * reason when it cannot connect. Runs in the shared worker, or in the page where there is none. Touches no document.
 *
 *   hear({ kind: "state", state: "connecting" | "open" | "lost", reason: "" | "network" | "silent" | "login" | "busy" })
 *   hear({ kind: "hello" | "live" | "sound" | "alarm" | "change" | "gap", data })
 */
const BOX = {
  events: "/api/events",
  once: "/api/live", // asked for the reason when the stream does not open
  kinds: ["hello", "live", "sound", "alarm", "change", "gap"],
  numbered: "alarm", // carries `seq`, is replayed from the last one known
};
const SILENT_MS = 3000; // the server speaks once a second
const OPENING_MS = 4000;
const CHECK_MS = 500;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5000;

/** How long to wait before attempt `failures` (1 is the first repeat), with jitter. @param {number} failures */
export function pauseMs(failures) {
  const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
  return ceiling * (0.5 + Math.random() / 2);
}

export class FeedLine {
  /**
   * @param {(said: object) => void} hear @param {number | null} lastSeq the last number known, null: only what is new
   * @param {{events: string, once: string, kinds: string[], numbered: string}} stream
   */
  constructor(hear, lastSeq, stream = BOX) {
    this.stream = stream;
    this.hear = hear;
    this.lastSeq = lastSeq;
    this.state = "";
    this.failures = 0;
    this.source = null;
    this.heardAt = performance.now();
    this.pause = 0;
    this.check = setInterval(() => this.#look(), CHECK_MS);
    this.#open();
  }

  /** End the connection for good. */
  stop() {
    clearInterval(this.check);
    clearTimeout(this.pause);
    this.source?.close();
    this.source = null;
  }

  /** Try now: the network is back, or somebody looks. */
  hurry() {
    if (this.state !== "lost") return;
    clearTimeout(this.pause);
    this.#open();
  }

  #open() {
    this.source?.close();
    const from = this.lastSeq === null ? "" : `?last_id=${this.lastSeq}`;
    const source = (this.source = new EventSource(this.stream.events + from));
    this.heardAt = performance.now();
    this.#say("connecting", "");
    source.onerror = () => this.source === source && this.#lose("network");
    for (const kind of this.stream.kinds) {
      source.addEventListener(kind, (event) => this.source === source && this.#take(kind, event));
    }
  }

  #take(kind, event) {
    this.heardAt = performance.now();
    const data = JSON.parse(event.data);
    if (kind === this.stream.numbered) {
      if (this.lastSeq !== null && data.seq <= this.lastSeq) return; // known: a replay that overlaps
      this.lastSeq = data.seq;
    } else if (kind === "gap") {
      this.lastSeq = data.to;
    } else if (kind === "hello") {
      this.failures = 0;
      this.lastSeq ??= data.seq;
      this.#say("open", "");
    }
    this.hear({ kind, data });
  }

  #look() {
    const silentMs = performance.now() - this.heardAt;
    if (this.state === "open" && silentMs > SILENT_MS) this.#lose("silent");
    if (this.state === "connecting" && silentMs > OPENING_MS) this.#lose("network");
  }

  /** Close, say why, and try again later. A stream that never opened is asked for its reason. */
  async #lose(reason) {
    const opened = this.state === "open";
    this.source?.close();
    this.source = null;
    this.failures += 1;
    this.#say("lost", reason);
    clearTimeout(this.pause);
    this.pause = setTimeout(() => this.#open(), pauseMs(this.failures));
    if (opened) return;
    const because = await refusal(this.stream.once);
    if (because && this.state === "lost") this.#say("lost", because);
  }

  #say(state, reason) {
    if (state === this.state && reason === this.reason) return;
    if (state === "connecting" && this.state === "lost") { // stay lost, with its reason, until it is open again
      this.state = state;
      return;
    }
    this.state = state;
    this.reason = reason;
    this.hear({ kind: "state", state, reason });
  }
}

/** Why this browser may not listen: "login", "busy", or "" when nobody is there at all. */
async function refusal(url) {
  try {
    const answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(SILENT_MS) });
    if (answer.status === 401 || answer.status === 403) return "login";
    return answer.status === 503 || answer.ok ? "busy" : "";
  } catch {
    return "";
  }
}
