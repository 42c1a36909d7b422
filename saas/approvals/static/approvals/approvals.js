// The handling page: a refused act's dialog opens again, and an opinion already written becomes the reason.
for (const dialog of document.querySelectorAll("dialog[data-open-now]")) dialog.showModal();
if (!document.querySelector("dialog[open]")) document.getElementById("problem")?.focus();

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog-open]");
  const field = opener && document.getElementById(opener.dataset.dialogOpen)?.querySelector("[data-copy]");
  if (field && !field.value) field.value = document.getElementById(field.dataset.copy)?.value ?? "";
});
