/**
 * Tones by priority, made with WebAudio: no file is loaded, nothing can be missing.
 *
 *   P1  three rising tones, again every two seconds until told to stop
 *   P2  one double tone
 */
const CYCLE_S = 2;
const AHEAD_S = 5; // a page that nobody looks at is woken seldom
const EDGE_S = 0.01; // without an edge a tone begins and ends with a click
const P1_HZ = [880, 1109, 1397];
const P2_HZ = [740, 740];

export class Tones {
  constructor() {
    this.context = new AudioContext();
    this.volume = this.context.createGain();
    this.volume.connect(this.context.destination);
    this.playing = new Set();
    this.nextCycleS = 0;
    this.repeating = false;
  }

  /** Whether anything can be heard. */
  get running() {
    return this.context.state === "running";
  }

  /** Needs a gesture of the person in most browsers. @returns {Promise<boolean>} whether it can be heard now */
  async resume() {
    const wait = new Promise((late) => setTimeout(late, 300));
    await Promise.race([this.context.resume(), wait]).catch(() => undefined);
    return this.running;
  }

  /** @param {number} share 0 to 1 */
  loudness(share) {
    this.volume.gain.value = share;
  }

  /** Begin, or go on with, the tones of a P1; called again and again while it lasts. */
  repeat() {
    const now = this.context.currentTime;
    if (!this.repeating) this.nextCycleS = now;
    this.repeating = true;
    this.nextCycleS = Math.max(this.nextCycleS, now);
    while (this.nextCycleS < now + AHEAD_S) {
      P1_HZ.forEach((hz, i) => this.#tone(hz, this.nextCycleS + i * 0.22, 0.18, "square"));
      this.nextCycleS += CYCLE_S;
    }
  }

  /** End the tones of a P1 at once. */
  stop() {
    if (!this.repeating) return;
    this.repeating = false;
    this.silence();
  }

  /** End everything at once. */
  silence() {
    for (const oscillator of this.playing) oscillator.stop();
    this.playing.clear();
    this.nextCycleS = this.context.currentTime;
  }

  /** The double tone of a P2. */
  double() {
    P2_HZ.forEach((hz, i) => this.#tone(hz, this.context.currentTime + i * 0.3, 0.2, "triangle"));
  }

  /** The three tones of a P1, once. */
  triple() {
    P1_HZ.forEach((hz, i) => this.#tone(hz, this.context.currentTime + i * 0.22, 0.18, "square"));
  }

  #tone(hz, atS, lastsS, form) {
    const oscillator = this.context.createOscillator();
    const edge = this.context.createGain();
    oscillator.type = form;
    oscillator.frequency.value = hz;
    edge.gain.setValueAtTime(0, atS);
    edge.gain.linearRampToValueAtTime(1, atS + EDGE_S);
    edge.gain.setValueAtTime(1, atS + lastsS - EDGE_S);
    edge.gain.linearRampToValueAtTime(0, atS + lastsS);
    oscillator.connect(edge).connect(this.volume);
    oscillator.onended = () => {
      this.playing.delete(oscillator);
      edge.disconnect();
    };
    this.playing.add(oscillator);
    oscillator.start(atS);
    oscillator.stop(atS + lastsS);
  }
}
