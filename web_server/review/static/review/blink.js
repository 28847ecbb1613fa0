// One panel of the postage stamp in place of the other, at the same spot: the whole picture is one file.

const NAMES = ["survey", "ASKAP", "ASKAP at full resolution"];

function panels(figure, picture) {
  const { panel, margin, gap } = Object.fromEntries(Object.entries(figure.dataset).map(([k, v]) => [k, Number(v)]));
  return Math.max(0, Math.floor((picture.naturalWidth - 2 * margin + gap) / (panel + gap)));
}

export function whole(part) {
  const figure = part.querySelector(".stamp");
  if (!figure) return "";
  figure.classList.remove("blinking");
  figure.querySelector(".blink").hidden = true;
  part.querySelector("[data-do=whole]").hidden = true;
  part.querySelector(".blink-words").textContent = "";
  delete figure.dataset.shown;
  return "Whole stamp.";
}

export function blink(part) {
  const figure = part.querySelector(".stamp");
  const picture = figure && figure.querySelector("img");
  if (!picture || !picture.naturalWidth) return "There is no stamp.";
  const shown = figure.dataset.shown === undefined ? 0 : (Number(figure.dataset.shown) + 1) % panels(figure, picture);
  const { panel, margin, gap, top } = figure.dataset;
  const canvas = figure.querySelector(".blink");
  const left = Number(margin) + shown * (Number(panel) + Number(gap));
  canvas.getContext("2d").drawImage(picture, left, top, panel, panel, 0, 0, panel, panel);
  canvas.setAttribute("aria-label", `Postage stamp, ${NAMES[shown]} alone`);
  canvas.hidden = false;
  figure.classList.add("blinking");
  figure.dataset.shown = shown;
  part.querySelector("[data-do=whole]").hidden = false;
  part.querySelector(".blink-words").textContent = NAMES[shown];
  return NAMES[shown];
}
