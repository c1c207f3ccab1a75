// The template editor: a field is picked from a list and put at the cursor; unsaved words are not lost by accident.

const form = document.querySelector("[data-mm-editor]");
const dialog = document.getElementById("mm-fields");
const find = document.getElementById("mm-fields-find");
const fallback = document.getElementById("mm-fields-default");
const none = document.getElementById("mm-fields-none");
const options = [...dialog.querySelectorAll("[role=option]")];
let target = null;
let active = null;

function shown() {
  return options.filter((option) => !option.hidden);
}

function activate(option) {
  active?.setAttribute("aria-selected", "false");
  active = option ?? null;
  active?.setAttribute("aria-selected", "true");
  active?.scrollIntoView({ block: "nearest" });
  find.setAttribute("aria-activedescendant", active?.id ?? "");
}

function narrow() {
  const wanted = find.value.trim().toLowerCase();
  for (const option of options) option.hidden = !option.textContent.toLowerCase().includes(wanted);
  for (const group of dialog.querySelectorAll("[role=group]")) {
    group.hidden = ![...group.querySelectorAll("[role=option]")].some((option) => !option.hidden);
  }
  none.hidden = shown().length > 0;
  activate(shown()[0]);
}

function insert() {
  if (!active || !target) return;
  const words = fallback.value.trim().replaceAll('"', "'");
  const plain = active.dataset.insert === `{{ ${active.dataset.path} }}`;
  const text = words && plain ? `{{ ${active.dataset.path} | default: "${words}" }}` : active.dataset.insert;
  dialog.close();
  target.focus();
  target.setRangeText(text, target.selectionStart, target.selectionEnd, "end");
  target.dispatchEvent(new Event("input", { bubbles: true }));
}

for (const button of document.querySelectorAll("[data-mm-pick]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    target = document.getElementById(button.dataset.mmPick);
    find.value = "";
    fallback.value = "";
    narrow();
    dialog.showModal();
    find.focus();
  });
}

find.addEventListener("input", narrow);
find.addEventListener("keydown", (event) => {
  const list = shown();
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps && list.length) {
    event.preventDefault();
    activate(list[(list.indexOf(active) + steps[event.key] + list.length) % list.length]);
  }
});
dialog.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("input")) {
    event.preventDefault();
    insert();
  }
});
for (const option of options) {
  option.addEventListener("click", () => activate(option));
  option.addEventListener("dblclick", insert);
}
dialog.querySelector("[data-mm-insert]").addEventListener("click", insert);

let changed = false;
form.addEventListener("input", () => (changed = true));
form.addEventListener("submit", () => (changed = false));
addEventListener("beforeunload", (event) => {
  if (changed) event.preventDefault();
});
addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "s") {
    event.preventDefault();
    form.requestSubmit();
  }
});
