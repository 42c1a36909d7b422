// File drop: names and sizes as chosen; with data-upload-url each file is sent at once, with progress (XHR, because
// fetch reports none) and stays in the list as a hidden field named data-upload-field. With data-pieces-url a file goes
// in pieces and an upload that broke off goes on.
import { sendInPieces } from "./pieces.js";
import { csrfToken } from "./requests.js";
import { word } from "./words.js";

const size = (bytes) => (bytes < 1048576 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1048576).toFixed(1)} MB`);

function line(drop, file) {
  const item = document.createElement("li");
  const name = document.createElement("span");
  name.className = "name";
  name.textContent = file.name;
  const note = document.createElement("span");
  note.className = "mu";
  note.textContent = size(file.size);
  item.append(name, note);
  drop.parentElement.querySelector("[data-files]").append(item);
  return { item, note };
}

const sent = (drop) => Boolean(drop.dataset.uploadUrl || drop.dataset.piecesUrl);

function send(drop, file) {
  const { item, note } = line(drop, file);
  const limit = Number(drop.dataset.limit || 0);
  if (limit && file.size > limit) {
    note.className = "over";
    note.textContent = `${word("tooLarge")} ${size(limit)}`;
    return;
  }
  if (!sent(drop)) return;
  const bar = document.createElement("progress");
  bar.max = file.size;
  bar.setAttribute("aria-label", `${word("uploading")} ${file.name}`);
  item.append(bar);
  if (drop.dataset.piecesUrl) {
    sendInPieces(drop.dataset.piecesUrl, file, (bytes) => { bar.value = bytes; })
      .then((answer) => {
        note.textContent = `${size(file.size)} ✓`;
        drop.dispatchEvent(new CustomEvent("uploaded", { bubbles: true, detail: answer }));
      })
      .catch((error) => {
        note.className = "over";
        note.textContent = error.message && error.status ? error.message : word(error.status ? "server" : "network");
      })
      .finally(() => bar.remove());
    return;
  }
  const request = new XMLHttpRequest();
  request.open("POST", drop.dataset.uploadUrl);
  request.setRequestHeader("X-CSRFToken", csrfToken());
  request.setRequestHeader("Accept", "application/json");
  request.responseType = "json";
  request.upload.addEventListener("progress", (event) => { bar.value = event.loaded; });
  request.addEventListener("loadend", () => {
    bar.remove();
    if (request.status >= 200 && request.status < 300) {
      const field = document.createElement("input");
      field.type = "hidden";
      field.name = drop.dataset.uploadField || "files";
      field.value = request.response?.id ?? "";
      item.append(field);
      drop.dispatchEvent(new CustomEvent("uploaded", { bubbles: true, detail: request.response }));
    } else {
      note.className = "over";
      note.textContent = request.response?.message || word(request.status ? "server" : "network");
    }
  });
  const body = new FormData();
  body.append("file", file);
  request.send(body);
}

function show(drop, files) {
  if (!sent(drop)) drop.parentElement.querySelector("[data-files]").replaceChildren();
  for (const file of files) send(drop, file);
}

document.addEventListener("change", (event) => {
  const drop = event.target.closest("[data-drop]");
  if (!drop) return;
  show(drop, event.target.files);
  if (sent(drop)) event.target.value = "";
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const drop = event.target.closest?.("[data-drop]");
    if (!drop) return;
    event.preventDefault();
    drop.classList.toggle("over", kind === "dragover");
    if (kind !== "drop") return;
    const input = drop.querySelector("input[type=file]");
    const files = input.multiple ? [...event.dataTransfer.files] : [...event.dataTransfer.files].slice(0, 1);
    if (sent(drop)) show(drop, files);
    else {
      const kept = new DataTransfer();
      for (const file of files) kept.items.add(file);
      input.files = kept.files;
      show(drop, files);
    }
  });
}
