// Stars in lists: which are on is known a moment after the list. A press sends what the star is to become.
function mark() {
  for (const note of document.querySelectorAll("[data-starred]")) {
    for (const key of note.dataset.starred.split(" ").filter(Boolean)) {
      for (const star of document.querySelectorAll(`[data-star="${key}"]`)) {
        star.setAttribute("aria-pressed", "true");
        star.setAttribute("hx-vals", JSON.stringify({ object: key, act: "off" }));
      }
    }
    note.remove();
  }
}
document.addEventListener("htmx:after:swap", mark);
// The note may have come before this script.
mark();
