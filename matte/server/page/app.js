// The page: what happens when something is chosen, and in which order.
import { api } from "/page/api.js";
import { Grounds, placeQuery, Settings, setUpSaving } from "/page/panels.js";
import { Queue } from "/page/queue.js";
import { fillTexts, texts } from "/page/texts.js";
import { watchCamera } from "/page/camera.js";
import { runSweep } from "/page/sweep.js";
import "/page/viewer.js";

const byId = (id) => document.getElementById(id);
const viewer = byId("viewer");
const BRUSHES = { 1: "subject", 2: "background", 3: "unknown" };
const PAUSE = 350; // milliseconds without a change, after which the full result is asked for
const PREVIEW = { format: "webp", lossy: 1, max_side: 2048 };
let settings, grounds, listening, asking = new AbortController(), pause, tilePause, blurPause, canvasPause;
const queue = new Queue(byId("queue"), byId("queue-section"));

fillTexts(document);
start().catch(tell);

async function start() {
  await signIn();
  settings = new Settings(await api.settings());
  grounds = new Grounds();
  queue.query = () => settings.query();
  settings.addEventListener("change", () => refresh());
  grounds.addEventListener("change", () => { paintGround(); links(); showBlur(); });
  grounds.addEventListener("dragging", () => viewer.setPlacing(grounds.dragging));
  viewer.addEventListener("place", ({ detail }) => grounds.move(detail));
  setUpSaving(links);
  queue.addEventListener("chosen", ({ detail }) => open(detail));
  queue.addEventListener("failed", ({ detail }) => tell(new Error(detail.problem)));
  takePictures();
  viewTools();
  brushes();
  saving();
  byId("sweep").onclick = () => queue.current?.id && runSweep(queue.current, settings, byId("sweep-results"), tell);
  document.body.dataset.ready = "yes"; // for whoever drives the page by a program
}

async function signIn() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) { history.replaceState(null, "", location.pathname); await api.signIn(token).catch(() => {}); }
  while (true) {
    const { needs_token, signed_in } = await api.session();
    if (!needs_token || signed_in) return;
    const dialog = byId("sign-in");
    dialog.showModal();
    await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
    try { await api.signIn(byId("token").value); } catch { byId("sign-in-problem").textContent = texts.wrongToken; }
  }
}

function tell(error) {
  if (error?.name === "AbortError") return;
  const line = byId("problem");
  line.textContent = error?.message ?? "";
  line.hidden = !error;
  if (error?.status === 404 && queue.current) queue.gone(queue.current);
  if (error?.status === 401) signIn().then(() => refresh());
}

function takePictures() {
  const take = (files) => { const found = [...files].filter((f) => f.type.startsWith("image/") || !f.type); if (found.length) queue.add(found); };
  const file = byId("file");
  file.onchange = () => { take(file.files); file.value = ""; };
  file.onchange(); // somebody may have been quicker than this script
  document.addEventListener("paste", (event) => take(event.clipboardData.files));
  document.addEventListener("dragover", (event) => { event.preventDefault(); byId("drop").classList.add("over"); viewer.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) document.addEventListener(name, () => { byId("drop").classList.remove("over"); viewer.classList.remove("over"); });
  document.addEventListener("drop", (event) => { event.preventDefault(); take(event.dataTransfer.files); });
  watchCamera(byId("camera"), byId("camera-dialog"), take, () => tell(new Error(texts.noCamera)));
  byId("ground-file").onchange = async (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (!file) return;
    try { grounds.addPicture(await api.send(file), URL.createObjectURL(file)); } catch (error) { tell(error); }
  };
}

function open(item) {
  listening?.close();
  asking.abort();
  for (const [id, on] of [["drop", !item], ["viewer", item], ["side", item], ["view-tools", item]]) byId(id).hidden = !on;
  byId("sweep-results").replaceChildren();
  for (const id of ["command", "canvas-preview"]) byId(id).hidden = true; // they are the last picture's
  tell(item?.problem ? new Error(item.problem) : null);
  if (!item?.id) return;
  viewer.show(item.width, item.height, api.address(item.id, "photo", { ...PREVIEW }));
  byId("brush-size").dispatchEvent(new Event("input"));
  listening = api.events(item.id, (event) => {
    if (!event || !viewer.classList.contains("waiting")) return; // it is about what is shown already
    byId("progress").hidden = false;
    byId("progress").value = event.done;
    say(texts.stages[event.stage] ?? texts.working);
  });
  refresh(0);
}

function say(text) { const line = byId("status"); if (line.textContent !== text) line.textContent = text; }

// A preview at once, the full result after a pause; what was asked for before is given up.
async function refresh(delay = PAUSE) {
  const item = queue.current;
  links();
  if (!item?.id) return;
  asking.abort();
  clearTimeout(pause);
  const { signal } = asking = new AbortController();
  viewer.classList.add("waiting");
  try {
    const quick = { ...settings.query(), quick: 1, format: "webp" };
    const preview = await api.picture(item.id, "cutout", quick, signal);
    viewer.setResult(preview.url);
    item.blurred = false;
    paintGround();
    say(texts.preview);
    if (byId("show-trimap").checked) await trimap(item, { ...settings.query(), quick: 1 }, signal);
    await new Promise((resolve) => { pause = setTimeout(resolve, delay); });
    signal.throwIfAborted();
    const full = await api.picture(item.id, "cutout", { ...settings.query(), ...PREVIEW }, signal);
    viewer.setResult(full.url);
    item.cutout = full.url;
    viewer.classList.remove("waiting");
    showBlur();
    byId("progress").hidden = true;
    item.subject = full.subject;
    say(full.subject === "no" ? texts.noSubject : texts.ready);
    tell(null);
    if (byId("show-trimap").checked) await trimap(item, settings.query(), signal);
    showTile();
    showCanvas();
  } catch (error) { viewer.classList.remove("waiting"); tell(error); }
}

async function trimap(item, query, signal) {
  const { url } = await api.picture(item.id, "trimap", { ...query, max_side: 1600 }, signal);
  await viewer.setTrimap(url);
}

function paintGround() {
  if (queue.current?.id) grounds.paint(viewer.ground, viewer.before.src);
}

// The browser's blur is only a first look: the server's leaves the subject out of what is blurred.
function showBlur() {
  clearTimeout(blurPause);
  const item = queue.current;
  if (!item?.cutout || viewer.classList.contains("waiting")) return;
  if (item.blurred) { viewer.setResult(item.cutout); item.blurred = false; showTile(); }
  if (!grounds.query().bg.startsWith("blur")) return;
  blurPause = setTimeout(async () => {
    const query = { ...settings.query(), ...grounds.query(), ...PREVIEW };
    try { viewer.setResult((await api.picture(item.id, "composite", query, asking.signal)).url); item.blurred = true; } catch (error) { tell(error); }
  }, PAUSE);
}

// Where the screen shows more than the preview has, the visible part is fetched as it is.
function showTile() {
  clearTimeout(tilePause);
  const item = queue.current, part = viewer.visible();
  const needed = viewer.scale * devicePixelRatio > 1.05 * Math.min(1, 2048 / Math.max(...viewer.size));
  if (!item?.id || !part || !needed || Math.max(...viewer.size) <= 2048) return;
  tilePause = setTimeout(async () => {
    const query = { ...settings.query(), box: part.join(","), format: "webp", lossy: 1, max_side: 4096 };
    const result = item.blurred ? "composite" : "cutout";
    try { viewer.setTile((await api.picture(item.id, result, { ...query, ...(item.blurred ? grounds.query() : {}) }, asking.signal)).url, part); } catch (error) { tell(error); }
  }, PAUSE);
}

function viewTools() {
  byId("zoom-in").onclick = () => viewer.zoom(1.25);
  byId("zoom-out").onclick = () => viewer.zoom(0.8);
  byId("zoom-fit").onclick = () => viewer.fit();
  byId("zoom-full").onclick = () => viewer.hundred();
  viewer.addEventListener("view", () => {
    byId("zoom-level").textContent = `${Math.round(100 * viewer.scale * devicePixelRatio)} %`;
    viewer.tile.hidden = true;
    if (!viewer.classList.contains("waiting")) showTile();
  });
  byId("show-trimap").onchange = (event) => showTrimap(event.target.checked);
}

async function showTrimap(on) {
  byId("show-trimap").checked = on;
  viewer.showTrimap(on);
  if (on && queue.current?.id) await trimap(queue.current, settings.query(), asking.signal).catch(tell);
}

function brushes() {
  const choose = (tool) => {
    for (const b of byId("brushes").children) b.setAttribute("aria-pressed", b.dataset.brush === tool);
    viewer.setTool(tool);
    if (tool && !byId("show-trimap").checked) showTrimap(true);
  };
  for (const b of byId("brushes").children) b.onclick = () => choose(b.dataset.brush);
  const size = byId("brush-size");
  // The slider's places grow evenly in proportion: small brushes are as easy to set as large ones.
  const resize = () => {
    const radius = Math.max(1, Math.max(...viewer.size) / 8 * (size.value / 200) ** 2);
    byId("brush-value").textContent = texts.pixels(Math.round(2 * radius));
    viewer.setRadius(radius);
  };
  size.oninput = resize;
  queue.addEventListener("chosen", showHistory);
  viewer.addEventListener("stroke", ({ detail }) => {
    const item = queue.current;
    item.strokes = [...item.strokes, detail];
    item.undone = [];
    sendStrokes(item);
  });
  const undo = () => { const i = queue.current; if (i?.strokes.length) { i.undone = [...i.undone, i.strokes.at(-1)]; i.strokes = i.strokes.slice(0, -1); sendStrokes(i); } };
  const redo = () => { const i = queue.current; if (i?.undone?.length) { i.strokes = [...i.strokes, i.undone.at(-1)]; i.undone = i.undone.slice(0, -1); sendStrokes(i); } };
  byId("undo").onclick = undo;
  byId("redo").onclick = redo;
  document.addEventListener("keydown", (event) => {
    if (/^(input|select|textarea)$/i.test(event.target.tagName) && event.target.type !== "range" || document.querySelector("dialog[open]")) return;
    const command = event.ctrlKey || event.metaKey, key = event.key.toLowerCase();
    if (command && key === "z") (event.shiftKey ? redo : undo)();
    else if (command && key === "y") redo();
    else if (command || event.altKey) return;
    else if (BRUSHES[key]) choose(BRUSHES[key]);
    else if (key === "escape") choose("");
    else if (key === "[" || key === "]") { size.value = Number(size.value) + (key === "]" ? 6 : -6); resize(); }
    else return;
    event.preventDefault();
  });
}

function showHistory() {
  byId("undo").disabled = !queue.current?.strokes.length;
  byId("redo").disabled = !queue.current?.undone?.length;
}

async function sendStrokes(item) {
  showHistory();
  try { await api.strokes(item.id, item.strokes); await refresh(0); } catch (error) { tell(error); }
}

function query() {
  const result = byId("result").value, format = byId("format").value;
  const asked = { ...settings.query(), format };
  if (result === "composite") Object.assign(asked, grounds.query());
  Object.assign(asked, placeQuery(result));
  if (result === "composite" && asked.bg === "transparent" && format === "jpeg") asked.bg = "white";
  return { result, asked };
}

function links() {
  const item = queue.current, { result, asked } = query();
  if (item?.id) byId("download").href = api.address(item.id, result, { ...asked, download: 1 });
  showCanvas();
}

// The viewer shows the photo; what the subject looks like on its canvas is shown beside the choice.
function showCanvas() {
  clearTimeout(canvasPause);
  const item = queue.current, { result, asked } = query(), image = byId("canvas-preview");
  if (!item?.id || !asked.canvas || viewer.classList.contains("waiting")) return;
  canvasPause = setTimeout(async () => {
    try {
      const { url } = await api.picture(item.id, result, { ...asked, format: "webp", lossy: 1, max_side: 640 }, asking.signal);
      URL.revokeObjectURL(image.src);
      Object.assign(image, { src: url, hidden: false });
      tell(null);
    } catch (error) { image.hidden = true; tell(error); }
  }, PAUSE);
}

function saving() {
  byId("zip").onclick = async () => {
    const { result, asked } = query();
    const items = queue.items.filter((i) => i.id).map((i) => ({ picture: i.id, result, name: i.name, query: new URLSearchParams(asked).toString() }));
    if (!items.length) return;
    say(texts.working);
    try {
      const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(await api.zip(items)), download: "matte.zip" });
      link.click();
      say(texts.ready);
    } catch (error) { tell(error); }
  };
  byId("copy-command").onclick = async () => {
    const item = queue.current;
    if (!item?.id) return;
    try {
      const { asked } = query();
      const { command } = await api.report(item.id, asked);
      byId("command").hidden = false;
      byId("command").firstChild.textContent = command;
      say(item.strokes.length ? texts.strokesNote : texts.copied);
      await navigator.clipboard.writeText(command).catch(() => {});
    } catch (error) { tell(error); }
  };
}
