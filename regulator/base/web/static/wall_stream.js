/** Where the wall's changes come from. */
export const STREAM = {
  events: "/api/wall/events",
  once: "/api/wall/changes?after=999999999999999",
  kinds: ["hello", "live", "tiles", "gap"],
  numbered: "tiles",
};
