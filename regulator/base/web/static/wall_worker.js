/** The one listener of a browser to the wall's changes: a stream a tab would use up the connections at the seventh. */
import { FeedLine } from "../screens/feed_line.js";
import { STREAM } from "./wall_stream.js";

const ports = new Set();
let line = null;
let newest = {};

globalThis.onconnect = (event) => {
  const port = event.ports[0];
  port.onmessage = ({ data }) => {
    if (data.kind === "bye") return ports.delete(port);
    if (data.kind === "hurry") return line?.hurry();
    ports.add(port);
    line ??= new FeedLine(relay, data.seq, STREAM);
    for (const said of Object.values(newest)) port.postMessage(said);
    port.postMessage({ kind: "at", data: { seq: line.lastSeq } });
    return undefined;
  };
};

function relay(said) {
  if (said.kind === "state" || said.kind === "live") newest[said.kind] = said;
  for (const port of ports) port.postMessage(said);
}
