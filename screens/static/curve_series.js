/** One point's curve as a browser holds it: samples in time order, intervals of unknown, limits, alarms. */

const GOOD = 0;
const KINDS = { 1: "suspect", 2: "bad" };
const KEPT = 8000;

export class CurveSeries {
  /** @param {object} row of `/api/curve` @param {number} fromMs the answer's begin @param {string} language */
  constructor(row, fromMs, language) {
    const at = (ms) => fromMs + ms;
    this.point = row.point;
    this.title = language === "en" ? row.title_en : row.title_zh;
    this.unit = row.unit;
    this.decimals = row.decimals;
    this.staleMs = row.stale_after_s * 1000;
    this.t = row.t_ms.map(at);
    this.low = row.low;
    this.high = row.high ?? row.low.slice();
    this.mean = row.mean ?? row.low.slice();
    this.starts = new Set(row.starts);
    this.unknown = row.unknown.map(([from, to, kind]) => ({ from: at(from), to: at(to), kind }));
    this.limits = row.limits.map((limit) => ({ ...limit, title: language === "en" ? limit.title_en : limit.title_zh }));
    this.episodes = row.episodes.map((one) => ({ ...one, from: at(one.from_ms), to: one.to_ms === null ? null : at(one.to_ms) }));
    this.parts = row.parts.map((part) => ({ ...part, from: at(part.from_ms), to: at(part.to_ms) }));
  }

  /** How many samples lie at or before a time. @param {number} ms @returns {number} */
  indexAfter(ms) {
    let low = 0, high = this.t.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.t[middle] <= ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * What is known at a time: the last sample, or why nothing is known, and how old that is.
   * @param {number} ms
   * @returns {{kind: string, ageMs: number, low?: number, high?: number, mean?: number}}
   */
  at(ms) {
    const gap = this.unknown.find((one) => one.from <= ms && ms < one.to && one.kind !== "partly");
    const i = this.indexAfter(ms) - 1;
    if (gap) return { kind: gap.kind, ageMs: ms - (i >= 0 ? this.t[i] : gap.from) };
    if (i < 0) return { kind: "missing", ageMs: NaN };
    return { kind: "", ageMs: ms - this.t[i], low: this.low[i], high: this.high[i], mean: this.mean[i] };
  }

  /**
   * One new reading from the live feed. What is older than the last one is no news.
   * @param {number} ms @param {number|null} value @param {number} quality 0 good, 1 suspect, 2 bad
   */
  append(ms, value, quality) {
    const open = this.unknown.at(-1);
    const newest = Math.max(this.t.at(-1) ?? -Infinity, open?.to ?? -Infinity);
    if (ms <= newest) return;
    if (newest > -Infinity && ms - newest > this.staleMs) this.unknown.push({ from: newest, to: ms, kind: "missing" });
    const last = this.unknown.at(-1);
    if (quality !== GOOD || value === null) {
      const kind = KINDS[quality] ?? "bad";
      if (last && last.to === newest && last.kind === kind) last.to = ms;
      else this.unknown.push({ from: newest > -Infinity ? newest : ms, to: ms, kind });
      return;
    }
    if (last && last.to >= newest && last.from >= (this.t.at(-1) ?? -Infinity)) {
      last.to = ms;
      this.starts.add(this.t.length);
    }
    for (const column of [this.low, this.high, this.mean]) column.push(value);
    this.t.push(ms);
    if (this.t.length > KEPT) this.forget(this.t.length - KEPT);
  }

  /**
   * What an answer about the newest moments says beyond what is here.
   * @param {object} row of `/api/curve` @param {number} fromMs the answer's begin
   */
  extend(row, fromMs) {
    const newest = this.t.at(-1) ?? -Infinity;
    const starts = new Set(row.starts);
    const known = this.unknown.at(-1)?.to ?? -Infinity;
    let broken = false;
    for (const [from, to, kind] of row.unknown) {
      const last = this.unknown.at(-1);
      if (fromMs + to <= known) continue;
      broken = true;
      if (last && last.kind === kind && fromMs + from <= last.to) last.to = fromMs + to;
      else this.unknown.push({ from: Math.max(fromMs + from, known), to: fromMs + to, kind });
    }
    row.t_ms.forEach((ms, i) => {
      if (fromMs + ms <= newest) return;
      const first = this.t.at(-1) === newest;
      if ((starts.has(i) && i > 0) || (first && starts.has(i) && broken)) this.starts.add(this.t.length);
      this.t.push(fromMs + ms);
      this.low.push(row.low[i]);
      this.high.push((row.high ?? row.low)[i]);
      this.mean.push((row.mean ?? row.low)[i]);
    });
    if (this.t.length > KEPT) this.forget(this.t.length - KEPT);
  }

  /** Let go of the oldest samples. @param {number} count */
  forget(count) {
    for (const column of [this.t, this.low, this.high, this.mean]) column.splice(0, count);
    this.starts = new Set([0, ...[...this.starts].map((i) => i - count).filter((i) => i > 0)]);
  }
}
