// 主送机关: ticking a bureau writes its name, unticking takes it out; what the drafter wrote or shortened stays theirs.
const form = document.getElementById("draft-form");
const field = form?.elements.namedItem("recipients");
const BETWEEN = /[，、；,;]/;

const means = (written, name) => written === name || (written.length > 3 && name.endsWith(written));

form?.addEventListener("change", (event) => {
  const box = event.target.closest('input[name="recipient_codes"]');
  if (!box || !field) return;
  const name = box.closest("label").textContent.trim();
  const parts = field.value.split(BETWEEN).map((part) => part.trim()).filter(Boolean);
  const at = parts.findIndex((part) => means(part, name));
  if (box.checked === at >= 0) return;
  const mark = field.value.match(BETWEEN)?.[0] ?? "，";
  if (box.checked) field.value = [...parts, name].join(mark);
  else {
    // Marks between the others stay as they are written.
    const marks = field.value.match(new RegExp(BETWEEN, "g")) ?? [];
    marks.splice(Math.max(at - 1, 0), 1);
    field.value = parts.filter((_, place) => place !== at).reduce((text, part, place) => text + (place ? marks[place - 1] : "") + part, "");
  }
}, true);
