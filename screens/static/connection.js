/**
 * Whether the page is live, said so that nobody can miss it: a red bar with the age of what is shown, values that are
 * no longer known, a notice when something could not be replayed or when the box runs another version or settings.
 *
 * `document.documentElement.dataset.feed` is "connecting", "live" or "stale". Knows no alarm.
 */
import { ageText, t } from "./text.js";

const STALE_MS = 3000;
const GAP_SHOWN_MS = 60000;

export class Connection {
  /** @param {{forget: () => void, back: () => void, retry: () => void}} acts what follows when it goes and comes */
  constructor(acts) {
    this.acts = acts;
    this.heardAt = performance.now();
    this.reason = "";
    this.first = null;
    this.mark("connecting");
  }

  /** Whether what the page shows is known to be true. */
  get live() {
    return document.documentElement.dataset.feed === "live";
  }

  /** A live picture has come. */
  heard() {
    this.heardAt = performance.now();
    if (this.live) return;
    const came = document.documentElement.dataset.feed;
    this.mark("live");
    this.show();
    if (came === "stale") this.acts.back();
  }

  /** What the line says of itself. @param {{state: string, reason: string}} said */
  lineSays({ state, reason }) {
    this.reason = state === "lost" ? reason : "";
    if (this.reason === "login" || this.reason === "busy") this.look(true);
    else this.show();
  }

  /** Called twice a second. @param {boolean} [lost] do not wait */
  look(lost = false) {
    const stale = lost || performance.now() - this.heardAt > STALE_MS;
    if (stale && document.documentElement.dataset.feed !== "stale") {
      this.mark("stale");
      this.acts.forget();
    }
    if (!this.live) this.show();
  }

  /** What runs at the other end. @param {{config?: string, version?: string}} said */
  other(said) {
    if (this.first === null) this.first = { ...own(), ...said };
    const changed = Object.keys(said).some((key) => this.first[key] && this.first[key] !== said[key]);
    Object.assign(this.first, Object.fromEntries(Object.entries(said).filter(([key]) => !this.first[key])));
    if (changed && !document.getElementById("changed-bar")) this.#changed();
    return changed;
  }

  /** Something could not be replayed. @param {{records: number}} gap */
  gap({ records }) {
    const words = records
      ? t("%(records)s records could not be sent again. The page has been reloaded", { records })
      : t("The box's records have changed. The page has been reloaded");
    const bar = makeBar("gap-bar", words, "status");
    bar.append(button(t("Understood"), () => bar.remove()));
    setTimeout(() => bar.remove(), GAP_SHOWN_MS);
  }

  mark(state) {
    document.documentElement.dataset.feed = state;
  }

  show() {
    const bar = document.getElementById("connection-bar");
    if (document.documentElement.dataset.feed !== "stale") return bar?.remove();
    const words = this.#words();
    const shown = bar ?? makeBar("connection-bar", "", "alert");
    if (shown.firstChild.textContent !== words) this.#fill(shown, words);
    const age = shown.querySelector(".age");
    age.textContent = t("last heard %(age)s ago", { age: ageText((performance.now() - this.heardAt) / 1000) });
    return undefined;
  }

  #words() {
    if (this.reason === "login") return t("Your login has ended. The data shown is unknown now");
    if (this.reason === "busy") return t("The box accepts no more screens. The data shown is unknown now");
    return t("No connection to the box. The data shown is unknown now");
  }

  /** The age changes every second and is not for those who listen to the page. */
  #fill(bar, words) {
    bar.replaceChildren(Object.assign(document.createElement("span"), { textContent: words }));
    const age = Object.assign(document.createElement("span"), { className: "age" });
    age.setAttribute("aria-hidden", "true");
    bar.append(age);
    if (this.reason === "login") {
      const next = encodeURIComponent(location.pathname + location.search);
      bar.append(Object.assign(document.createElement("a"), { href: `/login?next=${next}`, textContent: t("Log in") }));
    } else bar.append(button(t("Try now"), () => this.acts.retry()));
  }

  #changed() {
    const bar = makeBar("changed-bar", t("The box has new settings or a new version. This page is out of date"), "status");
    bar.append(button(t("Load the page anew"), () => location.reload()));
  }
}

/** What the page was made by, where it says so. */
function own() {
  const { config, version } = document.querySelector('meta[name="feed"]')?.dataset ?? {};
  return { ...(config && { config }), ...(version && { version }) };
}

function makeBar(id, words, role) {
  document.getElementById(id)?.remove();
  const bar = Object.assign(document.createElement("div"), { id, className: role === "alert" ? "alert-bar" : "notice-bar" });
  bar.setAttribute("role", role);
  bar.append(Object.assign(document.createElement("span"), { textContent: words }));
  document.body.prepend(bar);
  return bar;
}

function button(words, act) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: words });
  made.addEventListener("click", act);
  return made;
}
