// Several bands side by side; one of them can be taken.
import { api } from "/page/api.js";
import { texts } from "/page/texts.js";

const WAIT = 700; // milliseconds between two looks at the job
const BANDS = ["auto", 3, 7, 13, 21];

export async function runSweep(item, settings, sheet, tell) {
  sheet.replaceChildren(Object.assign(document.createElement("p"), { textContent: texts.working }));
  try {
    const { k, iterations, width, ...rest } = settings.query();
    let job = await api.sweep(item.id, { ...rest, k: BANDS });
    while (job.state === "waiting" || job.state === "running") {
      await new Promise((resolve) => setTimeout(resolve, WAIT));
      job = await api.job(job.id);
      sheet.firstChild.textContent = `${texts.working}: ${job.done} / ${job.of}`;
    }
    if (job.state !== "done") throw new Error(job.problem?.detail ?? job.state);
    sheet.replaceChildren(...job.settings.map((row) => choice(row, settings)));
  } catch (error) { sheet.replaceChildren(); tell(error); }
}

function choice(row, settings) {
  const button = Object.assign(document.createElement("button"), { type: "button", onclick: () => settings.take(row.set) });
  const picture = Object.assign(document.createElement("img"), { src: `${row.preview}?format=webp&lossy=1&max_side=320`, alt: "" });
  const label = Object.assign(document.createElement("span"), { textContent: row.best ? `${row.name} (${texts.best})` : row.name });
  button.append(picture, label);
  return button;
}
