// Puts comments, star and Slack into a page that does not wait for them; without script there is a link to them.
// A comment that was begun is kept in the tab until it is among those that the server has: a log-in may expire.

const bare = (text) => text.replace(/\s+/g, "");

function keepDraft(place) {
  const field = [...place.querySelectorAll("textarea")].find((one) => !one.closest("details"));
  if (!field) return;
  const key = `racs-draft/${place.dataset.user}${place.dataset.address}`;
  const kept = sessionStorage.getItem(key) || "";
  const said = [...place.querySelectorAll(".comment-text")].map((one) => bare(one.textContent));
  if (said.includes(bare(kept))) sessionStorage.removeItem(key);
  else field.value = kept;
  field.addEventListener("input", () => sessionStorage.setItem(key, field.value));
}

async function load(place) {
  const address = new URL(place.dataset.address, location.href);
  address.search = new URLSearchParams({ part: "1", next: location.pathname + location.search });
  const answer = await fetch(address, { credentials: "same-origin" });
  // after a log-out the answer is the log-in page
  if (!answer.ok || answer.redirected) return;
  const part = new DOMParser().parseFromString(await answer.text(), "text/html");
  place.replaceChildren(...part.body.childNodes);
  // the page was shown before the place that its address names was there
  if (location.hash.length > 1) place.querySelector(`#${CSS.escape(location.hash.slice(1))}`)?.scrollIntoView();
  keepDraft(place);
}

for (const place of document.querySelectorAll("[data-address].talk")) {
  load(place).catch(() => {}); // the link stays
}
