// The translated texts the templates carry for the scripts.
const holder = document.getElementById("words");

/** The text named `name` in parts/words.html. */
export const word = (name) => holder?.dataset[name] ?? "";
