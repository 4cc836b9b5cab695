/**
 * The acknowledge dialog: a link with `data-acknowledge="<alarm id>"` opens it, its form then posts for that alarm.
 * Without script the link leads to the alarm's page, where the same form stands. The name typed once is remembered.
 */
const dialog = document.getElementById("acknowledge-dialog");

/** Open the dialog for an alarm. @param {string} alarmId @param {string} title what it is, in words */
export function openAcknowledge(alarmId, title) {
  if (!dialog) return;
  const form = dialog.querySelector("form");
  form.action = `/alarms/${encodeURIComponent(alarmId)}/acknowledge`;
  document.getElementById("acknowledge-subject").textContent = title;
  if (!dialog.open) dialog.showModal();
  const name = form.querySelector("[name=user]");
  (name && !name.value ? name : form.querySelector("button.preset")).focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-acknowledge]");
  if (link && dialog && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    openAcknowledge(link.dataset.acknowledge, link.dataset.title ?? "");
  }
  if (event.target.closest?.("[data-close]")) event.target.closest("dialog")?.close();
});

for (const field of document.querySelectorAll("[data-remember]")) {
  const key = `sitewarden.${field.dataset.remember}`;
  if (!field.value) field.value = stored(key);
  field.addEventListener("change", () => keep(key, field.value));
}

function stored(key) {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return ""; // storage is switched off: the name is typed each time
  }
}

function keep(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    return;
  }
}
