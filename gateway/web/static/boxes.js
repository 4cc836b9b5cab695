/**
 * Boxes beside the pixels: drawn over a picture as SVG when somebody wants them, said in words below it, never part of it.
 *
 * A head box covers the whole head. What it is stands in the box as a letter and in its line, not in its colour alone:
 * helmet H, solid; bare head !, thick; person P, dashed. The colours of priorities are kept for alarms.
 */
import { t } from "../screens/text.js";

const SVG = "http://www.w3.org/2000/svg";
const KEY = "sitewarden.boxes";
const CLASSES = ["helmet", "head", "person"];
const LETTERS = ["H", "!", "P"];

/** Whether boxes are shown in this browser. @returns {boolean} */
export function boxesOn() {
  try {
    return localStorage.getItem(KEY) === "on";
  } catch {
    return false;
  }
}

/**
 * The switch of a page, by button and key. @param {HTMLButtonElement|null} button
 * @param {() => void} changed draws anew
 * @returns {() => void} what the key B does
 */
export function bindBoxes(button, changed) {
  const toggle = () => {
    try {
      localStorage.setItem(KEY, boxesOn() ? "off" : "on");
    } catch {
      return; // nothing can be kept in this browser
    }
    mark();
    changed();
  };
  const mark = () => button?.setAttribute("aria-pressed", String(boxesOn()));
  if (button) button.hidden = false;
  button?.addEventListener("click", toggle);
  mark();
  return toggle;
}

/**
 * Draw. @param {SVGElement} svg @param {number[][]} rows x1, y1, x2, y2, class, score, track
 * @param {number[]} size of the picture, pixels
 */
export function drawBoxes(svg, rows, [width, height]) {
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const peopleFirst = [...rows].sort((a, b) => b[4] - a[4]); // heads are drawn over the people that they belong to
  svg.replaceChildren(...peopleFirst.map((row) => box(row, width)));
}

/** The same in words. @param {number[][]} rows @returns {string[]} */
export function boxWords(rows) {
  const words = [t("helmet"), t("bare head"), t("person")];
  const heads = rows.filter((row) => row[4] !== 2);
  if (!heads.length) return [t("no head in this picture")];
  return heads.map((row) => `${words[row[4]] ?? row[4]} ${Math.round(row[5] * 100)} %`);
}

function box([x1, y1, x2, y2, kind], width) {
  const group = document.createElementNS(SVG, "g");
  group.setAttribute("class", `box ${CLASSES[kind] ?? ""}`);
  const size = width / 36;
  const shapes = ["edge", "line"].map((name) => {
    const rect = document.createElementNS(SVG, "rect");
    const place = { x: x1, y: y1, width: x2 - x1, height: y2 - y1, class: name };
    for (const [key, value] of Object.entries(place)) rect.setAttribute(key, value);
    return rect;
  });
  const letter = document.createElementNS(SVG, "text");
  letter.setAttribute("x", x1);
  letter.setAttribute("y", kind === 2 ? y2 - size / 4 : Math.max(size, y1 - size / 4));
  letter.setAttribute("font-size", size);
  letter.textContent = LETTERS[kind] ?? "?";
  group.append(...shapes, letter);
  return group;
}
