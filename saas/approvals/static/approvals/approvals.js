// The handling page: a refused act's dialog opens again, and an opinion already written becomes the reason.
for (const dialog of document.querySelectorAll("dialog[data-open-now]")) dialog.showModal();
if (!document.querySelector("dialog[open]")) document.getElementById("problem")?.focus();

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog-open]");
  const field = opener && document.getElementById(opener.dataset.dialogOpen)?.querySelector("[data-copy]");
  if (field && !field.value) field.value = document.getElementById(field.dataset.copy)?.value ?? "";
});

// Rows of a form's table: a new one is copied from the empty one, under a name of its own.
document.addEventListener("click", (event) => {
  const remover = event.target.closest("[data-row-remove]");
  if (remover) remover.closest("tr").remove();
  const adder = event.target.closest("[data-row-add]");
  if (!adder) return;
  const table = document.querySelector(`table[data-rows="${adder.dataset.rowAdd}"]`);
  const holder = document.createElement("tbody");
  const id = crypto.randomUUID().replaceAll("-", "").slice(0, 12);
  holder.innerHTML = table.querySelector("template").innerHTML.replaceAll("NEWROW", id);
  const row = holder.querySelector("tr");
  table.tBodies[0].append(row);
  row.querySelector("input:not([type=hidden]), select")?.focus();
});
