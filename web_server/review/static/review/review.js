// The review page: keys, votes that show at once, the next candidate ready before it is asked for.

import { blink, whole } from "./blink.js";
import { Outbox, newToken } from "./outbox.js";
import { Parts } from "./parts.js";

const root = document.getElementById("review");
const at = (id) => document.getElementById(id);
const { reviewer, start, session, list } = root.dataset;
const total = Number(root.dataset.total);
const UNDO = `racs-review-undo/${reviewer}`;

let part = root.querySelector(".candidate");
let left = Number(root.dataset.left);
let keysOn = root.dataset.keys === "1";
let since = performance.now();
let moving = 0; // what was asked for and is not there yet: a letter is not meant for what is still shown
let wanted = 0; // counts what was asked for, so that a late answer does not replace a newer one
const done = new Set(); // rows and subjects voted on since the page was loaded
const before = new Map(); // candidates as they were before their vote, for undo
const steps = storedSteps();
const parts = new Parts({ start, list });
const token = root.querySelector("input[name=csrfmiddlewaretoken]").value;
const outbox = new Outbox({ start, session, reviewer, token, changed: showUnsaved, saved: forget });

function storedSteps() {
  try {
    return JSON.parse(sessionStorage.getItem(UNDO)) || [];
  } catch {
    return [];
  }
}

function keepSteps() {
  try {
    sessionStorage.setItem(UNDO, JSON.stringify(steps.slice(-200)));
  } catch {
    // undo then reaches back to the last reload
  }
}

function say(words) {
  at("said").textContent = words;
  at("said-last").textContent = words;
}

function stuck(words) {
  at("stuck").textContent = words;
  at("stuck").hidden = !words;
}

// ---- what is shown

function showLeft(step) {
  left = Math.max(0, Math.min(total, left + step));
  at("left").textContent = left;
  at("progress").value = total - left;
}

// With a vote, or without one, the server shows something else.
function forget(row) {
  if (row !== part.dataset.row) parts.drop(row);
}

function choose(element, labels) {
  for (const button of element.querySelectorAll("button[name=label]")) {
    const chosen = labels.includes(button.value);
    button.setAttribute("aria-pressed", chosen);
    button.classList.toggle("btn-primary", chosen);
    button.classList.toggle("btn-outline-primary", !chosen);
  }
}

function place(element, row) {
  const held = root.contains(document.activeElement) && part.contains(document.activeElement);
  whole(element);
  at("candidate").replaceChildren(element);
  part = element;
  since = performance.now();
  const waiting = outbox.waiting(row);
  if (waiting && waiting.kind === "vote") choose(part, [waiting.label]);
  prepare();
  if (held) part.focus({ preventScroll: true });
  document.title = document.title.replace(/^[^·]*/, `${part.dataset.name} `);
  const hidden = at("keys-form").querySelector("[name=row]");
  if (hidden) hidden.value = row;
}

async function show(row, { record = true } = {}) {
  wanted += 1;
  const mine = wanted;
  stuck("");
  let element;
  moving += 1;
  try {
    element = await parts.get(row);
  } catch (error) {
    if (error.gone) done.add(row);
    if (mine === wanted) {
      const words = error.name === "TypeError" || error.name === "TimeoutError" ? "The server does not answer." : error.message;
      const then = error.gone ? "“First one left” goes on with what there is now." : "Press → or reload to try again.";
      stuck(`${words} The next candidate is not shown; your votes are kept. ${then}`);
    }
    return false;
  } finally {
    moving -= 1;
  }
  if (mine !== wanted) return false;
  if (record && row !== part.dataset.row) history.pushState({ row }, "", `${start}${row}/?${list}`);
  place(element, row);
  ahead();
  return true;
}

// What only makes sense with this script.
function prepare() {
  for (const button of part.querySelectorAll("[data-do=blink]")) button.hidden = false;
}

function ahead() {
  const { ahead: next, next: right, previous } = part.dataset;
  for (const row of [...next.split(" "), right, previous]) {
    if (row) parts.get(row).catch(() => {});
  }
}

async function following() {
  const rows = part.dataset.ahead.split(" ").filter(Boolean);
  for (const row of rows) {
    if (done.has(row)) continue;
    if (!parts.kept.has(row)) return row;
    const known = await parts.get(row).catch(() => null);
    if (!known || !done.has(known.dataset.subject)) return row;
  }
  return "";
}

// ---- votes

async function vote(button) {
  if (moving) {
    say("The candidate is still on its way; nothing was recorded for it.");
    return;
  }
  const { row, name, subject, reviewed } = part.dataset;
  const note = part.querySelector("[name=note]");
  const counted = !reviewed && !done.has(subject);
  const step = { token: newToken(), row, list, name, subject, counted };
  const seconds = Math.min(86400, (performance.now() - since) / 1000).toFixed(2);
  before.set(step.token, { element: part, chosen: [...part.querySelectorAll("[aria-pressed=true]")].map((b) => b.value) });
  if (before.size > 20) before.delete(before.keys().next().value);
  steps.push(step);
  keepSteps();
  done.add(subject).add(row);
  parts.drop(row);
  choose(part, [button.value]);
  if (counted) showLeft(-1);
  outbox.add({ ...step, kind: "vote", label: button.value, words: button.dataset.words, note: note.value.trim(), seconds });
  moving += 1;
  try {
    await advance(button.dataset.words, name);
  } finally {
    moving -= 1;
  }
}

async function advance(words, name) {
  const next = await following();
  if (!next) await finish(words);
  else if (await show(next)) say(`${words}: ${name}. Now ${part.dataset.name}, ${left} left.`);
  // a later run of the image took the place of the one that is shown
  else if (done.has(next)) await advance(words, name);
  else say(`${words}: ${name}.`);
}

// Nothing that is known here is left: the server knows what is, once it has all votes.
async function finish(words) {
  stuck("");
  say(`${words}. That was the last one that was loaded.`);
  await outbox.flush();
  while (outbox.busy) await new Promise((resolve) => setTimeout(resolve, 50));
  if (outbox.entries().some((one) => !one.refused)) {
    stuck("Some votes are not saved yet; what is left of the list can be shown once they are.");
  } else {
    location.assign(`${start}?${list}`);
  }
}

async function undo() {
  const step = steps.at(-1);
  if (!step) {
    say("There is nothing to undo.");
    return;
  }
  if (step.list !== list) {
    say(`The vote on ${step.name} belongs to another list; open it there to take it back.`);
    return;
  }
  moving += 1;
  try {
    await takeBack(step);
  } finally {
    moving -= 1;
  }
}

async function takeBack(step) {
  steps.pop();
  keepSteps();
  outbox.undo(step);
  done.delete(step.subject);
  done.delete(step.row);
  if (step.counted) showLeft(1);
  const kept = before.get(step.token);
  before.delete(step.token);
  if (kept) {
    parts.put(step.row, kept.element);
    choose(kept.element, kept.chosen);
  } else {
    parts.drop(step.row);
    wanted += 1;
    const mine = wanted;
    while (outbox.busy) await new Promise((resolve) => setTimeout(resolve, 50));
    // a second undo shows what it took back, whichever has waited longer
    if (mine !== wanted) return;
  }
  if (await show(step.row)) say(`Undone: ${step.name} is as it was before. ${left} left.`);
}

async function walk(row, words) {
  if (!row) say(`This is the ${words} of the list.`);
  else if (await show(row)) say(`${part.dataset.name}, ${left} left.`);
}

function showUnsaved() {
  const entries = outbox.entries();
  const refused = entries.filter((one) => one.refused);
  const waits = Boolean(outbox.trouble) && entries.length > refused.length;
  at("trouble").hidden = !(waits || refused.length);
  at("log-in").hidden = !outbox.loggedOut;
  if (at("trouble").hidden) return;
  const n = entries.length;
  const kept = outbox.memory.size ? "as long as this page is open" : "in this browser, also over a reload";
  const pause = waits ? ` ${outbox.trouble} Tried again every few seconds.` : "";
  const words = `${n} ${n === 1 ? "vote is" : "votes are"} not saved yet.${pause} They are kept ${kept}.`;
  if (at("trouble-words").textContent !== words) at("trouble-words").textContent = words;
  at("unsaved").replaceChildren(...entries.map(unsavedLine));
}

function unsavedLine(entry) {
  const line = document.createElement("li");
  const what = entry.kind === "vote" ? entry.words : "taken back";
  line.textContent = `${entry.name}: ${what}${entry.refused ? `. ${entry.refused} ` : ""}`;
  if (entry.refused) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm btn-outline-danger";
    button.textContent = "Discard";
    button.addEventListener("click", () => outbox.discard(entry));
    line.append(button);
  }
  return line;
}

// What was done in another window of the same person is not asked for again in this one.
function elsewhere(event) {
  if (!event.key || !event.key.startsWith(outbox.prefix)) return;
  const [old, now] = [event.oldValue, event.newValue].map((text) => JSON.parse(text));
  const given = now && !old && now.kind === "vote";
  const taken = old ? !now && old.kind === "vote" && (!old.tried || old.refused) : now.kind === "undo";
  if (!given && !taken) return;
  const { row, subject, counted, label, list: other } = now || old;
  for (const one of [row, subject]) given ? done.add(one) : done.delete(one);
  if (counted && other === list) showLeft(given ? -1 : 1);
  if (row !== part.dataset.row) parts.drop(row);
  else choose(part, given ? [label] : []);
}

// ---- keys and clicks

function help() {
  at("help-dialog").showModal();
}

function goTo() {
  at("number").focus();
  at("number").select();
}

const COMMANDS = {
  ArrowRight: () => walk(part.dataset.next, "end"),
  ArrowLeft: () => walk(part.dataset.previous, "start"),
  Escape: () => whole(part),
  u: undo,
  z: () => say(blink(part)),
  g: goTo,
  "?": help,
};

function inField(target) {
  return target.isContentEditable || Boolean(target.closest("input, select, textarea, [contenteditable]:not([contenteditable=false])"));
}

function onKey(event) {
  if (!keysOn || event.defaultPrevented || event.repeat || event.isComposing) return;
  if (event.ctrlKey || event.altKey || event.metaKey || event.getModifierState("AltGraph")) return;
  if (document.querySelector("dialog[open]")) return;
  if (inField(event.target)) {
    if (event.key === "Escape") part.focus({ preventScroll: true });
    return;
  }
  // with caps lock a letter is still that letter; with shift it is another one
  const key = event.key.length === 1 && !event.shiftKey ? event.key.toLowerCase() : event.key;
  const command = Object.hasOwn(COMMANDS, key) ? COMMANDS[key] : null;
  const button = [...part.querySelectorAll("button[name=label]")].find((one) => one.dataset.key === key);
  if (!command && !button) return;
  event.preventDefault();
  if (command) command();
  else vote(button);
}

async function switchKeys() {
  keysOn = !keysOn;
  at("keys").setAttribute("aria-checked", keysOn);
  at("keys-state").textContent = keysOn ? "on" : "off";
  say(keysOn ? "Keys are on." : "Keys are off.");
  const body = new URLSearchParams({ on: keysOn ? "1" : "0" });
  const response = await outbox.ask(at("keys-form").action, { method: "POST", body }).catch(() => null);
  if (!response || !response.ok) say(`Keys are ${keysOn ? "on" : "off"} on this page; the choice could not be saved.`);
}

function onSubmit(event) {
  const form = event.target;
  if (form.matches("[data-vote]") && event.submitter) {
    event.preventDefault();
    vote(event.submitter);
  } else if (form === at("keys-form")) {
    event.preventDefault();
    switchKeys();
  }
}

function onClick(event) {
  if (event.detail > 1 && event.target.closest("button[name=label]")) {
    // it would vote on the candidate that the first click has brought
    event.preventDefault();
    say("The second click of a double one was not taken as a vote.");
    return;
  }
  const button = event.target.closest("[data-do], [data-go]");
  if (!button || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  if (button.dataset.do === "blink") say(blink(part));
  else if (button.dataset.do === "whole") whole(part);
  else walk(button.dataset.go, "end");
}

document.addEventListener("keydown", onKey);
root.addEventListener("submit", onSubmit);
root.addEventListener("click", onClick);
at("undo").addEventListener("click", undo);
at("help").addEventListener("click", help);
at("retry").addEventListener("click", () => outbox.now());
window.addEventListener("popstate", (event) => event.state && show(event.state.row, { record: false }));
window.addEventListener("focus", () => outbox.loggedOut && outbox.now());
window.addEventListener("storage", elsewhere);
window.addEventListener("online", () => outbox.now());
// what no storage keeps goes with the page
window.addEventListener("beforeunload", (event) => outbox.memory.size && event.preventDefault());
at("undo").hidden = false;
at("help").hidden = false;
history.replaceState({ row: part.dataset.row }, "");
for (const entry of outbox.entries().filter((one) => one.kind === "vote" && one.list === list)) {
  // given before the page was loaded, and not saved yet
  done.add(entry.subject).add(entry.row);
  if (entry.counted) showLeft(-1);
  if (entry.row === part.dataset.row) choose(part, [entry.label]);
}
parts.put(part.dataset.row, part);
prepare();
ahead();
outbox.flush();
root.dataset.ready = "1";
