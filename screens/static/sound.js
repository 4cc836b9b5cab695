/**
 * When it sounds: P1 until every P1 is acknowledged, P2 once when it is raised, P3 never. One tab of a browser sounds.
 *
 *   off  --a person enables it-->  armed, heard  <-->  armed, not heard (the browser waits for a gesture): red bar
 *
 * A mute lasts two minutes at most and ends at the next P1; with a P1 waiting, sound cannot be switched off. Phones
 * vibrate as well. Elements: `[data-sound=state|arm|mute|off]`, `[data-sound-test=P1|P2|P3]`, `[data-sound-volume=0..2]`.
 */
import { t } from "./text.js";
import { Tones } from "./tones.js";

const MUTE_MS = 120000;
const VOLUMES = [0.15, 0.45, 1];
const DOUBLE_EVERY_MS = 2000;
const PATIENCE_MS = 1000; // a page that has just been opened, and the choice of the tab that sounds, take a moment
const SHAKES = { P1: [400, 150, 400, 150, 400], P2: [250, 120, 250] };
const SHAKE_EVERY_MS = 4000;
const KEYS = { armed: "sitewarden.sound", volume: "sitewarden.volume", p2: "sitewarden.p2", muted: "sitewarden.muted" };

const kept = {
  get: (name) => {
    try {
      return localStorage.getItem(KEYS[name]) ?? "";
    } catch {
      return "";
    }
  },
  set: (name, value) => {
    try {
      localStorage.setItem(KEYS[name], String(value));
    } catch {
      return; // switched off or full: the choice holds for this page
    }
  },
};

export class Sound {
  /** @param {{wall: boolean, changed: () => void}} options `changed` is called when this page can sound, or no longer */
  constructor({ wall, changed }) {
    this.wall = wall;
    this.changed = changed;
    this.armed = wall || kept.get("armed") === "on";
    this.tones = null;
    this.calling = { p1: 0, p2: 0 };
    this.known = false;
    this.here = false;
    this.anywhere = false;
    this.owesDouble = false;
    this.doubledAt = -Infinity;
    this.brokenSince = 0;
    this.shookAt = -Infinity;
    this.mutedUntil = Number(kept.get("muted")) || 0;
    this.#wire();
    if (this.armed) this.#makeTones().then(() => this.show());
  }

  /** Whether this page can be heard. */
  get audible() {
    return this.armed && (this.tones?.running ?? false);
  }

  /** Whether sound is wanted and nobody in this browser can be heard. */
  get broken() {
    return this.armed && !this.audible && !this.anywhere;
  }

  /** Milliseconds that the mute still lasts. */
  get muteLeftMs() {
    return Math.max(0, Math.min(MUTE_MS, this.mutedUntil - Date.now()));
  }

  /** The worker has chosen. @param {{here: boolean, anywhere: boolean}} said */
  chosen({ here, anywhere }) {
    this.here = here;
    this.anywhere = anywhere;
    if (anywhere && !here) this.owesDouble = false; // another tab has sounded it
    this.#play();
    this.show();
  }

  /** How many alarms call, as the box counts them. @param {{p1: number, p2: number}} calling */
  count(calling) {
    const more = calling.p2 > (this.known ? this.calling.p2 : Number(kept.get("p2")) || 0);
    this.calling = calling;
    this.known = true;
    if (kept.get("p2") !== String(calling.p2)) kept.set("p2", calling.p2);
    if (more) this.owesDouble = true;
    if (!calling.p2) this.owesDouble = false;
    this.#play();
  }

  /** An alarm's transition. @param {{transition: string, alarm: object}} event */
  hear({ transition, alarm }) {
    const silent = alarm.shelved_until_ns || alarm.out_of_service || alarm.suppressed_by || alarm.withheld;
    if (transition !== "raised" || silent || alarm.acknowledged) return;
    if (alarm.severity === "P1") {
      this.#unmute();
      this.calling = { ...this.calling, p1: Math.max(1, this.calling.p1) };
    } else if (alarm.severity === "P2") this.owesDouble = true;
    this.#play();
  }

  /** Go on sounding, also while the box is silent, and count down; called twice a second. */
  look() {
    this.#play();
    this.show();
  }

  /** Show the state of the sound. */
  show() {
    const leftS = Math.ceil(this.muteLeftMs / 1000);
    each("[data-sound=state]", (element) => put(element, this.#words(leftS)));
    each("[data-sound=state]", (element) => (element.dataset.state = this.broken ? "broken" : this.armed ? "armed" : "off"));
    each("[data-sound=arm]", (element) => (element.hidden = this.armed && !this.broken));
    each("[data-sound=mute]", (element) => {
      element.hidden = !this.armed || this.broken;
      put(element, leftS ? t("Muted for %(seconds)s s. Switch sound on", { seconds: leftS }) : t("Mute for 2 min"));
    });
    each("[data-sound=off]", (element) => {
      element.hidden = !this.armed || this.wall;
      element.disabled = this.calling.p1 > 0;
    });
    const volume = this.#volume();
    each("[data-sound-volume]", (element) => element.setAttribute("aria-pressed", Number(element.dataset.soundVolume) === volume));
    this.#bar();
    if (!leftS && this.mutedUntil) this.#unmute();
  }

  #words(leftS) {
    if (!this.armed) return t("Sound off");
    if (this.broken) return t("Sound cannot be played");
    return leftS ? t("Sound muted, %(seconds)s s left", { seconds: leftS }) : t("Sound armed");
  }

  #wire() {
    document.addEventListener("click", (event) => {
      const button = event.target.closest?.("[data-sound], [data-sound-test], [data-sound-volume]");
      if (button) this.#press(button.dataset);
    });
    for (const gesture of ["pointerdown", "keydown"]) {
      addEventListener(gesture, () => this.armed && !this.audible && this.#makeTones().then(() => this.show()), { passive: true });
    }
    addEventListener("storage", () => this.#reread());
  }

  #press({ sound, soundTest, soundVolume }) {
    if (sound === "arm") this.#arm();
    if (sound === "mute") this.#mute();
    if (sound === "off" && !this.calling.p1 && !this.wall) this.#setArmed(false);
    if (soundTest) this.#test(soundTest);
    if (soundVolume) kept.set("volume", soundVolume);
    this.tones?.loudness(VOLUMES[this.#volume()]);
    this.show();
  }

  async #arm() {
    this.#setArmed(true);
    await this.#makeTones();
    this.show();
  }

  #setArmed(armed) {
    this.armed = armed;
    kept.set("armed", armed ? "on" : "off");
    if (!armed) this.tones?.stop();
    this.changed();
    this.#play();
  }

  async #makeTones() {
    if (this.tones === null) {
      this.tones = new Tones();
      this.tones.loudness(VOLUMES[this.#volume()]);
      this.tones.context.onstatechange = () => {
        this.changed();
        this.#play();
      };
    }
    await this.tones.resume();
    this.changed();
    this.#play();
  }

  async #test(priority) {
    if (this.tones === null) await this.#makeTones();
    else await this.tones.resume();
    if (priority === "P1") this.tones.triple();
    if (priority === "P2") this.tones.double();
    this.#shake(priority);
    const said = priority === "P3" ? t("P3 has no tone") : this.tones.running ? t("Tone played") : t("Sound cannot be played");
    each("[data-sound=outcome]", (element) => put(element, said));
  }

  /** Muted already: sound again. */
  #mute() {
    if (this.muteLeftMs) return this.#unmute();
    this.mutedUntil = Date.now() + MUTE_MS;
    kept.set("muted", this.mutedUntil);
    this.tones?.silence();
    this.#play();
  }

  #unmute() {
    this.mutedUntil = 0;
    kept.set("muted", 0);
    this.#play();
  }

  /** Another tab has changed what all share. */
  #reread() {
    this.mutedUntil = Number(kept.get("muted")) || 0;
    const armed = this.wall || kept.get("armed") === "on";
    if (armed !== this.armed) {
      this.armed = armed;
      if (armed) this.#makeTones();
      this.changed();
    }
    this.tones?.loudness(VOLUMES[this.#volume()]);
    this.#play();
  }

  /** Make what is heard match what is known. */
  #play() {
    const may = this.here && this.audible && !this.muteLeftMs;
    if (may && this.calling.p1 > 0) {
      this.tones.repeat();
      this.#shake("P1");
    } else this.tones?.stop();
    if (may && this.owesDouble) this.#double();
  }

  /** Heard above the tones of a P1 by nobody, so not beside them; and one for many that come at once. */
  #double() {
    this.owesDouble = false;
    const now = performance.now();
    if (this.calling.p1 || now - this.doubledAt < DOUBLE_EVERY_MS) return;
    this.doubledAt = now;
    this.tones.double();
    this.#shake("P2");
  }

  #shake(priority) {
    const now = performance.now();
    if (!SHAKES[priority] || !this.armed || !navigator.vibrate || now - this.shookAt < SHAKE_EVERY_MS) return;
    this.shookAt = now;
    if (navigator.userActivation?.hasBeenActive ?? true) navigator.vibrate(SHAKES[priority]);
  }

  #volume() {
    const step = Number(kept.get("volume") || 1);
    return VOLUMES[step] === undefined ? 1 : step;
  }

  #bar() {
    const shown = document.getElementById("sound-bar");
    if (!this.broken) this.brokenSince = 0;
    else this.brokenSince ||= performance.now();
    if (!this.broken) return shown?.remove();
    if (shown || performance.now() - this.brokenSince < PATIENCE_MS) return undefined;
    const bar = Object.assign(document.createElement("div"), { id: "sound-bar", className: "alert-bar" });
    bar.setAttribute("role", "alert");
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: t("Enable sound") });
    button.dataset.sound = "arm";
    bar.append(Object.assign(document.createElement("span"), { textContent: t("Sound cannot be played") }), button);
    document.body.prepend(bar);
    return undefined;
  }
}

function each(selector, act) {
  for (const element of document.querySelectorAll(selector)) act(element);
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
