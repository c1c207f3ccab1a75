// While the lines of a rule are being exchanged nothing in them can be changed, so that no change gets lost.

const ID = "rule-builder";

document.addEventListener("htmx:beforeSend", (event) => {
  if (event.detail.target?.id === ID) event.detail.target.inert = true;
});

document.addEventListener("htmx:afterRequest", () => {
  const builder = document.getElementById(ID);
  if (builder) builder.inert = false;
});
