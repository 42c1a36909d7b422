// Copies an article's citation, with its address, for pasting into a draft.
import { toast } from "/static/portal/js/toasts.js";

const article = document.querySelector(".law-text");
article?.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-cite]");
  if (!button) return;
  const citation = `《${article.dataset.title}》${button.dataset.cite}`;
  history.replaceState(null, "", `#${button.dataset.anchor}`);
  await navigator.clipboard.writeText(citation);
  toast({ text: document.getElementById("cite-done").content.textContent });
});
