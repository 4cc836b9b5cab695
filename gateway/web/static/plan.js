/**
 * Moves what moves on the site plan: each crane's place, jib and trolley, as the live picture says. Only attributes that
 * have changed are written, at most four times a second.
 *
 *   <g data-place="crane-1/jib">   transform: where the slewing axis is
 *   <g data-turn="crane-1/jib">    transform: where the jib points; `data-state` ok | unknown
 *   <circle data-trolley="...">    cy: how far out the hook is
 */
const LEAST_MS = 250;
let writtenAt = -Infinity;

/** @param {Object<string, {s: string, b: number|null, r: number|null, x: number, y: number}>} cells by id */
export function moveCranes(cells) {
  const now = performance.now();
  if (now - writtenAt < LEAST_MS) return;
  writtenAt = now;
  for (const place of document.querySelectorAll("[data-place]")) {
    const cell = cells[place.dataset.place];
    if (cell) write(place, "transform", `translate(${cell.x} ${cell.y})`);
  }
  for (const jib of document.querySelectorAll("[data-turn]")) {
    const cell = cells[jib.dataset.turn];
    if (!cell) continue;
    if (cell.b !== null) write(jib, "transform", `rotate(${cell.b})`);
    write(jib, "data-state", cell.s);
  }
  for (const trolley of document.querySelectorAll("[data-trolley]")) {
    const cell = cells[trolley.dataset.trolley];
    if (cell && cell.r !== null) write(trolley, "cy", String(-cell.r));
  }
}

function write(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
