/**
 * Boxes beside the pixels: drawn over a picture when somebody wants them, and said in words; never part of it.
 *
 * What a box is stands in it as a letter, not in its colour alone: helmet H, bare head !, person P.
 */
import { t } from "../screens/text.js";

const SVG = "http://www.w3.org/2000/svg";
const LETTERS = ["H", "!", "P"];
const CLASSES = ["helmet", "head", "person"];

/** @param {SVGElement} svg @param {number[][]} rows x1, y1, x2, y2, class, score in thousandths, track @param {number[]} size pixels */
export function drawBoxes(svg, rows, [width, height]) {
  if (!width || !height) return svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren(...[...rows].sort((a, b) => b[4] - a[4]).map((row) => box(row, width)));
}

/** The same in words. @param {number[][]} rows @returns {string} */
export function boxWords(rows) {
  const words = [t("helmet"), t("bare head"), t("person")];
  if (!rows.length) return t("no boxes");
  return rows.map((row) => `${words[row[4]] ?? row[4]} ${Math.round(row[5] / 10)} %`).join(" · ");
}

function box([x1, y1, x2, y2, kind], width) {
  const group = document.createElementNS(SVG, "g");
  group.setAttribute("class", `box ${CLASSES[kind] ?? ""}`);
  for (const name of ["edge", "line"]) {
    const rect = document.createElementNS(SVG, "rect");
    const place = { x: x1, y: y1, width: x2 - x1, height: y2 - y1, class: name };
    for (const [key, value] of Object.entries(place)) rect.setAttribute(key, value);
    group.append(rect);
  }
  const size = width / 32;
  const letter = document.createElementNS(SVG, "text");
  letter.setAttribute("x", x1);
  letter.setAttribute("y", Math.max(size, y1 - size / 4));
  letter.setAttribute("font-size", size);
  letter.textContent = LETTERS[kind] ?? "?";
  group.append(letter);
  return group;
}
