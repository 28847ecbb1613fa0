// Aladin Lite with this site's cutouts and sources: no telemetry, no search, no survey unless the page names one.
const root = document.querySelector("[data-scene]");
const said = document.querySelector("[data-said]");
const scene = JSON.parse(root.dataset.scene);
const QUIET = {
  log: false,
  samp: false,
  survey: [],
  hipsList: [],
  cooFrame: "ICRS",
  showShareControl: false,
  showSimbadPointerControl: false,
  showContextMenu: false,
  showStatusBar: false,
  showProjectionControl: false,
  showSettingsControl: false,
};
const say = (words) => (said.textContent = words);
const whole = (address) => new URL(address, location.href).href;

function layer(A, panel, done) {
  if (panel.hips) {
    done();
    return A.HiPS(panel.hips, { name: panel.title });
  }
  return A.image(whole(panel.fits), {
    name: panel.title,
    imgFormat: "fits",
    colormap: "grayscale",
    stretch: "linear",
    reversed: true,
    minCut: scene.low,
    maxCut: scene.high,
    successCallback: () => done(),
    errorCallback: () => done(`The cutout of ${panel.title} cannot be read.`),
  });
}

function overlay(A, viewer) {
  for (const { name, colour, sources } of scene.catalogues) {
    const catalogue = A.catalog({ name, color: colour, shape: "circle", sourceSize: 12 });
    viewer.addCatalog(catalogue);
    catalogue.addSources(sources.map(([ra, dec, words]) => A.source(ra, dec, { words })));
  }
  const circles = A.graphicOverlay({ name: "this row", lineWidth: 2 });
  viewer.addOverlay(circles);
  for (const { ra, dec, radius, colour } of scene.circles) circles.add(A.circle(ra, dec, radius, { color: colour }));
  viewer.on("objectClicked", (object) => {
    if (object?.data?.words) say(object.data.words);
  });
}

// Each panel follows the one that the reader moves.
function together(viewers) {
  let leading = false;
  const follow = (from, act) => {
    if (leading) return;
    leading = true;
    for (const other of viewers) if (other !== from) act(other);
    leading = false;
  };
  for (const viewer of viewers) {
    viewer.on("positionChanged", () => {
      const [ra, dec] = viewer.getRaDec();
      follow(viewer, (other) => other.gotoRaDec(ra, dec));
    });
    viewer.on("zoomChanged", (field) => follow(viewer, (other) => other.setFoV(field)));
  }
}

async function show() {
  const { default: A } = await import(root.dataset.library);
  await A.init;
  const problems = [];
  let waiting = scene.panels.length;
  const viewers = scene.panels.map((panel, number) => {
    const figure = document.createElement("figure");
    const title = document.createElement("figcaption");
    title.textContent = panel.title;
    const place = document.createElement("div");
    place.id = `sky-${number}`;
    place.className = "sky-panel";
    figure.append(title, place);
    root.append(figure);
    const target = `${scene.ra} ${scene.dec}`;
    const viewer = A.aladin(`#${place.id}`, { ...QUIET, target, fov: scene.field });
    const done = (problem) => {
      if (problem) problems.push(problem);
      waiting -= 1;
      if (waiting === 0) {
        root.dataset.drawn = "yes";
        say(problems.join(" ") || "Click a source to see its name and flux density.");
      }
    };
    viewer.setBaseImageLayer(layer(A, panel, done));
    overlay(A, viewer);
    return viewer;
  });
  together(viewers);
}

if (scene.panels.length === 0) {
  say("This run made no FITS cutouts of the source; choose a survey from elsewhere to see the place.");
} else {
  show().catch((error) => say(`The sky viewer does not run in this browser: ${error.message ?? error}.`));
}
