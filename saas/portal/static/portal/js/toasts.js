// Short notices. Those that only inform go after 6 s (12 s with an act such as undo), never while pointed at or focused.
const region = document.getElementById("toasts");
const template = document.getElementById("toast-template");

function retire(element, seconds) {
  let left = seconds;
  const tick = setInterval(() => {
    if (!element.isConnected) return clearInterval(tick);
    if (element.matches(":hover, :focus-within")) return undefined;
    left -= 1;
    if (left <= 0) {
      clearInterval(tick);
      element.remove();
    }
    return undefined;
  }, 1000);
}

function start(element) {
  const action = element.querySelector("[data-toast-action]");
  if (!element.classList.contains("problem")) retire(element, action?.dataset.url ? 12 : 6);
}

/** Show a notice: {text, kind: "done"|"note"|"problem", action_label, action_url}. */
export function toast({ text, kind = "done", action_label: label = "", action_url: url = "" }) {
  const element = template.content.firstElementChild.cloneNode(true);
  element.className = `toast ${kind}`;
  const icon = { done: "circle-check", note: "info-circle", problem: "alert-circle" }[kind];
  const use = element.querySelector(".toast-icon use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${icon}`));
  element.querySelector("[data-toast-text]").textContent = text;
  const action = element.querySelector("[data-toast-action]");
  action.hidden = !url;
  action.textContent = label;
  action.dataset.url = url;
  region.append(element);
  start(element);
}

document.addEventListener("toast", (event) => toast(event.detail));
document.addEventListener("click", (event) => {
  const element = event.target.closest("[data-toast]");
  if (!element) return;
  const action = event.target.closest("[data-toast-action]");
  if (action) {
    // A whole-page POST, so that what was undone is shown as it is now.
    const form = document.createElement("form");
    form.method = "post";
    form.action = action.dataset.url;
    form.hidden = true;
    const token = document.createElement("input");
    token.name = "csrfmiddlewaretoken";
    token.value = document.querySelector('meta[name="csrf-token"]').content;
    form.append(token);
    document.body.append(form);
    form.submit();
  }
  if (action || event.target.closest("[data-toast-close]")) element.remove();
});
for (const element of region.children) start(element);
