// Light, dark or automatic. A plain script in the head, so that the first paint has the right colours.
(() => {
  const modes = { auto: "◐ Automatic", light: "☀ Light", dark: "☾ Dark" };
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  let mode = "auto";
  try {
    mode = localStorage.getItem("theme");
  } catch {
    // storage is forbidden: the choice lasts for this page
  }
  if (!(mode in modes)) mode = "auto";

  const apply = () => {
    const dark = mode === "dark" || (mode === "auto" && system.matches);
    document.documentElement.dataset.bsTheme = dark ? "dark" : "light";
  };
  apply();
  system.addEventListener("change", apply);

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const show = () => {
      button.textContent = modes[mode];
      button.setAttribute("aria-label", `Colours: ${modes[mode].slice(2)}. Change`);
    };
    button.addEventListener("click", () => {
      const names = Object.keys(modes);
      mode = names[(names.indexOf(mode) + 1) % names.length];
      try {
        localStorage.setItem("theme", mode);
      } catch {
        // as above
      }
      apply();
      show();
    });
    show();
    button.hidden = false;

    // an open menu closes where something else is clicked, and with Escape
    const menus = [...document.querySelectorAll("details.menu")];
    document.addEventListener("click", (event) => {
      for (const menu of menus) if (!menu.contains(event.target)) menu.open = false;
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      for (const menu of menus.filter((one) => one.open)) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    });
  });
})();
