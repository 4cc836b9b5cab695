/**
 * Keys for hands that know the page. A switch in the browser turns them off for good (WCAG 2.1.4).
 *
 *   bindKeys({ KeyJ: (event) => ..., KeyK: ..., Enter: ... })   by `event.code`: the place of the key, not its letter
 *
 * Never while somebody types or composes Chinese, never together with Ctrl, Alt or Meta. `?` opens the help of
 * `alarm_keys.html`, which this module shows.
 */
import { KeySwitch, showHelp } from "../screens/keys_switch.js";

const SWITCH = new KeySwitch("sitewarden.keys");
const TYPED = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
const USES_ENTER = "a, button, summary, input, select, textarea, [role=button]";

/** Do this when such a key is pressed. @param {Object<string, (event: KeyboardEvent) => void>} bindings */
export function bindKeys(bindings) {
  document.addEventListener("keydown", (event) => {
    const help = event.code === "Slash" && event.shiftKey;
    if (!wanted(event, help)) return;
    if (help) showHelp();
    else if (bindings[event.code]) bindings[event.code](event);
    else return;
    event.preventDefault();
  });
  SWITCH.mount();
}

function wanted(event, help) {
  if (event.isComposing || event.keyCode === 229 || event.defaultPrevented || event.repeat) return false;
  if (event.ctrlKey || event.altKey || event.metaKey || (event.shiftKey && !help)) return false;
  if (!SWITCH.on || event.target.closest?.(TYPED) || document.querySelector("dialog[open]")) return false;
  return event.code !== "Enter" || !event.target.closest?.(USES_ENTER);
}
