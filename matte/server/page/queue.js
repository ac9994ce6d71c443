// The pictures of the page: each is sent, matted, and shown with its state.
import { api } from "/page/api.js";
import { texts } from "/page/texts.js";

const SENDING_AT_ONCE = 2;

export class Queue extends EventTarget {
  constructor(list, section) {
    super();
    Object.assign(this, { list, section, items: [], current: null, sending: 0 });
  }
  add(files) {
    const added = [...files].map((file) => ({ file, name: file.name || "picture.png", state: "waiting", strokes: [], undone: [],
      thumbnail: URL.createObjectURL(file), problem: "" }));
    this.items.push(...added);
    if (!this.current && added.length) this.choose(added[0]);
    this.work();
  }
  work() {
    this.draw();
    while (this.sending < SENDING_AT_ONCE) {
      const next = this.items.find((item) => item.state === "waiting");
      if (!next) break;
      this.send(next);
    }
  }
  async send(item) {
    this.sending += 1;
    try {
      item.state = "sending";
      this.draw();
      Object.assign(item, await api.send(item.file), { name: item.name });
      item.strokes = item.undone = [];
      item.state = "matting";
      this.draw();
      if (item === this.current) this.choose(item);
      const small = await api.picture(item.id, "cutout", { quick: 1, max_side: 320, format: "webp", ...this.query() });
      item.thumbnail = small.url;
      item.state = "done";
      item.noSubject = small.subject === "no";
    } catch (error) {
      item.state = error.status === 404 ? "gone" : "failed";
      item.problem = error.message;
      if (item === this.current) this.dispatchEvent(new CustomEvent("failed", { detail: item }));
    }
    this.sending -= 1;
    this.work();
  }
  query() { return {}; }
  gone(item) { item.state = "gone"; item.problem = texts.states.gone; delete item.id; this.draw(); }
  retry(item) { item.state = "waiting"; item.problem = ""; this.work(); if (item === this.current) this.choose(item); }
  remove(item) {
    if (item.id) api.remove(item.id).catch(() => {});
    const place = this.items.indexOf(item);
    this.items.splice(place, 1);
    if (item === this.current) { this.current = null; this.choose(this.items[Math.min(place, this.items.length - 1)] ?? null); }
    this.draw();
  }
  choose(item) {
    this.current = item;
    this.draw();
    this.dispatchEvent(new CustomEvent("chosen", { detail: item }));
  }
  draw() {
    this.section.hidden = !this.items.length;
    const focused = document.activeElement?.dataset?.key;
    this.list.replaceChildren(...this.items.map((item, number) => this.row(item, number)));
    if (focused) this.list.querySelector(`[data-key="${focused}"]`)?.focus();
  }
  row(item, number) {
    const row = document.createElement("li");
    if (item === this.current) row.setAttribute("aria-current", "true");
    const open = document.createElement("button");
    Object.assign(open, { type: "button", className: "open", onclick: () => this.choose(item) });
    open.dataset.key = `open-${number}`;
    const picture = Object.assign(document.createElement("img"), { src: item.thumbnail, alt: "" });
    const name = Object.assign(document.createElement("span"), { className: "name", textContent: item.name });
    open.append(picture, name);
    const state = Object.assign(document.createElement("p"), { className: "quiet", textContent: texts.states[item.state] });
    if (item.problem) state.textContent += `: ${item.problem}`;
    const tools = Object.assign(document.createElement("div"), { className: "tools" });
    for (const [word, can, act] of [["retry", item.state === "failed" || item.state === "gone", () => this.retry(item)], ["remove", true, () => this.remove(item)]]) {
      if (!can) continue;
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: texts[word], onclick: act });
      button.setAttribute("aria-label", `${texts[word]}: ${item.name}`);
      button.dataset.key = `${word}-${number}`;
      tools.append(button);
    }
    row.append(open, state, tools);
    return row;
  }
}
