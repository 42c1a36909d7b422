// Starts what a page needs. Everything works on elements that htmx brings later too, through delegated events.
import "./requests.js";
import "./dialogs.js";
import "./toasts.js";
import "./keyboard.js";
import "./lists.js";
import "./autosave.js";
import "./upload.js";
import "./stars.js";
import "./suggest.js";

const app = document.querySelector(".app[data-nav]");
if (app?.dataset.nav.trim()) {
  for (const link of document.querySelectorAll("[data-nav-key]")) {
    if (link.dataset.navKey === app.dataset.nav.trim()) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

document.querySelector("[data-error-summary]")?.focus();
// What is at hand beside the page on a desk would push the page away on a phone.
if (matchMedia("(max-width: 720px)").matches) {
  for (const part of document.querySelectorAll("details[data-wide-open]")) part.open = false;
}
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-back]")) history.length > 1 ? history.back() : location.assign("/");
  if (event.target.closest("[data-print]")) print();
});

// A phrase chip puts its text where the caret is.
document.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-phrase]");
  if (!chip) return;
  const field = document.getElementById(chip.dataset.phraseFor);
  if (!field) return;
  field.setRangeText(chip.dataset.phrase, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
});
