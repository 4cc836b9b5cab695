/** Times of a curve on the site's clock. China has one time zone and no summer time, whatever the browser's zone is. */
const OFFSET_MS = 8 * 3600e3;
const SECOND = 1e3, MINUTE = 60e3, HOUR = 3600e3, DAY = 86400e3;
const STEPS = [
  SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR,
  DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY,
];

const two = (number) => String(number).padStart(2, "0");

function parts(ms) {
  const at = new Date(ms + OFFSET_MS);
  return {
    year: at.getUTCFullYear(), month: two(at.getUTCMonth() + 1), day: two(at.getUTCDate()),
    hour: two(at.getUTCHours()), minute: two(at.getUTCMinutes()), second: two(at.getUTCSeconds()),
  };
}

/** YYYY-MM-DD HH:MM:SS on the site's clock. @param {number} ms since 1970, UTC @returns {string} */
export function siteTime(ms) {
  const p = parts(ms);
  return `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}:${p.second}`;
}

/**
 * Ticks of a time axis: whole steps of the site's clock, at most `most` of them. A tick at midnight shows its date.
 * @param {number} from ms @param {number} to ms @param {number} most
 * @returns {{at: number, label: string}[]}
 */
export function timeTicks(from, to, most) {
  const step = STEPS.find((candidate) => (to - from) / candidate <= most) ?? 28 * DAY;
  const ticks = [];
  for (let at = Math.ceil((from + OFFSET_MS) / step) * step - OFFSET_MS; at <= to; at += step) {
    ticks.push({ at, label: label(at, step) });
  }
  return ticks;
}

function label(ms, step) {
  const p = parts(ms);
  const midnight = p.hour === "00" && p.minute === "00" && p.second === "00";
  if (step >= DAY || midnight) return `${p.month}-${p.day}`;
  return step < MINUTE ? `${p.hour}:${p.minute}:${p.second}` : `${p.hour}:${p.minute}`;
}
