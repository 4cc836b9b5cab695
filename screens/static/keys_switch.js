/**
 * The switch of a page's keys, kept in the browser for good (WCAG 2.1.4), and the help beside it (`keys_help.html`).
 */
export class KeySwitch {
  /** @param {string} key under which the browser keeps it */
  constructor(key) {
    this.key = key;
  }

  /** Whether the keys are on in this browser. @returns {boolean} */
  get on() {
    try {
      return localStorage.getItem(this.key) !== "off";
    } catch {
      return true; // storage is switched off: the keys are on, as on a new browser
    }
  }

  /** Show the switch, on a page that has one. */
  mount() {
    const toggle = document.getElementById("keys-on");
    const button = document.getElementById("keys-switch");
    if (!toggle || !button) return;
    const mark = () => {
      toggle.checked = this.on;
      button.setAttribute("aria-pressed", String(this.on));
    };
    document.getElementById("keys").hidden = false;
    button.addEventListener("click", showHelp);
    toggle.addEventListener("change", () => {
      try {
        localStorage.setItem(this.key, toggle.checked ? "on" : "off");
      } catch {
        toggle.checked = true; // cannot be kept in this browser
      }
      mark();
    });
    mark();
  }
}

/** Show what the keys do. */
export function showHelp() {
  const help = document.getElementById("keys-help");
  if (help && !help.open) help.showModal();
}
