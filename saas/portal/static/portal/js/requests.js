// CSRF for htmx and fetch (the cookie is HttpOnly, so the token comes from the page), one send per click,
// and refusals of htmx requests shown as a notice unless the element says where they go.
import { toast } from "./toasts.js";
import { word } from "./words.js";

/** The page's CSRF token. */
export const csrfToken = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

document.addEventListener("htmx:config:request", (event) => {
  event.detail.ctx.request.headers["X-CSRFToken"] = csrfToken();
});

function firstText(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  return (page.querySelector("[data-error] p, .error-message")?.textContent ?? "").trim();
}

// htmx 4 swaps 4xx and 5xx bodies in. 422 is a form with its errors and belongs in place; any other refusal would
// replace what the reader sees, so it becomes a notice. An element's own hx-status:NNN still decides otherwise.
document.addEventListener("htmx:response:error", (event) => {
  const { ctx } = event.detail;
  const status = ctx.response.status;
  const source = ctx.sourceElement;
  const own = [`${status}`, `${Math.floor(status / 10)}x`, `${Math.floor(status / 100)}xx`];
  if (status === 422 || own.some((code) => source.closest(`[hx-status\\:${code}]`))) return;
  ctx.swap = "none";
  toast({ kind: "problem", text: firstText(ctx.text ?? "") || word(status === 401 ? "signedOut" : "server") });
});
document.addEventListener("htmx:error", (event) => {
  if (event.detail.error instanceof TypeError) toast({ kind: "problem", text: word("network") });
});

function busy(button, on) {
  if (!button) return;
  button.toggleAttribute("aria-busy", on);
  if (on) button.setAttribute("aria-busy", "true");
  button.disabled = on;
}
const senders = new WeakMap();
document.addEventListener("htmx:before:request", (event) => {
  const { ctx } = event.detail;
  const button = ctx.request.submitter ?? (ctx.sourceElement.matches?.("button") ? ctx.sourceElement : null);
  if (!button || ctx.request.method === "GET") return;
  senders.set(ctx, button);
  busy(button, true);
});
document.addEventListener("htmx:finally:request", (event) => busy(senders.get(event.detail.ctx), false));

// Whole-page forms: a second click while the first is under way does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if ([...form.attributes].some((a) => /^(data-)?hx-(post|put|patch|delete)/.test(a.name))) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  // The button's own name and value must still be sent, so it is disabled after this event.
  setTimeout(() => busy(event.submitter, true));
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll('[aria-busy="true"]')) busy(button, false);
  }
});
