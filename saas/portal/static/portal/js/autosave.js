// Drafts save themselves: <form data-autosave="URL" data-version="N">. The answer is JSON: 200 {version, at},
// 409 {version, theirs: {field: text}, by}. On 409 both texts are shown; nothing is overwritten unasked.
import { csrfToken } from "./requests.js";
import { word } from "./words.js";

const PAUSE = 1500;
const RETRY = 15000;

class Autosave {
  constructor(form) {
    this.form = form;
    this.note = form.querySelector("[data-saved]") ?? document.querySelector("[data-saved]");
    this.dialog = document.getElementById("autosave-conflict");
    this.dirty = false;
    this.held = false;
    form.addEventListener("input", () => this.later(PAUSE));
    form.addEventListener("change", () => this.later(PAUSE));
    form.addEventListener("submit", () => { this.dirty = false; clearTimeout(this.timer); });
    document.addEventListener("submit", (event) => this.first(event));
    addEventListener("beforeunload", (event) => { if (this.dirty) event.preventDefault(); });
    this.dialog?.addEventListener("close", () => this.decide(this.dialog.returnValue));
  }

  say(text, wrong = false) {
    if (!this.note) return;
    this.note.textContent = text;
    this.note.classList.toggle("wrong", wrong);
  }

  /** Another form of the page is sent: what was typed here is saved first, or the leaving is asked about. */
  async first(event) {
    if (event.target === this.form || !this.dirty || this.held || event.defaultPrevented) return;
    const { target, submitter } = event;
    event.preventDefault();
    clearTimeout(this.timer);
    await this.save();
    clearTimeout(this.timer);
    if (!this.dirty) target.requestSubmit(submitter);
  }

  later(milliseconds) {
    this.dirty = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), milliseconds);
  }

  get version() { return this.form.dataset.version; }
  set version(value) {
    this.form.dataset.version = value;
    const field = this.form.elements.namedItem("version");
    if (field) field.value = value;
  }

  async save() {
    if (this.held) return;
    if (this.saving) return this.later(PAUSE);
    this.saving = true;
    this.dirty = false;
    this.say(word("saving"));
    const body = new FormData(this.form);
    body.set("version", this.version);
    try {
      const answer = await fetch(this.form.dataset.autosave, {
        method: "POST", body, headers: { "X-CSRFToken": csrfToken(), Accept: "application/json" }, redirect: "manual",
      });
      if (answer.type === "opaqueredirect" || answer.status === 401) throw new Error(word("signedOut"));
      const said = await answer.json().catch(() => ({}));
      if (answer.status === 409) return this.conflict(said);
      if (!answer.ok) throw new Error(said.message || word("unsaved"));
      this.version = said.version;
      this.say(`${word("saved")} ${said.at ?? ""}`);
      this.form.dispatchEvent(new CustomEvent("autosaved", { bubbles: true, detail: said }));
    } catch (error) {
      this.dirty = true;
      this.say(error instanceof TypeError ? word("unsaved") : error.message, true);
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.save(), RETRY);
    } finally {
      this.saving = false;
    }
    return undefined;
  }

  conflict(said) {
    this.held = true;
    this.dirty = true;
    this.theirs = said;
    this.say(word("conflict"), true);
    const texts = (value) => (name) => this.dialog.querySelector(name).textContent = value;
    const changed = Object.keys(said.theirs ?? {}).filter((name) => said.theirs[name] !== this.form.elements.namedItem(name)?.value);
    texts(changed.map((name) => said.theirs[name]).join("\n\n"))("[data-theirs]");
    texts(changed.map((name) => this.form.elements.namedItem(name)?.value ?? "").join("\n\n"))("[data-mine]");
    texts(said.by ?? "")("[data-by]");
    this.dialog.returnValue = "";
    this.dialog.showModal();
  }

  decide(choice) {
    if (!this.theirs) return;
    const said = this.theirs;
    this.theirs = null;
    this.held = false;
    if (choice === "theirs") {
      for (const [name, text] of Object.entries(said.theirs)) {
        const field = this.form.elements.namedItem(name);
        if (field) field.value = text;
      }
      this.version = said.version;
      this.dirty = false;
      this.say("");
    } else if (choice === "mine") {
      this.version = said.version;
      this.save();
    } else {
      // Closed without deciding: what was typed stays on the page and unsaved, and says so.
      this.held = true;
      this.say(word("conflict"), true);
    }
  }
}

for (const form of document.querySelectorAll("form[data-autosave]")) new Autosave(form);
