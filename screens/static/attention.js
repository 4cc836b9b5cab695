/**
 * The tab says how many alarms wait, also where only its title is seen: `■2 ▲1 Site`, and its mark by shape and colour.
 */
const MARKS = { normal: "mark-normal.svg", alarm: "mark-alarm.svg", unknown: "mark-unknown.svg" };
const title = document.title;

/** @param {{p1: number, p2: number} | null} calling null: nobody knows */
export function callAttention(calling) {
  const marks = calling ? [calling.p1 && `■${calling.p1}`, calling.p2 && `▲${calling.p2}`].filter(Boolean) : ["?"];
  const words = [...marks, title].join(" ");
  if (document.title !== words) document.title = words;
  showMark(calling === null ? "unknown" : calling.p1 + calling.p2 > 0 ? "alarm" : "normal");
}

function showMark(name) {
  const href = new URL(`./${MARKS[name]}`, import.meta.url).pathname;
  let link = document.querySelector('link[rel="icon"]');
  if (!link) {
    link = Object.assign(document.createElement("link"), { rel: "icon", type: "image/svg+xml" });
    document.head.append(link);
  }
  if (link.getAttribute("href") !== href) link.setAttribute("href", href);
}
