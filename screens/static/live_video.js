/**
 * Live video: fragmented MP4 (H.264) from a streaming fetch into a MediaSource, as the camera encoded it.
 *
 *     const video = new LiveVideo(element, "/cameras/cam-1/live.mp4");
 *     await video.play();      // ends when the stream ends; throws an Error that says why there is no video
 *     video.stop();
 *
 * It stays near the end of what has come: a page that was hidden goes on with now, not with what it missed.
 */
import { t } from "./text.js";

const BEHIND_S = 2.5;
const KEPT_S = 15;
const INIT_MOST = 1 << 20;

export class LiveVideo {
  /** @param {HTMLVideoElement} element @param {string} url */
  constructor(element, url) {
    this.element = element;
    this.url = url;
    this.stopped = new AbortController();
  }

  /** Play until the end. Throws an Error in the page's language. */
  async play() {
    const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;
    if (!Source) throw new Error(t("This browser plays no live video"));
    const answer = await fetch(this.url, { cache: "no-store", signal: this.stopped.signal });
    if (!answer.ok) throw new Error(await refusal(answer));
    const reader = answer.body.getReader();
    try {
      await this.#feed(Source, reader);
    } finally {
      reader.cancel().catch(() => {});
      this.#release();
    }
  }

  /** Stop, and let go of the stream. */
  stop() {
    this.stopped.abort();
  }

  async #feed(Source, reader) {
    const first = await beginning(reader);
    const type = `video/mp4; codecs="${codecOf(first)}"`;
    if (!Source.isTypeSupported(type)) throw new Error(t("This browser cannot play what the camera sends"));
    const source = new Source();
    this.element.disableRemotePlayback = true;
    this.element.src = URL.createObjectURL(source);
    await once(source, "sourceopen", this.stopped.signal);
    const buffer = source.addSourceBuffer(type);
    await this.#append(buffer, first);
    this.element.play().catch(() => {}); // muted: allowed; what is not allowed shows its first picture
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      await this.#append(buffer, value);
      this.#keepUp();
      await this.#forget(buffer);
    }
  }

  async #append(buffer, bytes) {
    buffer.appendBuffer(bytes);
    await updated(buffer, this.stopped.signal);
    if (this.element.error) throw new Error(t("This browser cannot play what the camera sends"));
  }

  /** Near the end, and never before the beginning of what there is. */
  #keepUp() {
    const { buffered } = this.element;
    if (!buffered.length) return;
    const end = buffered.end(buffered.length - 1), start = buffered.start(buffered.length - 1);
    const at = this.element.currentTime;
    if (at < start || end - at > BEHIND_S) this.element.currentTime = Math.max(start, end - 0.3);
    if (this.element.paused) this.element.play().catch(() => {});
  }

  async #forget(buffer) {
    const until = this.element.currentTime - KEPT_S;
    if (!buffer.buffered.length || buffer.buffered.start(0) >= until - KEPT_S) return;
    buffer.remove(0, until);
    await updated(buffer, this.stopped.signal);
  }

  #release() {
    const { src } = this.element;
    this.element.removeAttribute("src");
    this.element.load();
    if (src.startsWith("blob:")) URL.revokeObjectURL(src);
  }
}

/** The first bytes, until the track is described. */
async function beginning(reader) {
  let bytes = new Uint8Array(0);
  while (bytes.length < INIT_MOST) {
    const { done, value } = await reader.read();
    if (done) throw new Error(t("The live video ended before it started"));
    const longer = new Uint8Array(bytes.length + value.length);
    longer.set(bytes);
    longer.set(value, bytes.length);
    bytes = longer;
    if (avcConfig(bytes) >= 0) return bytes;
  }
  throw new Error(t("This browser cannot play what the camera sends"));
}

/** Where the H.264 configuration begins, -1 when it is not there yet. */
function avcConfig(bytes) {
  for (let at = 0; at + 8 < bytes.length; at += 1) {
    if (bytes[at] === 0x61 && bytes[at + 1] === 0x76 && bytes[at + 2] === 0x63 && bytes[at + 3] === 0x43) return at + 4;
  }
  return -1;
}

/** `avc1.` with profile, constraints and level, as the stream says them. @param {Uint8Array} bytes @returns {string} */
export function codecOf(bytes) {
  const at = avcConfig(bytes);
  return `avc1.${[...bytes.slice(at + 1, at + 4)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

async function refusal(answer) {
  try {
    const { error } = await answer.json();
    return document.documentElement.lang === "en" ? error.message_en : error.message_zh;
  } catch {
    return t("The box gave no live video (%(status)s)", { status: answer.status });
  }
}

function updated(buffer, signal) {
  return buffer.updating ? once(buffer, "updateend", signal) : Promise.resolve();
}

function once(target, name, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    target.addEventListener(name, resolve, { once: true, signal });
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    return undefined;
  });
}
