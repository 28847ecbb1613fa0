// Buttons with data-copy put that text on the clipboard, and say so.
const status = document.querySelector("[data-copied]");

async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // over http from another machine browsers offer no clipboard, only the copying of what is selected
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error("not allowed");
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = button.dataset.copy;
  try {
    await copy(text);
    status.textContent = `Copied: ${text}`;
  } catch {
    status.textContent = `Your browser does not allow copying; here it is: ${text}`;
  }
  button.focus();
});
