// Single-letter keys. Off by the reader's choice (WCAG 2.1.4), while typing and while an input method composes.
const off = document.documentElement.dataset.keys === "off";
const rows = () => [...document.querySelectorAll("[data-list] tbody tr, [data-list] > li")].filter((row) => row.checkVisibility());

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.classList.contains("at"));
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
  all[at]?.classList.remove("at");
  next.classList.add("at");
  next.querySelector(".ti a, a")?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

const acts = {
  "/": () => document.querySelector("[data-key-search]")?.focus(),
  j: () => move(1),
  k: () => move(-1),
  x: () => document.querySelector("tr.at input[type=checkbox]")?.click(),
  a: () => document.querySelector('[data-key="a"]:not(:disabled)')?.click(),
  r: () => document.querySelector('[data-key="r"]:not(:disabled)')?.click(),
  "?": () => document.getElementById("keys-help")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (off || event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]") || document.querySelector("dialog[open]")) return;
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
