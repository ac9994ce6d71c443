// Every text of the page.
export const texts = {
  addPictures: "Add pictures", camera: "Camera", picture: "Picture",
  dropHere: "Drop pictures here, paste them, or choose files.",
  staysHere: "They stay on this machine, and are forgotten after a while.",
  zoomIn: "Zoom in", zoomOut: "Zoom out", fit: "Fit", hundred: "100 %", showTrimap: "Show the trimap",
  edge: "Edge", preset: "Preset", autoBand: "Band follows the doubt (auto)", band: "Band: kernel", iterations: "Times",
  brush: "Brush", hand: "Move", brushSubject: "1 Subject", brushBackground: "2 Background", brushUnknown: "3 Unknown",
  brushSize: "Size", undo: "Undo", redo: "Redo",
  brushKeys: "Keys: 1 2 3, [ ] for the size, Ctrl+Z, Ctrl+Y, Esc. In the picture, arrows move the brush and space paints.",
  background: "Background", colour: "Colour", ownPicture: "Own picture", blurRadius: "Blur", placeAcross: "Across", placeDown: "Down",
  placeDrag: "Move it by dragging",
  save: "Save", what: "What", format: "Format", crop: "Crop to the subject", download: "Download", zip: "All as ZIP",
  copyCommand: "Copy as command", canvas: "Canvas", fill: "Subject fills", align: "Stands", shadow: "Shadow", percent: (n) => `${n} %`,
  canvasPreview: "The subject on its canvas", sweep: "Compare bands", sweepHelp: "Several bands side by side; choose one.",
  sweepStart: "Compare", moreSettings: "More settings", settings: "Settings", queue: "Pictures", signIn: "Sign in",
  token: "Token", signInButton: "Sign in", takePicture: "Take picture", close: "Close",
  results: { composite: "Composite", cutout: "Cut-out", alpha: "Alpha", trimap: "Trimap", mask: "Mask" },
  canvases: { "": "None", "1000x1000": "1000 × 1000", "1600x1600": "1600 × 1600", "2000x2000": "2000 × 2000", "1200x1500": "1200 × 1500" },
  aligns: { centre: "In the middle", bottom: "At the bottom" }, shadows: { "": "None", contact: "Contact", drop: "Drop" },
  grounds: { transparent: "None", white: "White", black: "Black", blur: "Blur", colour: "Colour" },
  states: { waiting: "waiting", sending: "being sent", matting: "being matted", done: "done", failed: "failed", gone: "forgotten by the server" },
  retry: "Try again", remove: "Remove", open: "Show",
  viewer: "Picture, before and after. Wheel or + and − zoom, dragging moves.",
  divider: "Before and after", working: "Working", ready: "Ready", preview: "Preview",
  stages: { begin: "Reading", segment: "Looking for the subject", trimap: "Drawing the band", refine: "Refining the edge",
    foreground: "Cleaning colours", compose: "Composing", encode: "Writing", matte: "Matting" },
  noSubject: "No subject was found. Try another segmenter in “More settings”, or paint it with brush 1.",
  copied: "The command is in the clipboard.", offline: "The server does not answer. Is it still running?",
  noCamera: "The camera can't be used.", best: "suggested", wrongToken: "That is not the token.",
  strokesNote: "With brush strokes, save the trimap first: the command reads it.",
  backgroundName: (name) => `Background ${name}`, pixels: (n) => `${n} px`,
};
export function fillTexts(root) {
  for (const e of root.querySelectorAll("[data-text]")) e.textContent = texts[e.dataset.text];
  for (const e of root.querySelectorAll("[data-label]")) e.setAttribute("aria-label", texts[e.dataset.label]);
  for (const e of root.querySelectorAll("[data-label-on]")) e.setAttribute("aria-label", texts[e.dataset.labelOn]);
}
