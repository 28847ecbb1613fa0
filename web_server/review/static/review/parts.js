// The candidates of the list, fetched before they are needed: their HTML, and their pictures decoded.

const MOST = 30;

export class Parts {
  constructor({ start, list }) {
    Object.assign(this, { start, list });
    this.kept = new Map();
  }

  put(row, element) {
    this.kept.delete(row);
    this.kept.set(row, Promise.resolve(element));
    this.trim();
  }

  drop(row) {
    this.kept.delete(row);
  }

  get(row) {
    if (!this.kept.has(row)) {
      const promise = this.fetch(row);
      this.kept.set(row, promise);
      // one that failed is asked for again
      promise.catch(() => this.kept.get(row) === promise && this.kept.delete(row));
      this.trim();
    }
    return this.kept.get(row);
  }

  trim() {
    for (const row of this.kept.keys()) {
      if (this.kept.size <= MOST) break;
      this.kept.delete(row);
    }
  }

  async fetch(row) {
    const response = await fetch(`${this.start}${Number(row)}/part/?${this.list}`, {
      credentials: "same-origin",
      redirect: "manual",
      signal: AbortSignal.timeout(20000),
    });
    if (response.type === "opaqueredirect") throw new Error("Your login has expired.");
    if (!response.ok) {
      const error = new Error(`The candidate could not be loaded (${response.status}).`);
      error.gone = response.status === 404;
      throw error;
    }
    const template = document.createElement("template");
    template.innerHTML = await response.text();
    const element = document.importNode(template.content.firstElementChild, true);
    await Promise.all([...element.querySelectorAll("img")].map((picture) => picture.decode().catch(() => {})));
    return element;
  }
}
