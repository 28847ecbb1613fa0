// Full-size stamps in place, and the blinking of the grey panels.
const PERIOD = 600; // ms a panel is shown; slower than three changes a second

function zoom(link) {
  const dialog = document.createElement("dialog");
  dialog.className = "zoom";
  dialog.setAttribute("aria-label", link.dataset.zoom);
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn btn-primary button";
  close.textContent = "Close";
  close.autofocus = true;
  const image = document.createElement("img");
  image.src = link.href;
  image.alt = link.dataset.zoom;
  dialog.append(close, image);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target === close) dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    link.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-zoom]");
  // with a key held the link opens as usual
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  zoom(link);
});

function blinker(root) {
  const images = [...root.querySelectorAll(".blink-panels img")];
  const buttons = [...root.querySelectorAll("[data-show]")];
  const toggle = root.querySelector("[data-blink-toggle]");
  let shown = 0;
  let timer = null;

  function show(number) {
    shown = number;
    images.forEach((image, i) => (image.hidden = i !== number));
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === number)));
  }
  function blink(on) {
    clearInterval(timer);
    timer = on ? setInterval(() => show((shown + 1) % images.length), PERIOD) : null;
    toggle?.setAttribute("aria-pressed", String(on));
    if (toggle) toggle.textContent = on ? "Stop" : "Blink";
  }
  buttons.forEach((button, i) =>
    button.addEventListener("click", () => {
      blink(false);
      show(i);
    }),
  );
  toggle?.addEventListener("click", () => blink(timer === null));
  root.querySelector("[data-stretch]").addEventListener("change", (event) => {
    for (const image of images) {
      const address = new URL(image.src);
      address.searchParams.set("stretch", event.target.value);
      image.src = address.href;
    }
  });
}

document.querySelectorAll("[data-blink]").forEach(blinker);
