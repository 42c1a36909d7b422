// <dialog> without inline script: data-dialog-open="id", data-dialog-close, our own confirmation, typed confirmation.
const confirmation = document.getElementById("confirm");

/** Ask in our own dialog; resolves to true or false. */
export function ask(text) {
  confirmation.querySelector("h2").textContent = text;
  confirmation.returnValue = "no";
  confirmation.showModal();
  return new Promise((resolve) => {
    confirmation.addEventListener("close", () => resolve(confirmation.returnValue === "yes"), { once: true });
  });
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog-open]");
  if (opener) document.getElementById(opener.dataset.dialogOpen)?.showModal();
  if (event.target.closest("[data-dialog-close]")) event.target.closest("dialog")?.close();
  // A click on the backdrop has the dialog itself as its target.
  if (event.target.matches?.("dialog[data-light]")) event.target.close();
});
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-confirm]");
  if (!button || button.dataset.confirmed) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (await ask(button.dataset.confirm)) {
    button.dataset.confirmed = "1";
    button.click();
    delete button.dataset.confirmed;
  }
}, true);
document.addEventListener("htmx:confirm", async (event) => {
  const { ctx, issueRequest, dropRequest } = event.detail;
  event.preventDefault();
  (await ask(ctx.confirm)) ? issueRequest() : dropRequest();
});

// A dangerous act's button wakes when the name is typed exactly; the server compares again.
document.addEventListener("input", (event) => {
  const field = event.target.closest?.("[data-typed]");
  if (!field) return;
  const button = field.form.querySelector("[data-typed-button]");
  button.disabled = field.value.trim() !== field.dataset.typed;
});

// A dialog that htmx filled opens itself; one that came with errors stays open.
document.addEventListener("htmx:after:swap", () => {
  for (const dialog of document.querySelectorAll("dialog[data-open-now]:not([open])")) dialog.showModal();
});
