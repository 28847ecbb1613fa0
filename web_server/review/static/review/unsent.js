// Votes that the review page was left with before the server had them: any page of the site sends them.

import { Outbox } from "./outbox.js";

const place = document.getElementById("unsent");
const { reviewer, start, session } = place.dataset;
const outbox = new Outbox({ start, session, reviewer, token: "", changed: show, saved: () => {} });

function show() {
  const entries = outbox.entries();
  const refused = entries.filter((one) => one.refused).length;
  place.hidden = !entries.length || !(outbox.trouble || refused);
  if (place.hidden) return;
  const n = entries.length;
  const words = `${n} ${n === 1 ? "vote is" : "votes are"} not saved yet, but kept in this browser. ${outbox.trouble} `;
  const link = document.createElement("a");
  link.href = `${start}?${entries[0].list}`;
  link.textContent = "Show them on the review page";
  place.replaceChildren(words, link);
}

if (outbox.entries().length) outbox.renew().then(() => outbox.flush());
window.addEventListener("online", () => outbox.now());
