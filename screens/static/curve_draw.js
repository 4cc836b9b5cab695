/** Draws a curve: panes, what is unknown (hatched), limits (dashed by priority, with shape, letter and words), lines. */
import { t } from "./text.js";
import { layout, valueRange, valueText, valueTicks } from "./curve_scale.js";
import { timeTicks } from "./curve_time.js";

export const SHAPES = { P1: "■1", P2: "▲2", P3: "●3", log: "◆D" };
const DASHES = { P1: [14, 4], P2: [8, 4, 2, 4], P3: [5, 4], log: [2, 3] };
const COLOURS = { P1: "--p1", P2: "--p2", P3: "--p3", log: "--diag" };
const LETTERS = "ABCD";
const FONT = '12px system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif';
const STRIP = 8;

/** The colours of the page's theme, read once a drawing. @param {Element} element */
export function colours(element) {
  const style = getComputedStyle(element);
  const of = (name) => style.getPropertyValue(name).trim();
  return {
    card: of("--card"), ink: of("--ink"), soft: of("--ink-soft"), line: of("--line"), edge: of("--edge"), hatch: of("--hatch"),
    track: of("--track"), priority: Object.fromEntries(Object.entries(COLOURS).map(([name, token]) => [name, of(token)])),
    series: [1, 2, 3, 4].map((n) => of(`--curve-${n}`)),
  };
}

/**
 * Everything but the cursor.
 * @param {CanvasRenderingContext2D} context scaled to CSS pixels
 * @param {{series: object[], marks: object[], from: number, to: number, width: number, height: number, colours: object}} scene
 * @returns {{x: (ms: number) => number, ms: (x: number) => number, plan: object, ys: Map<object, (value: number) => number>}}
 */
export function drawCurve(context, scene) {
  const { series, from, to, width, height, colours: c } = scene;
  const plan = layout(series, width, height);
  const x = (ms) => plan.left + ((ms - from) / (to - from)) * (plan.right - plan.left);
  const ms = (px) => from + ((px - plan.left) / (plan.right - plan.left)) * (to - from);
  const ys = new Map();
  context.clearRect(0, 0, width, height);
  context.fillStyle = c.card;
  context.fillRect(0, 0, width, height);
  context.font = FONT;
  const ticks = timeTicks(from, to, Math.max(2, Math.floor((plan.right - plan.left) / 90)));
  drawTimes(context, ticks, x, plan, c);
  for (const pane of plan.panes) {
    const range = valueRange(pane.series, from, to);
    const y = (value) => pane.bottom - ((value - range.low) / (range.high - range.low)) * (pane.bottom - pane.top);
    for (const each of pane.series) ys.set(each, y);
    drawPane(context, { scene, plan, pane, range, x, y, ticks });
  }
  for (const mark of scene.marks) drawMark(context, mark, x, plan, c);
  return { x, ms, plan, ys };
}

/** The cursor and a dot on every line. @param {CanvasRenderingContext2D} context @param {object} drawn @param {object} scene @param {number} at ms */
export function drawCursor(context, drawn, scene, at) {
  const { plan, x, ys } = drawn;
  const px = x(at);
  if (px < plan.left || px > plan.right) return;
  context.strokeStyle = context.fillStyle = scene.colours.ink;
  context.lineWidth = 1;
  context.setLineDash([]);
  line(context, px, plan.panes[0]?.top ?? 0, px, plan.bottom);
  for (const [series, y] of ys) {
    const found = series.at(at);
    if (found.kind) continue;
    context.beginPath();
    context.arc(px, y(found.mean), 4, 0, 7);
    context.fill();
  }
}

/** The span that is being dragged. @param {CanvasRenderingContext2D} context @param {object} drawn @param {object} scene @param {number[]} span px */
export function drawSelection(context, drawn, scene, [start, end]) {
  const { plan } = drawn;
  context.strokeStyle = scene.colours.ink;
  context.setLineDash([4, 3]);
  context.lineWidth = 1;
  const top = plan.panes[0]?.top ?? 0;
  context.strokeRect(Math.min(start, end), top, Math.abs(end - start), plan.bottom - top);
  context.setLineDash([]);
}

function drawTimes(context, ticks, x, plan, c) {
  context.fillStyle = c.ink;
  context.textBaseline = "top";
  context.textAlign = "center";
  for (const tick of ticks) {
    const at = Math.min(Math.max(x(tick.at), plan.left), plan.right - 14);
    context.fillText(tick.label, at, plan.bottom + 5);
  }
}

function drawPane(context, view) {
  const { scene, plan, pane } = view;
  context.save();
  context.beginPath();
  context.rect(plan.left, pane.top, plan.right - plan.left, pane.bottom - pane.top);
  context.clip();
  drawGrid(context, view);
  for (const series of pane.series) drawUnknown(context, view, series);
  for (const series of pane.series) drawLine(context, view, series);
  for (const series of pane.series) drawEpisodes(context, view, series);
  drawLimits(context, view);
  context.restore();
  context.strokeStyle = scene.colours.line;
  context.lineWidth = 1;
  context.strokeRect(plan.left + 0.5, Math.round(pane.top) + 0.5, plan.right - plan.left, Math.round(pane.bottom - pane.top));
  drawTitles(context, view);
}

function drawGrid(context, { scene, plan, pane, range, x, y, ticks }) {
  context.strokeStyle = scene.colours.track;
  context.lineWidth = 1;
  for (const tick of ticks) line(context, Math.round(x(tick.at)) + 0.5, pane.top, Math.round(x(tick.at)) + 0.5, pane.bottom);
  for (const tick of valueTicks(range.low, range.high, Math.max(2, (pane.bottom - pane.top) / 34))) {
    const at = Math.round(y(tick.at)) + 0.5;
    line(context, plan.left, at, plan.right, at);
  }
}

function drawTitles(context, { scene, plan, pane, range, y }) {
  context.textBaseline = "middle";
  context.textAlign = "right";
  context.fillStyle = scene.colours.ink;
  for (const tick of valueTicks(range.low, range.high, Math.max(2, (pane.bottom - pane.top) / 34))) {
    context.fillText(tick.label, plan.left - 5, y(tick.at));
  }
  context.textAlign = "left";
  let left = plan.left;
  for (const series of pane.series) {
    const n = scene.series.indexOf(series);
    const text = `${LETTERS[n]} ${series.title}${series.unit ? ` (${series.unit})` : ""}`;
    context.fillStyle = scene.colours.series[n];
    context.fillRect(left, pane.top - 12, 14, 4);
    context.fillStyle = scene.colours.ink;
    context.fillText(text, left + 18, pane.top - 10);
    left += context.measureText(text).width + 34;
  }
}

function drawUnknown(context, { scene, pane, x, plan }, series) {
  context.textBaseline = "middle";
  context.textAlign = "center";
  for (const gap of series.unknown) {
    const left = Math.max(x(gap.from), plan.left), right = Math.min(x(gap.to), plan.right);
    if (right < plan.left || left > plan.right) continue;
    const width = Math.max(right - left, 2);
    context.globalAlpha = gap.kind === "partly" ? 0.35 : 0.8;
    context.fillStyle = hatching(context, scene.colours.hatch);
    context.fillRect(left, pane.top, width, pane.bottom - pane.top);
    context.globalAlpha = 1;
    if (width > 60) label(context, t("unknown"), left + width / 2, pane.bottom - 14, scene.colours, "center");
  }
}

/** The band from lowest to highest and the mean where a sample is a span; a plain line where it is a reading. */
function drawLine(context, { scene, x, y }, series) {
  const first = Math.max(0, series.indexAfter(scene.from) - 1);
  const end = Math.min(series.t.length, series.indexAfter(scene.to) + 1);
  const colour = scene.colours.series[scene.series.indexOf(series)];
  context.setLineDash([]);
  context.lineJoin = "bevel"; // thousands of short strokes; round joins take longer
  if (series.high.some((high, i) => i >= first && i < end && high !== series.low[i])) drawBand(context, { series, first, end, x, y, colour });
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = 1.5;
  context.beginPath();
  for (let i = first; i < end; i++) {
    const px = x(series.t[i]), py = y(series.mean[i]);
    const begins = i === first || series.starts.has(i);
    if (begins) context.moveTo(px, py);
    else context.lineTo(px, py);
    if (begins && (i + 1 >= end || series.starts.has(i + 1))) context.rect(px - 1, py - 1, 2, 2);
  }
  context.stroke();
}

function drawBand(context, { series, first, end, x, y, colour }) {
  context.fillStyle = colour;
  context.globalAlpha = 0.3;
  for (let start = first; start < end; ) {
    let stop = start + 1;
    while (stop < end && !series.starts.has(stop)) stop++;
    context.beginPath();
    for (let i = start; i < stop; i++) context.lineTo(x(series.t[i]), y(series.high[i]) - 0.5);
    for (let i = stop - 1; i >= start; i--) context.lineTo(x(series.t[i]), y(series.low[i]) + 0.5);
    context.closePath();
    context.fill();
    start = stop;
  }
  context.globalAlpha = 1;
}

function drawLimits(context, { scene, plan, pane, range, y }) {
  const c = scene.colours;
  const taken = [];
  for (const series of pane.series) {
    for (const limit of series.limits) {
      for (const value of limit.values) {
        const beyond = value > range.high ? "↑ " : value < range.low ? "↓ " : "";
        const at = Math.min(Math.max(y(value), pane.top + 2), pane.bottom - 2);
        if (!beyond) drawLimitLine(context, { at, limit, plan, c });
        const text = `${beyond}${SHAPES[limit.severity]} ${valueText(value, series.decimals)} ${series.unit} ${limit.title}`;
        let text_y = Math.min(Math.max(at - 9, pane.top + STRIP + 9), pane.bottom - 9);
        while (taken.some((other) => Math.abs(other - text_y) < 15) && text_y > pane.top + 9) text_y -= 15;
        if (taken.some((other) => Math.abs(other - text_y) < 15)) continue;
        taken.push(text_y);
        label(context, text, plan.left + 8, text_y, c, "left");
      }
    }
  }
}

/** On a dark line of its own, so that yellow is seen on light grey. */
function drawLimitLine(context, { at, limit, plan, c }) {
  context.setLineDash(DASHES[limit.severity]);
  context.strokeStyle = c.edge;
  context.lineWidth = limit.severity === "P1" ? 4 : 3;
  line(context, plan.left, at, plan.right, at);
  context.strokeStyle = c.priority[limit.severity];
  context.lineWidth -= 2;
  line(context, plan.left, at, plan.right, at);
  context.setLineDash([]);
}

function drawEpisodes(context, { scene, plan, pane, x }, series) {
  const c = scene.colours;
  for (const one of series.episodes) {
    const left = Math.max(x(one.from), plan.left), right = Math.min(one.to === null ? plan.right : x(one.to), plan.right);
    if (right < plan.left || left > plan.right) continue;
    context.fillStyle = c.priority[one.severity];
    context.fillRect(left, pane.top, Math.max(right - left, 3), STRIP);
    context.strokeStyle = c.edge;
    context.lineWidth = 1;
    context.strokeRect(left + 0.5, pane.top + 0.5, Math.max(right - left, 3), STRIP);
    if (right - left > 30) label(context, SHAPES[one.severity], left + 4, pane.top + STRIP + 8, c, "left");
  }
}

function drawMark(context, mark, x, plan, c) {
  const at = Math.round(x(mark.at)) + 0.5;
  if (at < plan.left || at > plan.right) return;
  const words = { raised: t("raised"), acknowledged: t("acknowledged"), returned: t("returned") };
  context.strokeStyle = c.edge;
  context.lineWidth = mark.kind === "raised" ? 2 : 1;
  context.setLineDash(mark.kind === "acknowledged" ? [3, 3] : []);
  const top = plan.panes[0]?.top ?? 0;
  line(context, at, top, at, plan.bottom);
  context.setLineDash([]);
  const heights = { raised: 22, acknowledged: 38, returned: 54 };
  const text = mark.kind === "raised" ? `${SHAPES[mark.severity]} ${words.raised}` : words[mark.kind];
  const side = at > (plan.left + plan.right) / 2 ? "right" : "left";
  label(context, text, at + (side === "left" ? 5 : -5), top + heights[mark.kind], c, side);
}

function label(context, text, x, y, c, align) {
  context.textAlign = align;
  context.textBaseline = "middle";
  const width = context.measureText(text).width + 6;
  const left = align === "right" ? x - width + 3 : align === "center" ? x - width / 2 : x - 3;
  context.fillStyle = c.card;
  context.globalAlpha = 0.88;
  context.fillRect(left, y - 8, width, 16);
  context.globalAlpha = 1;
  context.fillStyle = c.ink;
  context.fillText(text, x, y);
}

const hatches = new Map();

/** Diagonal lines, the same as the page's `.unknown`. */
function hatching(context, colour) {
  if (!hatches.has(colour)) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const pen = tile.getContext("2d");
    pen.strokeStyle = colour;
    pen.lineWidth = 1.6;
    pen.beginPath();
    for (const shift of [-8, 0, 8]) {
      pen.moveTo(shift, 8);
      pen.lineTo(shift + 8, 0);
    }
    pen.stroke();
    hatches.set(colour, context.createPattern(tile, "repeat"));
  }
  return hatches.get(colour);
}

function line(context, x1, y1, x2, y2) {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}
