// Stars in lists: which are on is known a moment after the list; a press sends what it is to become.
function mark() {
  for (const note of document.querySelectorAll("[data-starred]")) {
    for (const key of note.dataset.starred.split(" ").filter(Boolean)) {
      for (const star of document.querySelectorAll(`[data-star="${key}"]`)) star.setAttribute("aria-pressed", "true");
    }
    note.remove();
  }
}
document.addEventListener("htmx:after:swap", mark);

document.addEventListener("htmx:config:request", (event) => {
  const star = event.detail.ctx.sourceElement.closest?.("[data-star]");
  if (!star) return;
  const { body } = event.detail.ctx.request;
  body.set("object", star.dataset.star);
  body.set("act", star.getAttribute("aria-pressed") === "true" ? "off" : "on");
});
