/**
 * What the review page asks its server for: the queue, items (kept and fetched ahead), and what a person decides.
 *
 * Decisions go one after the other, in the order in which they were made, so that no verdict overtakes its lease.
 */
const TIMEOUT_MS = 15000;
const KEPT = 80;
const root = document.getElementById("review");
const facts = new Map(); // id -> promise of an item
const pictures = new Map(); // url -> Image, held so that the browser keeps it
let last = Promise.resolve();

/** The server said no. `code` is for programs, `message` for people, in the page's language. */
export class Refused extends Error {
  constructor(status, error) {
    super((document.documentElement.lang === "en" ? error?.message_en : error?.message_zh) ?? String(status));
    this.status = status;
    this.code = error?.code ?? "";
  }
}

/** @param {string} after where the page before ended @param {string} words looked for @returns {Promise<object>} */
export function askQueue(after, words) {
  return ask(`/review/queue?${new URLSearchParams({ after, q: words })}`);
}

/** One item, from what was fetched ahead when it is there. @param {string} id @returns {Promise<object>} */
export function askItem(id) {
  let found = facts.get(id);
  if (!found) {
    found = ask(`/review/items/${id}/facts`);
    facts.set(id, found);
    found.then(lookAhead, () => facts.delete(id));
    if (facts.size > KEPT) facts.delete(facts.keys().next().value);
  }
  return found;
}

/** Ask anew next time. @param {string} id */
export function forget(id) {
  facts.delete(id);
}

/** Only what is blurred is fetched ahead: looking at faces is written down, and nobody has looked yet. */
function lookAhead(item) {
  for (const each of item.pictures) {
    if (!each.blurred || pictures.has(each.url)) continue;
    const image = new Image();
    image.src = each.url;
    pictures.set(each.url, image);
    if (pictures.size > KEPT) pictures.delete(pictures.keys().next().value);
  }
}

/** Send a decision after all that were made before it. @param {string} url @param {object|Array|Function} fields a
 * function is called when its turn comes @param {() => boolean} [still] whether it is still wanted then */
export function send(url, fields, still = () => true) {
  const sent = last.then(() => (still() ? post(url, typeof fields === "function" ? fields() : fields) : null));
  last = sent.catch(() => {});
  return sent;
}

async function post(url, fields) {
  const body = new URLSearchParams(fields);
  body.append("csrf", root.dataset.csrf);
  return read(await fetch(url, { method: "POST", body, signal: AbortSignal.timeout(TIMEOUT_MS) }));
}

async function ask(url) {
  return read(await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) }));
}

async function read(answer) {
  const said = (answer.headers.get("content-type") ?? "").startsWith("application/json") ? await answer.json() : null;
  if (!answer.ok || !said) throw new Refused(answer.status, said?.error);
  return said;
}
