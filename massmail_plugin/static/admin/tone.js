// Runs first inside the page: says whether the host's theme is dark, so that colours fit it, and sets the language.
{
  const main = document.currentScript.parentElement;
  const [red, green, blue] = (getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g) || [255, 255, 255]).map(Number);
  if (0.299 * red + 0.587 * green + 0.114 * blue < 110) main.dataset.tone = "dark";
  if (!document.documentElement.lang) document.documentElement.lang = main.lang;
}
