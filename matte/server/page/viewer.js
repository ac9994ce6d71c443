// <matte-viewer>: a picture before and after, zoomed and moved, with the trimap over it and a brush.
import { texts } from "/page/texts.js";

const MAX_SCALE = 8;
const COLOURS = { 0: [0, 90, 200, 150], 128: [255, 176, 0, 200], 255: [0, 0, 0, 0] };
const VALUES = { background: 0, unknown: 128, subject: 255 };
const make = (name, className) => Object.assign(document.createElement(name), { className });

class MatteViewer extends HTMLElement {
  connectedCallback() {
    if (this.stage) return;
    this.tabIndex = 0;
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", texts.viewer);
    this.stage = make("div", "stage");
    this.before = make("img", "layer");
    this.before.alt = "";
    this.after = make("div", "after");
    this.ground = make("div", "layer ground");
    this.result = make("img", "layer");
    this.result.alt = "";
    this.tile = make("img", "tile");
    this.tile.alt = "";
    this.tile.hidden = true;
    this.overlay = make("canvas", "overlay");
    this.overlay.hidden = true;
    this.after.append(this.ground, this.result, this.tile);
    this.stage.append(this.before, this.after, this.overlay);
    this.divider = make("div", "divider");
    for (const [name, value] of Object.entries({ role: "slider", tabindex: 0, "aria-label": texts.divider,
      "aria-valuemin": 0, "aria-valuemax": 100, "aria-orientation": "horizontal" })) this.divider.setAttribute(name, value);
    this.cursor = make("div", "cursor");
    this.cursor.hidden = true;
    this.append(this.stage, this.divider, this.cursor);
    Object.assign(this, { size: [1, 1], scale: 1, x: 0, y: 0, share: 0.5, tool: "", radius: 24, pointers: new Map() });
    this.listen();
    new ResizeObserver(() => this.fitted ? this.fit() : this.draw()).observe(this);
  }
  show(width, height, photo) {
    this.size = [width, height];
    this.before.src = photo;
    this.result.removeAttribute("src");
    this.tile.hidden = true;
    this.stage.style.width = `${width}px`;
    this.stage.style.height = `${height}px`;
    this.fit();
  }
  setResult(url) { this.result.src = url; this.tile.hidden = true; }
  setTile(url, [x, y, width, height]) {
    this.tile.src = url;
    Object.assign(this.tile.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
    this.tile.hidden = false;
  }
  async setTrimap(url) {
    const picture = new Image();
    picture.src = url;
    await picture.decode();
    const { naturalWidth: w, naturalHeight: h } = picture;
    Object.assign(this.overlay, { width: w, height: h });
    const context = this.overlay.getContext("2d", { willReadFrequently: true });
    context.drawImage(picture, 0, 0);
    const data = context.getImageData(0, 0, w, h);
    for (let i = 0; i < data.data.length; i += 4) {
      const level = data.data[i];
      data.data.set(COLOURS[level < 85 ? 0 : level < 170 ? 128 : 255], i);
    }
    context.putImageData(data, 0, 0);
  }
  showTrimap(on) { this.overlay.hidden = !on; }
  setTool(tool) { this.tool = tool; this.classList.toggle("painting", !!tool); this.place ??= [this.size[0] / 2, this.size[1] / 2]; this.draw(); }
  setPlacing(on) { this.placing = on; this.classList.toggle("placing", on); }
  setRadius(radius) { this.radius = radius; this.draw(); }
  fit() {
    const [w, h] = this.size, box = this.getBoundingClientRect();
    this.fitted = true;
    this.scale = Math.min(box.width / w, box.height / h, MAX_SCALE) || 1;
    this.x = (box.width - w * this.scale) / 2;
    this.y = (box.height - h * this.scale) / 2;
    this.draw();
  }
  zoom(factor, cx, cy) {
    const box = this.getBoundingClientRect();
    cx ??= box.width / 2; cy ??= box.height / 2;
    const scale = Math.min(MAX_SCALE, Math.max(0.02, this.scale * factor));
    this.x = cx - (cx - this.x) * scale / this.scale;
    this.y = cy - (cy - this.y) * scale / this.scale;
    this.scale = scale;
    this.fitted = false;
    this.draw();
  }
  hundred() { this.zoom(1 / devicePixelRatio / this.scale); }
  visible() {
    const box = this.getBoundingClientRect(), [w, h] = this.size;
    const left = Math.max(0, Math.floor(-this.x / this.scale)), top = Math.max(0, Math.floor(-this.y / this.scale));
    const right = Math.min(w, Math.ceil((box.width - this.x) / this.scale)), bottom = Math.min(h, Math.ceil((box.height - this.y) / this.scale));
    return right > left && bottom > top ? [left, top, right - left, bottom - top] : null;
  }
  draw() {
    const box = this.getBoundingClientRect();
    this.stage.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    const at = this.share * box.width;
    this.divider.style.left = `${at}px`;
    this.divider.setAttribute("aria-valuenow", Math.round(100 * this.share));
    const cut = (at - this.x) / (this.size[0] * this.scale) * 100;
    const part = Math.min(100, Math.max(0, cut));
    this.after.style.clipPath = `inset(0 0 0 ${part}%)`;
    this.before.style.clipPath = `inset(0 ${100 - part}% 0 0)`; // the cut-out is seen through
    this.cursor.hidden = !this.tool || !this.place;
    if (!this.cursor.hidden) {
      const r = this.radius * this.scale;
      Object.assign(this.cursor.style, { width: `${2 * r}px`, height: `${2 * r}px`,
        left: `${this.place[0] * this.scale + this.x - r}px`, top: `${this.place[1] * this.scale + this.y - r}px` });
    }
    this.dispatchEvent(new CustomEvent("view"));
  }
  point(event) {
    const box = this.getBoundingClientRect();
    return [(event.clientX - box.left - this.x) / this.scale, (event.clientY - box.top - this.y) / this.scale];
  }
  paint(from, to) {
    if (!this.overlay.width) return;
    const context = this.overlay.getContext("2d", { willReadFrequently: true }), f = this.overlay.width / this.size[0];
    const [r, g, b, a] = COLOURS[VALUES[this.tool]];
    context.globalCompositeOperation = a ? "source-over" : "destination-out";
    context.strokeStyle = a ? `rgb(${r} ${g} ${b} / ${a / 255})` : "#000";
    context.lineWidth = 2 * this.radius * f;
    context.lineCap = "round";
    context.beginPath();
    context.moveTo(from[0] * f, from[1] * f);
    context.lineTo(to[0] * f + 0.01, to[1] * f);
    context.stroke();
    context.globalCompositeOperation = "source-over";
  }
  finish(points) {
    this.dispatchEvent(new CustomEvent("stroke", { detail: { value: this.tool, radius: this.radius,
      points: points.map((p) => p.map((n) => Math.round(10 * n) / 10)) } }));
  }
  listen() {
    this.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = this.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
    }, { passive: false });
    this.addEventListener("pointerdown", (event) => {
      if (event.target === this.divider || event.button) return;
      this.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
      if (this.tool && this.pointers.size === 1) { this.line = [this.point(event)]; this.paint(this.line[0], this.line[0]); }
      else this.line = null;
    });
    this.addEventListener("pointermove", (event) => this.moved(event));
    this.addEventListener("dragstart", (event) => event.preventDefault()); // the browser would carry the picture away
    for (const name of ["pointerup", "pointercancel"]) this.addEventListener(name, (event) => {
      if (this.line && this.pointers.has(event.pointerId)) this.finish(this.line);
      this.line = null;
      this.pointers.delete(event.pointerId);
    });
    this.divider.addEventListener("pointerdown", (event) => {
      event.stopPropagation();
      this.divider.setPointerCapture(event.pointerId);
      this.divider.onpointermove = (e) => { const box = this.getBoundingClientRect(); this.split((e.clientX - box.left) / box.width); };
      this.divider.onpointerup = () => { this.divider.onpointermove = null; };
    });
    this.divider.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -0.02, ArrowRight: 0.02, PageDown: -0.1, PageUp: 0.1, Home: -1, End: 1 }[event.key];
      if (step) { event.preventDefault(); event.stopPropagation(); this.split(this.share + step); }
    });
    this.addEventListener("keydown", (event) => this.key(event));
  }
  split(share) { this.share = Math.min(1, Math.max(0, share)); this.draw(); }
  moved(event) {
    if (this.tool && event.pointerType !== "touch") { this.place = this.point(event); this.draw(); }
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const now = [event.clientX, event.clientY];
    if (this.line) {
      const to = this.point(event), from = this.line.at(-1);
      if (Math.hypot(to[0] - from[0], to[1] - from[1]) * this.scale > 2) { this.paint(from, to); this.line.push(to); }
    } else if (this.pointers.size === 2) {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
      const box = this.getBoundingClientRect();
      const apart = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
      this.zoom(apart(now) / apart(last), (now[0] + other[0]) / 2 - box.left, (now[1] + other[1]) / 2 - box.top);
    } else {
      if (this.placing) this.dispatchEvent(new CustomEvent("place", { detail: [0, 1].map((i) => (now[i] - last[i]) / (this.size[i] * this.scale)) }));
      else { this.x += now[0] - last[0]; this.y += now[1] - last[1]; this.fitted = false; this.draw(); }
    }
    this.pointers.set(event.pointerId, now);
  }
  key(event) {
    if (event.target !== this || event.ctrlKey || event.metaKey) return;
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (arrows && this.tool) {
      const step = Math.max(2, this.radius / 2), to = this.place.map((n, i) => Math.min(this.size[i], Math.max(0, n + arrows[i] * step)));
      if (event.shiftKey) { this.paint(this.place, to); this.finish([this.place, to]); }
      this.place = to;
      this.draw();
    } else if (arrows) {
      this.x -= 40 * arrows[0]; this.y -= 40 * arrows[1]; this.fitted = false; this.draw();
    } else if (event.key === " " && this.tool) { this.paint(this.place, this.place); this.finish([this.place]); }
    else if (event.key === "+" || event.key === "=") this.zoom(1.25);
    else if (event.key === "-") this.zoom(0.8);
    else if (event.key === "0") this.fit();
    else return;
    event.preventDefault();
  }
}
customElements.define("matte-viewer", MatteViewer);
