/** Where values and times lie on a curve's canvas, in CSS pixels. Knows no canvas and no data's origin. */

const LEFT = 52, RIGHT = 10, AXIS = 22, TITLE = 20, GAP = 6;

/**
 * A value as the server writes it.
 * @param {number} value @param {number} decimals @returns {string}
 */
export function valueText(value, decimals) {
  const shown = decimals && Math.abs(value) >= 1000 ? 0 : decimals;
  const text = value.toFixed(shown);
  return Number(text) === 0 ? text.replace("-", "") : text;
}

/**
 * The panes of a canvas: one below the other, one for each unit, with a shared time axis.
 * @param {object[]} series @param {number} width @param {number} height
 * @returns {{left: number, right: number, bottom: number, panes: {unit: string, series: object[], top: number, bottom: number}[]}}
 */
export function layout(series, width, height) {
  const units = [...new Set(series.map((each) => each.unit))];
  const bottom = height - AXIS;
  const each = bottom / Math.max(1, units.length);
  const panes = units.map((unit, i) => ({
    unit,
    series: series.filter((one) => one.unit === unit),
    top: i * each + TITLE,
    bottom: (i + 1) * each - (i < units.length - 1 ? GAP : 0),
  }));
  return { left: LEFT, right: width - RIGHT, bottom, panes };
}

/**
 * The values that a pane shows: everything known in the view, and the limits that are not far from it.
 * @param {object[]} series @param {number} from ms @param {number} to ms
 * @returns {{low: number, high: number}}
 */
export function valueRange(series, from, to) {
  let low = Infinity, high = -Infinity;
  for (const each of series) {
    const end = each.indexAfter(to);
    for (let i = each.indexAfter(from - 1); i < end; i++) {
      if (each.low[i] < low) low = each.low[i];
      if (each.high[i] > high) high = each.high[i];
    }
  }
  const limits = series.flatMap((each) => each.limits.flatMap((limit) => limit.values));
  if (low > high) {
    low = Math.min(0, ...limits);
    high = Math.max(1, ...limits);
  }
  const near = 2 * Math.max(high - low, 0.1 * Math.max(Math.abs(low), Math.abs(high)), 1e-9);
  for (const limit of limits) {
    if (limit > high && limit - high <= near) high = limit;
    if (limit < low && low - limit <= near) low = limit;
  }
  const margin = 0.08 * (high - low) || 0.1 * Math.abs(high) || 1;
  return { low: low - margin, high: high + margin };
}

/**
 * Round values of an axis.
 * @param {number} low @param {number} high @param {number} most
 * @returns {{at: number, label: string}[]}
 */
export function valueTicks(low, high, most) {
  const rough = (high - low) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const ticks = [];
  for (let n = Math.ceil(low / step); n * step <= high; n++) ticks.push({ at: n * step, label: valueText(n * step, decimals) });
  return ticks;
}
