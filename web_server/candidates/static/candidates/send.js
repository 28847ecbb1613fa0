// Buttons with data-samp send a message of that name through the SAMP hub of the reader's machine.
// The library is loaded with the first click; the registration is kept for the other pages of the tab.
const root = document.querySelector("[data-samp-messages]");
const status = root.querySelector("[role=status]");
const leave = root.querySelector("[data-samp-leave]");
const KEPT = "racs-transients-samp";
const METADATA = { "samp.name": "RACS transients", "samp.description.text": "Review site for radio transients" };
const NO_HUB =
  "No SAMP hub answers on this computer. Start TOPCAT or Aladin Desktop (their web profile is on by default) and try again.";

const say = (words) => (status.textContent = words);

function library() {
  if (window.samp) return Promise.resolve();
  // a classic script, whose last line is for Node.js
  window.module ??= {};
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = root.dataset.library;
    script.onload = done;
    script.onerror = () => failed(new Error("The SAMP library is not there: an administrator can run scripts/setup."));
    document.head.append(script);
  });
}

const ask = (connection, method, ...parameters) =>
  new Promise((done, failed) => connection[method](parameters, done, (fault) => failed(new Error(fault?.faultString ?? NO_HUB))));

async function kept() {
  const known = sessionStorage.getItem(KEPT);
  if (!known) return null;
  const connection = new window.samp.Connection(JSON.parse(known));
  try {
    await ask(connection, "getRegisteredClients");
    return connection;
  } catch {
    sessionStorage.removeItem(KEPT);
    return null;
  }
}

async function registered() {
  const before = await kept();
  if (before) return before;
  say("Waiting for the SAMP hub: it may ask you to allow “RACS transients”.");
  const connection = await new Promise((done, failed) =>
    window.samp.register(METADATA["samp.name"], done, (fault) =>
      failed(new Error(fault?.faultString ? `The SAMP hub refused: ${fault.faultString}` : NO_HUB)),
    ),
  );
  sessionStorage.setItem(KEPT, JSON.stringify(connection.regInfo));
  await ask(connection, "declareMetadata", METADATA);
  return connection;
}

async function send(name) {
  say("Looking for a SAMP hub …");
  await library();
  const connection = await registered();
  leave.hidden = false;
  const answer = await fetch(root.dataset.sampMessages, { credentials: "same-origin" });
  if (!answer.ok || answer.redirected) throw new Error("The site did not answer; reload the page and try again.");
  const { mtype, params } = (await answer.json())[name];
  const programs = Object.keys(await ask(connection, "getSubscribedClients", mtype));
  if (programs.length === 0) {
    say(`No program at the SAMP hub takes this (${mtype}).`);
    return;
  }
  await ask(connection, "notifyAll", new window.samp.Message(mtype, params));
  const known = await Promise.all(programs.map((id) => ask(connection, "getMetadata", id)));
  say(`Sent to ${known.map((about, i) => about["samp.name"] ?? programs[i]).join(", ")}.`);
}

root.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button === leave) {
    const connection = await kept();
    connection?.close();
    sessionStorage.removeItem(KEPT);
    leave.hidden = true;
    say("Disconnected from the SAMP hub.");
    return;
  }
  button.disabled = true;
  try {
    await send(button.dataset.samp);
  } catch (error) {
    say(error.message);
  } finally {
    button.disabled = false;
    button.focus();
  }
});
leave.hidden = !sessionStorage.getItem(KEPT);
