/**
 * A screen on a wall looks after itself: it loads itself anew when it hangs, and once a night while nothing waits. It
 * never leaves a page for one that is not there: the box is asked first.
 */
const HANGS_MS = 60000;
const JITTER_MS = 15000;
const LOOK_MS = 5000;
const NIGHT_HOUR = 4;
const NIGHT_JITTER_MS = 600000;
const YOUNG_MS = 3600000;
const SITE_OFFSET_MS = 8 * 3600000; // the site's clock: Asia/Shanghai, without summer time
const GIVE_UP_MS = 5000;

export class Kiosk {
  /** @param {() => boolean} quiet whether no alarm waits, as far as is known */
  constructor(quiet) {
    this.quiet = quiet;
    this.bornAt = performance.now();
    this.frameAt = performance.now();
    this.heardAt = performance.now();
    this.hangsMs = HANGS_MS + Math.random() * JITTER_MS;
    this.nightMs = Math.random() * NIGHT_JITTER_MS;
    this.siteMs = 0;
    this.asking = false;
    setInterval(() => this.#look(), LOOK_MS);
  }

  /** A live picture has come. @param {number} atMs the box's clock, UTC */
  heard(atMs) {
    this.heardAt = performance.now();
    this.siteMs = atMs + SITE_OFFSET_MS;
  }

  #look() {
    requestAnimationFrame(() => (this.frameAt = performance.now()));
    const now = performance.now();
    if (document.hidden) this.frameAt = now; // no frame is made for a page that nobody sees
    const hangs = now - this.frameAt > this.hangsMs || now - this.heardAt > this.hangsMs;
    if (!this.asking && (hangs || this.#night(now))) this.#reload();
  }

  /** The hour in which nobody misses it: only once, as the page is young afterwards. */
  #night(now) {
    if (!this.siteMs || !this.quiet() || now - this.bornAt < YOUNG_MS) return false;
    const sinceMs = (this.siteMs % 86400000) - NIGHT_HOUR * 3600000;
    return sinceMs >= this.nightMs && sinceMs < 3600000;
  }

  async #reload() {
    this.asking = true;
    try {
      const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(GIVE_UP_MS) });
      if (answer.ok && !answer.redirected) location.reload();
    } catch {
      return; // the box is not there: what is on the wall stays, with its bar
    } finally {
      this.asking = false;
    }
  }
}
