// What every screen does with a script: questions in a dialog, local times, spoken progress, one submit at a time.

const dialog = document.getElementById("mm-dialog");

async function ask(link) {
  try {
    const answer = await fetch(link.href, { headers: { "X-Massmail-Dialog": "1" }, redirect: "error" });
    if (!answer.ok) throw new Error(answer.statusText);
    dialog.innerHTML = await answer.text();
    dialog.showModal();
  } catch {
    location.assign(link.href);
  }
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("a[data-mm-ask], [data-mm-close]");
  if (!target || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (target.hasAttribute("data-mm-close")) {
    const open = target.closest("dialog");
    if (!open) return;
    event.preventDefault();
    open.close();
  } else if (dialog) {
    event.preventDefault();
    ask(target);
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.mmSent) {
    event.preventDefault();
    return;
  }
  form.dataset.mmSent = "1";
  setTimeout(() => delete form.dataset.mmSent, 5000);
});

const local = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
});

function tellLocalTimes(root) {
  for (const element of root.querySelectorAll("time[data-mm-time]")) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    element.title = element.textContent;
    element.textContent = local.format(moment);
    element.removeAttribute("data-mm-time");
  }
}

function announce() {
  const words = document.querySelector("[data-mm-announce]")?.dataset.mmAnnounce ?? "";
  const region = document.getElementById("mm-announce");
  if (region && words && region.dataset.said !== words) {
    if (region.dataset.said !== undefined) region.textContent = words;
    region.dataset.said = words;
  }
}

document.addEventListener("htmx:afterSettle", () => {
  tellLocalTimes(document);
  announce();
});

tellLocalTimes(document);
announce();
document.querySelector("[data-mm-focus]")?.focus();
for (const element of document.querySelectorAll("[data-mm-scripted]")) element.hidden = false;
for (const element of document.querySelectorAll("[data-mm-plain]")) element.hidden = true;
