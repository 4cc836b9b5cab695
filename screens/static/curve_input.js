/**
 * How a person handles a curve.
 *
 *     mouse    move: cursor · drag: zoom into the span · Shift + drag: pan · double click: all · wheel (focused): zoom
 *     fingers  one: cursor · two: zoom and pan; the page still scrolls up and down
 *     keys     ← → cursor (Shift: pan) · + − ↑ ↓ zoom · 0 or Home: all · Esc: no cursor
 */
const STEP = 0.01, WIDE_STEP = 0.1, ZOOM = 0.8, CLICK_PX = 5;

/** @param {HTMLCanvasElement} canvas @param {object} curve @param {AbortSignal} signal */
export function listen(canvas, curve, signal) {
  const fingers = new Map();
  const state = { fingers, drag: null, pinch: null };
  const on = (name, handler, options = {}) => canvas.addEventListener(name, handler, { signal, ...options });
  on("keydown", (event) => key(event, curve));
  on("wheel", (event) => wheel(event, canvas, curve), { passive: false });
  on("dblclick", () => curve.reset());
  on("pointerdown", (event) => down(event, canvas, curve, state));
  on("pointermove", (event) => move(event, curve, state));
  for (const name of ["pointerup", "pointercancel"]) on(name, (event) => up(event, curve, state));
  on("pointerleave", (event) => {
    if (event.pointerType === "mouse" && !state.drag && document.activeElement !== canvas) curve.moveCursor(null);
  });
}

function key(event, curve) {
  if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
  const { from, to } = curve.view;
  const step = (share) => curve.moveCursor((curve.cursor ?? (from + to) / 2) + share * (to - from));
  const actions = {
    ArrowLeft: () => (event.shiftKey ? curve.pan(-WIDE_STEP) : step(-STEP)),
    ArrowRight: () => (event.shiftKey ? curve.pan(WIDE_STEP) : step(STEP)),
    ArrowUp: () => curve.zoom(ZOOM),
    ArrowDown: () => curve.zoom(1 / ZOOM),
    "+": () => curve.zoom(ZOOM),
    "=": () => curve.zoom(ZOOM),
    "-": () => curve.zoom(1 / ZOOM),
    0: () => curve.reset(),
    Home: () => curve.reset(),
    Escape: () => curve.moveCursor(null),
  };
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

/** Only when the curve has the focus: elsewhere the wheel scrolls the page. */
function wheel(event, canvas, curve) {
  if (document.activeElement !== canvas && !event.ctrlKey) return;
  event.preventDefault();
  curve.zoom(event.deltaY < 0 ? ZOOM : 1 / ZOOM, curve.timeAt(event.offsetX));
}

function down(event, canvas, curve, state) {
  state.fingers.set(event.pointerId, event.offsetX);
  canvas.setPointerCapture(event.pointerId);
  if (state.fingers.size === 2) {
    state.drag = null;
    curve.select(null);
    const [a, b] = [...state.fingers.values()];
    state.pinch = { a: curve.timeAt(a), b: curve.timeAt(b) };
  } else if (event.pointerType === "mouse" && event.button === 0) {
    state.drag = { start: event.offsetX, pan: event.shiftKey, from: curve.timeAt(event.offsetX), view: curve.view };
  } else if (state.fingers.size === 1) {
    curve.moveCursor(curve.timeAt(event.offsetX));
  }
}

function move(event, curve, state) {
  if (state.fingers.has(event.pointerId)) state.fingers.set(event.pointerId, event.offsetX);
  if (state.pinch && state.fingers.size === 2) {
    pinch(curve, state);
  } else if (state.drag?.pan) {
    const { view, start } = state.drag;
    const { left, right } = curve.drawn.plan;
    const shift = ((event.offsetX - start) * (view.to - view.from)) / (right - left);
    curve.setView(view.from - shift, view.to - shift);
  } else if (state.drag) {
    if (Math.abs(event.offsetX - state.drag.start) > CLICK_PX) curve.select([state.drag.start, event.offsetX]);
  } else if (!state.pinch) {
    curve.moveCursor(curve.timeAt(event.offsetX));
  }
}

/** Both fingers stay on the times that they took hold of. */
function pinch(curve, state) {
  const [a, b] = [...state.fingers.values()];
  const perPx = (state.pinch.b - state.pinch.a) / (b - a);
  if (Math.abs(a - b) < 20 || !(perPx > 0)) return;
  const { left, right } = curve.drawn.plan;
  const from = state.pinch.a - (a - left) * perPx;
  curve.setView(from, from + perPx * (right - left));
}

function up(event, curve, state) {
  state.fingers.delete(event.pointerId);
  const drag = state.drag;
  state.drag = null;
  curve.select(null);
  if (state.fingers.size < 2 && state.pinch) {
    if (state.fingers.size === 0) state.pinch = null;
    return;
  }
  if (!drag || drag.pan || event.type === "pointercancel") return;
  if (Math.abs(event.offsetX - drag.start) <= CLICK_PX) {
    curve.moveCursor(curve.timeAt(event.offsetX));
    return;
  }
  const to = curve.timeAt(event.offsetX);
  curve.setView(Math.min(drag.from, to), Math.max(drag.from, to));
}
