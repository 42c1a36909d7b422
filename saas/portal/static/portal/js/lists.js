// Lists: select all, how many are picked, buttons that need a choice, times that stay true.
import { word } from "./words.js";

function refresh(list) {
  const boxes = [...list.querySelectorAll('tbody input[type="checkbox"][name]')];
  const picked = boxes.filter((box) => box.checked).length;
  const all = list.querySelector("[data-all]");
  if (all) {
    all.checked = picked > 0 && picked === boxes.length;
    all.indeterminate = picked > 0 && picked < boxes.length;
  }
  const scope = list.closest("form, .card") ?? list;
  for (const button of scope.querySelectorAll("[data-needs-picked]")) button.disabled = picked === 0;
  const note = scope.querySelector("[data-picked]");
  if (note) note.textContent = picked ? `${word("selected")} ${picked}` : "";
}

document.addEventListener("change", (event) => {
  const list = event.target.closest("[data-list]");
  if (list) {
    if (event.target.matches("[data-all]")) {
      for (const box of list.querySelectorAll('tbody input[type="checkbox"][name]')) box.checked = event.target.checked;
    }
    refresh(list);
  }
  // A filter that applies itself.
  if (event.target.matches("[data-apply]")) event.target.form.requestSubmit();
});
const start = () => document.querySelectorAll("[data-list]").forEach(refresh);
start();
document.addEventListener("htmx:after:swap", start);

const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "always" });
setInterval(() => {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const minutes = Math.floor((Date.now() - Date.parse(time.dateTime)) / 60000);
    if (minutes > 0 && minutes < 60) time.textContent = words.format(-minutes, "minute");
  }
}, 60000);
