/** The page of curves: another span without another page. Without script its buttons are plain links. */
import { showIn } from "../screens/curve_panel.js";

const figure = document.querySelector("figure[data-curve]");

document.querySelector("[data-spans]")?.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-curve-query]");
  if (!link || !figure || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  for (const other of link.parentElement.children) other.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  history.replaceState(null, "", link.href);
  const query = link.dataset.curveQuery;
  for (const [path, place] of [["/curves/values", "a[href^='/curves/values']"], ["/curves.csv", "a[href^='/curves.csv']"]]) {
    figure.querySelector(place).setAttribute("href", `${path}?${query}`);
  }
  showIn(figure, `/api/curve?${query}&lang=${document.documentElement.lang}`);
});
