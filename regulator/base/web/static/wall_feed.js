/**
 * The wall's changes, in the order of their numbers, none left out: what follows on is applied, what leaves a hole is
 * asked for first, what is known is passed over.
 *
 *   new WallFeed(data.seq, data.mark, { apply(rows), reload() -> {seq, mark}, state(name, reason) })
 */
import { FeedLine } from "../screens/feed_line.js";
import { STREAM } from "./wall_stream.js";

const SILENT_MS = 4000;
const CHANGES = "/api/wall/changes?after=";

export class WallFeed {
  constructor(seq, mark, acts) {
    Object.assign(this, { seq, mark, acts, heardAt: performance.now(), turn: Promise.resolve() });
    this.#join();
    setInterval(() => performance.now() - this.heardAt > SILENT_MS && acts.state("stale", "silent"), 500);
    addEventListener("pagehide", () => this.port?.postMessage({ kind: "bye" }));
    addEventListener("pageshow", (event) => event.persisted && location.reload());
    addEventListener("online", () => this.hurry());
  }

  hurry() {
    this.port?.postMessage({ kind: "hurry" });
    this.line?.hurry();
  }

  #join() {
    try {
      const worker = new SharedWorker(new URL("./wall_worker.js", import.meta.url), { type: "module", name: "wall" });
      worker.onerror = () => this.#direct();
      this.port = worker.port;
      this.port.onmessage = ({ data }) => this.#hear(data);
      this.port.postMessage({ kind: "join", seq: this.seq });
    } catch {
      this.#direct();
    }
  }

  #direct() {
    this.port = null;
    this.line ??= new FeedLine((said) => this.#hear(said), this.seq, STREAM);
  }

  #hear({ kind, state, reason, data }) {
    if (kind === "state" && state === "lost") this.acts.state("stale", reason);
    if (kind === "tiles" || kind === "at" || kind === "gap") this.turn = this.turn.then(() => this.#take(kind, data)).catch(() => {});
    if (kind !== "live") return;
    this.heardAt = performance.now();
    this.acts.state("live", "");
    if (data.mark !== this.mark) this.turn = this.turn.then(() => data.mark !== this.mark && this.#anew()).catch(() => {});
  }

  /** One after the other: while something is asked for, what comes waits its turn. */
  async #take(kind, said) {
    if (kind === "gap") return this.#anew();
    if (said.seq <= this.seq) return undefined;
    if (kind === "at" || said.from > this.seq) said = await json(CHANGES + this.seq);
    this.acts.apply(said.rows.filter((row) => row[1] > this.seq));
    this.seq = Math.max(this.seq, said.seq);
    return undefined;
  }

  async #anew() {
    Object.assign(this, await this.acts.reload());
  }
}

export async function json(url) {
  const answer = await fetch(url, { cache: "no-store" });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}
