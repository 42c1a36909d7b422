// Titles under the top bar's search while typing: a combobox by the ARIA pattern. Enter without a choice searches.
const form = document.querySelector("form[data-suggest]");
const input = form?.querySelector("input");
const list = form?.querySelector("[role=listbox]");
const WAIT_MS = 180;
let timer = 0;
let asked = null;
let at = -1;

const options = () => [...list.children];

function close() {
  clearTimeout(timer);
  asked?.abort();
  list.hidden = true;
  at = -1;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

function choose(index) {
  const all = options();
  at = (index + all.length) % all.length;
  for (const [place, option] of all.entries()) option.setAttribute("aria-selected", String(place === at));
  input.setAttribute("aria-activedescendant", all[at].id);
  all[at].scrollIntoView({ block: "nearest" });
}

function show(titles) {
  list.replaceChildren(
    ...titles.map((title, index) => {
      const option = document.createElement("li");
      option.id = `suggestion-${index}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.textContent = title;
      return option;
    }),
  );
  at = -1;
  input.removeAttribute("aria-activedescendant");
  list.hidden = titles.length === 0;
  input.setAttribute("aria-expanded", String(titles.length > 0));
}

async function ask() {
  const typed = input.value.trim();
  if (typed.length < 2) return close();
  asked?.abort();
  asked = new AbortController();
  try {
    const answer = await fetch(`${form.dataset.suggest}?q=${encodeURIComponent(typed)}`, { signal: asked.signal });
    if (answer.ok && document.activeElement === input) show((await answer.json()).titles);
  } catch (error) {
    // Suggestions only help: without them the search still works.
    if (error.name !== "AbortError") close();
  }
  return undefined;
}

function search(title) {
  input.value = title;
  close();
  form.requestSubmit();
}

if (form) {
  input.addEventListener("input", (event) => {
    clearTimeout(timer);
    if (!event.isComposing) timer = setTimeout(ask, WAIT_MS);
  });
  input.addEventListener("compositionend", () => {
    timer = setTimeout(ask, WAIT_MS);
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || list.hidden) return;
    if (event.key === "ArrowDown") choose(at + 1);
    else if (event.key === "ArrowUp") choose(at < 0 ? options().length - 1 : at - 1);
    else if (event.key === "Enter" && at >= 0) search(options()[at].textContent);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
  // Before the blur that would take the list away.
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const option = event.target.closest("[role=option]");
    if (option) search(option.textContent);
  });
  input.addEventListener("blur", close);
}
