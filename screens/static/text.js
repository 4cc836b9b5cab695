/**
 * Texts of scripts in the page's language. `texts/<language>.js` is loaded before any module that asks.
 * @param {string} msgid the English text, with %(name)s for values
 * @param {Object<string, string|number>} [values]
 * @returns {string}
 */
export function t(msgid, values = {}) {
  const text = (globalThis.sitewardenTexts ?? {})[msgid] ?? msgid;
  return text.replace(/%\((\w+)\)s/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** An age in words, as the server writes it: its two largest units. @param {number} seconds @returns {string} */
export function ageText(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const days = Math.floor(s / 86400), hours = Math.floor(s / 3600) % 24, minutes = Math.floor(s / 60) % 60;
  if (days) return `${days} ${t("d")} ${hours} ${t("h")}`;
  if (hours) return `${hours} ${t("h")} ${minutes} ${t("min")}`;
  if (minutes) return `${minutes} ${t("min")} ${s % 60} ${t("s")}`;
  return `${s} ${t("s")}`;
}
