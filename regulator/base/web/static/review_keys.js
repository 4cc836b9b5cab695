/**
 * Keys of the review page, by `event.code`: the place of a key, not its letter. A switch in the browser turns them off
 * for good (WCAG 2.1.4). Never while somebody types or composes Chinese.
 *
 *     bindKeys(document, { KeyJ: ..., "Shift+ArrowLeft": ..., "Ctrl+KeyA": ... })
 */
import { KeySwitch } from "../screens/keys_switch.js";

const SWITCH = new KeySwitch("sitewarden.desk.keys");
const TYPED = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
const PRESSED = "a, button, summary, input, select, textarea, video, [role=button]";
const HELD = new Set(["KeyJ", "KeyK", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]);

/** @param {Document|HTMLDialogElement} within a dialog hears its own keys, the page none while one is open
 * @param {Object<string, (event: KeyboardEvent) => void>} bindings */
export function bindKeys(within, bindings) {
  within.addEventListener("keydown", (event) => {
    const name = nameOf(event);
    const action = name in bindings && wanted(event, within) ? bindings[name] : null;
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action(event);
  });
}

function nameOf(event) {
  const code = event.code.replace(/^Numpad(?=[1-9]$)/, "Digit");
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.shiftKey ? "Shift+" : ""}${code}`;
}

function wanted(event, within) {
  if (event.isComposing || event.keyCode === 229 || event.defaultPrevented || event.altKey || !SWITCH.on) return false;
  if (event.repeat && !HELD.has(event.code)) return false;
  if (event.target.closest?.(TYPED)) return false;
  if (within === document && document.querySelector("dialog[open]")) return false;
  return !(["Enter", "Space"].includes(event.code) && event.target.closest?.(PRESSED));
}

/** The help and its switch. */
export function mountHelp() {
  const help = document.getElementById("keys-help");
  help.querySelector("[data-close]").addEventListener("click", () => help.close());
  SWITCH.mount();
}
