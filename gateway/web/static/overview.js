/**
 * The first screen and the wall: cranes that move, a clock that ticks, ages that grow. All by the box's clock.
 */
import { ageText, t } from "../screens/text.js";
import { moveCranes } from "./plan.js";

const PHONE = matchMedia("(max-width: 600px)");

document.addEventListener("feed-live", (event) => {
  if (!event.detail.cells) return; // a tab that nobody sees
  moveCranes(event.detail.cells);
  showAges(event.detail.cells);
});

/** What is not known says for how long. @param {Object<string, {s: string, a: number|null}>} cells by id */
function showAges(cells) {
  for (const element of document.querySelectorAll("[data-age]")) {
    const cell = cells[element.dataset.age];
    const text = cell?.s === "unknown" && cell.a !== null ? ageText(cell.a) : "";
    if (element.textContent !== text) element.textContent = text;
  }
}

const SAY_MS = 1500; // alarms that come together are said together
let newAlarms = [];

/** Those who hear the page are told of new alarms, in words; those who see it have the list. */
document.addEventListener("feed-alarm", (event) => {
  const { transition, alarm } = event.detail;
  if (transition !== "raised" || !document.getElementById("alarm-said")) return;
  if (!newAlarms.length) setTimeout(sayAlarms, SAY_MS);
  newAlarms.push(alarm);
});

function sayAlarms() {
  const chinese = document.documentElement.lang.startsWith("zh");
  const titles = newAlarms.map((alarm) => (chinese ? alarm.title_zh : alarm.title_en));
  const first = `${titles[0]} ${newAlarms[0].asset}`;
  const more = newAlarms.length - 1;
  newAlarms = [];
  const said = more ? t("New alarms: %(first)s and %(more)s more", { first, more }) : t("New alarm: %(first)s", { first });
  document.getElementById("alarm-said").textContent = said;
}

const plan = document.getElementById("plan-details");
if (plan && PHONE.matches) plan.open = false; // the alarms come first
