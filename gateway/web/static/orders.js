/**
 * Orders: the countdown goes on by the box's clock, and photos that are too large are told before they travel. Without
 * this script the page says the same at each loading, and the box refuses what is too large.
 */
import { ageText, t } from "../screens/text.js";

const TICK_MS = 1000;
const MB = 1048576;
const known = { boxMs: Number(document.querySelector("[data-now-ms]")?.dataset.nowMs), atMs: performance.now() };

if (known.boxMs) setInterval(tick, TICK_MS);
for (const form of document.querySelectorAll("[data-order-form]")) {
  form.addEventListener("change", () => check(form));
  form.addEventListener("submit", (event) => send(event, form));
  check(form); // photos that were chosen before this script came
}

function tick() {
  if (document.hidden) return;
  const nowMs = known.boxMs + performance.now() - known.atMs;
  for (const deadline of document.querySelectorAll("[data-deadline-ms]")) {
    const leftMs = Number(deadline.dataset.deadlineMs) - nowMs;
    const age = ageText(Math.abs(leftMs) / 1000);
    const text = leftMs < 0 ? t("overdue by %(age)s", { age }) : t("%(age)s left", { age });
    if (deadline.textContent !== text) deadline.textContent = text;
    deadline.parentElement.classList.toggle("overdue", leftMs < 0);
  }
}

function check(form) {
  const files = [...form.querySelectorAll("input[type=file]")].flatMap((input) => [...input.files]);
  const most = Number(form.dataset.mostBytes);
  const large = files.find((file) => file.size > most);
  const fault = form.querySelector("[data-photo-fault]");
  let text = "";
  if (files.length > Number(form.dataset.mostPhotos)) text = t("Too many photos: %(found)s", { found: files.length });
  if (large) {
    const sizes = { name: large.name, found: (large.size / MB).toFixed(1), most: most / MB };
    text = t("%(name)s is too large: %(found)s MB, at most %(most)s MB", sizes);
  }
  fault.textContent = text;
  fault.hidden = !text;
  return !text;
}

function send(event, form) {
  if (!check(form)) {
    event.preventDefault();
    return;
  }
  form.querySelector("button.primary").setAttribute("aria-disabled", "true");
}
