// Votes on their way to the server. Each is written into the browser's storage before it is sent and
// removed when the server has said that it is saved, so that neither a reload nor a lost answer loses one;
// its token makes sure that one that is sent again is not a second one.

const PAUSES = [2, 5, 10, 30, 60];

export function newToken() {
  // crypto.randomUUID is absent where the site is not served over https
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

export class Outbox {
  // start: address of the review page; reviewer: whose votes these are; changed: called after every change;
  // saved: called with the row of each vote that the server has
  constructor({ start, session, reviewer, token, changed, saved }) {
    Object.assign(this, { start, session, reviewer, token, changed, saved });
    this.prefix = `racs-review/${reviewer}/`;
    this.memory = new Map(); // where the browser has no storage to give
    this.failures = 0;
    this.trouble = "";
    this.loggedOut = false;
    this.busy = false;
    this.timer = 0;
  }

  entries() {
    const found = [...this.memory.values()];
    try {
      for (let i = 0; i < localStorage.length; i += 1) {
        const key = localStorage.key(i);
        if (key.startsWith(this.prefix)) found.push(JSON.parse(localStorage.getItem(key)));
      }
    } catch {
      // no storage: what is in memory is all
    }
    return found.sort((a, b) => a.at - b.at || a.serial - b.serial);
  }

  keep(entry) {
    const key = `${this.prefix}${entry.kind}/${entry.token}`;
    try {
      localStorage.setItem(key, JSON.stringify(entry));
    } catch {
      this.memory.set(key, entry);
    }
  }

  remove(entry) {
    const key = `${this.prefix}${entry.kind}/${entry.token}`;
    this.memory.delete(key);
    try {
      localStorage.removeItem(key);
    } catch {
      // it was in memory
    }
  }

  add(entry) {
    this.serial = (this.serial || 0) + 1;
    this.keep({ ...entry, at: Date.now(), serial: this.serial });
    this.flush();
  }

  // Take back a vote: one that was never sent just goes.
  undo(entry) {
    const waiting = this.entries().find((one) => one.kind === "vote" && one.token === entry.token);
    if (waiting && (!waiting.tried || waiting.refused)) {
      this.remove(waiting);
      this.changed();
    } else {
      this.add({ ...entry, kind: "undo" });
    }
  }

  // The vote on a row that is not saved yet.
  waiting(row) {
    return this.entries().filter((one) => one.row === row && !one.refused).at(-1);
  }

  discard(entry) {
    this.remove(entry);
    this.changed();
  }

  now() {
    for (const entry of this.entries().filter((one) => one.refused)) this.keep({ ...entry, refused: "" });
    clearTimeout(this.timer);
    this.failures = 0;
    return this.flush();
  }

  // Send everything in the order in which it was given, one at a time.
  async flush() {
    if (this.busy) return;
    this.busy = true;
    clearTimeout(this.timer);
    this.changed();
    try {
      for (;;) {
        const entry = this.entries().find((one) => !one.refused);
        if (!entry) break;
        this.keep({ ...entry, tried: true });
        const answer = await this.send(entry);
        if (answer.saved) {
          this.remove(entry);
          this.saved(entry.row);
          this.failures = 0;
          this.trouble = "";
          this.loggedOut = false;
        } else if (answer.refused) {
          this.keep({ ...entry, tried: true, refused: answer.refused });
        } else {
          this.trouble = answer.trouble;
          this.loggedOut = Boolean(answer.loggedOut);
          this.again();
          break;
        }
        this.changed();
      }
    } finally {
      this.busy = false;
      this.changed();
    }
  }

  again() {
    this.pause = PAUSES[Math.min(this.failures, PAUSES.length - 1)];
    this.failures += 1;
    this.timer = setTimeout(() => this.flush(), this.pause * 1000);
  }

  async send(entry, mayRenew = true) {
    const { token, subject, name } = entry;
    const body = new URLSearchParams({ reviewer: this.reviewer, token, subject, name });
    if (entry.kind === "vote") {
      body.set("label", entry.label);
      body.set("note", entry.note);
      if (entry.seconds !== undefined) body.set("seconds", entry.seconds);
    }
    const address = `${this.start}${Number(entry.row)}/${entry.kind === "vote" ? "vote" : "undo"}/?${entry.list}`;
    let response;
    try {
      response = await this.ask(address, { method: "POST", body });
    } catch {
      return { trouble: "The server does not answer." };
    }
    if (response.ok) {
      // a network that wants a log-in of its own answers too
      const told = await response.json().catch(() => ({}));
      return told.saved ? { saved: true } : { trouble: "The answer is not the server's; does the network want a log-in?" };
    }
    if (response.type === "opaqueredirect") return { trouble: "Your login has expired.", loggedOut: true };
    if (response.status === 403 && mayRenew) {
      const trouble = await this.renew();
      return trouble || this.send(entry, false);
    }
    const words = await this.words(response);
    const final = response.status === 400 || response.status === 404;
    return final ? { refused: words } : { trouble: words };
  }

  // A new login has a new token; whose login it is is asked too.
  async renew() {
    try {
      const response = await this.ask(this.session, {});
      if (response.type === "opaqueredirect") return { trouble: "Your login has expired.", loggedOut: true };
      if (!response.ok) return { trouble: await this.words(response) };
      const found = await response.json();
      if (String(found.reviewer) !== String(this.reviewer)) {
        return { trouble: "Somebody else is logged in in this browser.", loggedOut: true };
      }
      this.token = found.token;
      return null;
    } catch {
      return { trouble: "The server does not answer." };
    }
  }

  ask(address, options) {
    return fetch(address, {
      ...options,
      headers: { "X-CSRFToken": this.token, Accept: "application/json" },
      credentials: "same-origin",
      redirect: "manual",
      signal: AbortSignal.timeout(20000),
    });
  }

  async words(response) {
    try {
      if ((response.headers.get("Content-Type") || "").startsWith("application/json")) {
        return (await response.json()).error;
      }
    } catch {
      // the status says enough
    }
    const known = { 403: "You may not vote (403).", 404: "The candidate is no longer there (404)." };
    return known[response.status] || `The server could not save it (${response.status}).`;
  }
}
