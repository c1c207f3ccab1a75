// The forms of a mailing: times in the reader's own zone, Ctrl+S, and a warning before unsaved changes are left.

const zone = document.getElementById("zone");
const moment_ = document.getElementById("mm-moment");
const day = document.getElementById("day");
const at = document.getElementById("at");

const two = (number) => String(number).padStart(2, "0");

function useOwnZone() {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!own || own === "UTC") return;
  if (![...zone.options].some((option) => option.value === own)) zone.add(new Option(`${own} (yours)`, own));
  if (!moment_.hasAttribute("data-mm-utc")) return;
  if (day.value && at.value) {
    const saved = new Date(`${day.value}T${at.value}Z`);
    if (Number.isNaN(saved.getTime())) return;
    day.value = `${saved.getFullYear()}-${two(saved.getMonth() + 1)}-${two(saved.getDate())}`;
    at.value = `${two(saved.getHours())}:${two(saved.getMinutes())}`;
  }
  zone.value = own;
}

function showMoment() {
  const chosen = document.querySelector('input[name="start"]:checked');
  moment_.hidden = chosen?.value !== "at";
}

if (zone && moment_) {
  useOwnZone();
  showMoment();
  for (const radio of document.querySelectorAll('input[name="start"]')) radio.addEventListener("change", showMoment);
}

const form = document.querySelector("form[data-mm-leave]");
if (form) {
  let changed = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[data-mm-save]"));
    }
  });
}
