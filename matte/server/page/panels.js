// The settings beside the picture, and the backgrounds behind it.
import { texts } from "/page/texts.js";

const byId = (id) => document.getElementById(id);
const OWN_CONTROLS = ["k", "iterations", "fit", "position", "blend"];
const FORMATS = { composite: ["png", "webp", "jpeg", "tiff"], cutout: ["png", "webp", "tiff"], alpha: ["png", "tiff"], trimap: ["png"], mask: ["png"] };

export class Settings extends EventTarget {
  constructor(told) {
    super();
    this.told = told;
    this.values = {};
    fillSelect(byId("preset"), Object.keys(told.presets), told.default_preset);
    byId("preset").onchange = () => { this.values = {}; this.fromPreset(); this.drawMore(); this.changed(); };
    byId("auto-band").onchange = () => this.band();
    byId("k").oninput = () => { byId("auto-band").checked = false; this.band(); };
    byId("iterations").onchange = () => { byId("auto-band").checked = false; this.band(); };
    this.fromPreset();
    this.drawMore();
  }
  get preset() { return this.told.presets[byId("preset").value]; }
  fromPreset() {
    const { k, iterations } = this.preset;
    byId("auto-band").checked = k === "auto";
    byId("k").value = k === "auto" ? 7 : k;
    byId("iterations").value = iterations;
    this.label();
  }
  label() {
    byId("k-value").textContent = byId("auto-band").checked ? "auto" : texts.pixels(byId("k").value);
    byId("k").setAttribute("aria-valuetext", byId("k-value").textContent);
  }
  band() {
    delete this.values.width;
    if (byId("auto-band").checked) { this.values.k = "auto"; delete this.values.iterations; }
    else Object.assign(this.values, { k: byId("k").value, iterations: byId("iterations").value });
    this.label();
    this.changed();
  }
  take(values) {
    delete this.values.k; delete this.values.iterations; delete this.values.width;
    Object.assign(this.values, values);
    byId("auto-band").checked = values.k === "auto";
    if (values.k && values.k !== "auto") byId("k").value = values.k;
    if (values.iterations) byId("iterations").value = values.iterations;
    this.label();
    this.changed();
  }
  query() {
    const found = { preset: byId("preset").value };
    for (const [name, value] of Object.entries(this.values)) if (String(value) !== String(this.preset[name])) found[name] = value;
    return found;
  }
  changed() { this.dispatchEvent(new Event("change")); }
  drawMore() {
    byId("settings").replaceChildren(...this.told.settings.filter((s) => !OWN_CONTROLS.includes(s.name)).map((setting) => this.field(setting)));
  }
  field(setting) {
    const row = Object.assign(document.createElement("label"), { className: "row" });
    const name = Object.assign(document.createElement("span"), { className: "setting-help", textContent: setting.name.replaceAll("_", " "), title: setting.help });
    const choices = this.told.networks[setting.name] ?? (setting.kind === "text" && setting.words.length > 1 ? setting.words : null);
    let control;
    const value = this.values[setting.name] ?? this.preset[setting.name];
    if (choices) {
      control = document.createElement("select");
      fillSelect(control, setting.name === "modnet" ? ["none", ...choices] : choices, String(value));
    } else {
      control = Object.assign(document.createElement("input"), { type: "text", value, autocomplete: "off", spellcheck: false });
      const range = setting.maximum === null ? "" : `${setting.minimum} … ${setting.maximum}`;
      control.placeholder = [range, ...setting.words].filter(Boolean).join(", ");
    }
    control.onchange = () => { this.values[setting.name] = control.value.trim(); this.changed(); };
    row.append(name, control);
    return row;
  }
}

export class Grounds extends EventTarget {
  constructor() {
    super();
    this.choices = ["transparent", "white", "black", "blur", "colour"].map((kind) => ({ kind }));
    this.chosen = this.choices[0];
    byId("colour").oninput = () => this.choose(this.choices[4]);
    for (const id of ["blur", "place-x", "place-y"]) byId(id).oninput = () => this.dispatchEvent(new Event("change"));
    byId("place-drag").onclick = () => this.setDragging(!this.dragging);
    this.draw();
  }
  setDragging(on) { this.dragging = on; byId("place-drag").setAttribute("aria-pressed", on); this.dispatchEvent(new Event("dragging")); }
  // The background follows the pointer as far as it may: what of it lies outside the picture moves in.
  move([across, down]) {
    for (const [id, part] of [["place-x", across], ["place-y", down]]) byId(id).value = Number(byId(id).value) - 100 * part;
    this.dispatchEvent(new Event("change"));
  }
  addPicture(picture, url) { const choice = { kind: "picture", ...picture, url }; this.choices.push(choice); this.choose(choice); }
  choose(choice) {
    this.chosen = choice;
    if (this.dragging && choice.kind !== "picture") this.setDragging(false);
    this.draw();
    this.dispatchEvent(new Event("change"));
  }
  get position() { return `${byId("place-x").value}%,${byId("place-y").value}%`; }
  query() {
    const { kind, id } = this.chosen;
    if (kind === "picture") return { bg: `picture:${id}`, position: this.position };
    if (kind === "blur") return { bg: `blur:${byId("blur").value}%` };
    return { bg: kind === "colour" ? byId("colour").value : kind };
  }
  paint(ground, photo) {
    const { kind, url } = this.chosen, style = ground.style;
    style.backgroundColor = { white: "#fff", black: "#000", colour: byId("colour").value }[kind] ?? "";
    style.backgroundImage = kind === "picture" ? `url("${url}")` : kind === "blur" ? `url("${photo}")` : "";
    style.backgroundPosition = kind === "picture" ? this.position.replace(",", " ") : "50% 50%";
    style.filter = kind === "blur" ? `blur(${byId("blur").value / 100 * Math.max(ground.clientWidth, ground.clientHeight)}px)` : "";
  }
  draw() {
    byId("blur-row").hidden = this.chosen.kind !== "blur";
    byId("place-row").hidden = this.chosen.kind !== "picture";
    const buttons = this.choices.map((choice, number) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: choice.kind,
        textContent: choice.kind === "picture" ? "" : texts.grounds[choice.kind], onclick: () => this.choose(choice) });
      const on = choice === this.chosen;
      button.setAttribute("role", "radio");
      button.setAttribute("aria-checked", on);
      button.tabIndex = on ? 0 : -1;
      if (choice.kind === "picture") { button.setAttribute("aria-label", texts.backgroundName(choice.name)); button.style.backgroundImage = `url("${choice.url}")`; }
      button.onkeydown = (event) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        this.choose(this.choices[(number + step + this.choices.length) % this.choices.length]);
        byId("grounds").querySelector("[aria-checked=true]").focus();
      };
      return button;
    });
    byId("grounds").replaceChildren(...buttons);
  }
}

export function setUpSaving(changed) {
  fillSelect(byId("result"), Object.keys(texts.results), "composite", texts.results);
  const formats = () => fillSelect(byId("format"), FORMATS[byId("result").value], "png");
  byId("result").onchange = () => { formats(); changed(); };
  byId("format").onchange = byId("crop").onchange = changed;
  for (const [id, names] of [["canvas", texts.canvases], ["align", texts.aligns], ["shadow", texts.shadows]]) {
    fillSelect(byId(id), Object.keys(names), "", names);
    byId(id).onchange = changed;
  }
  byId("fill").oninput = changed;
  byId("canvas-preview").alt = texts.canvasPreview;
  formats();
}

// What is asked of the subject's place: cropped, on a canvas, or where it is in the photo.
export function placeQuery(result) {
  const canvas = ["composite", "cutout"].includes(result) ? byId("canvas").value : "";
  byId("canvas").disabled = !["composite", "cutout"].includes(result);
  byId("canvas-row").hidden = !canvas;
  byId("crop").disabled = !!canvas;
  byId("fill-value").textContent = texts.percent(byId("fill").value);
  if (!canvas) return byId("crop").checked ? { crop: "3%" } : {};
  const asked = { canvas, fill: `${byId("fill").value}%`, align: byId("align").value };
  return byId("shadow").value ? { ...asked, shadow: byId("shadow").value } : asked;
}

export function fillSelect(select, values, chosen, names = {}) {
  select.replaceChildren(...values.map((value) => new Option(names[value] ?? value, value, false, value === chosen)));
}
