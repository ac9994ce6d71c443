// The server's API: every request of the page.
import { texts } from "/page/texts.js";

export class Problem extends Error {
  constructor(status, cause, remedy) {
    super(remedy ? `${cause}: ${remedy}` : cause);
    this.status = status;
  }
}

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, texts.offline, "");
  }
  if (answer.ok) return answer;
  let told = {};
  try { told = await answer.json(); } catch { /* no document */ }
  if (answer.status === 503 && (options.tries ?? 0) < 20) {
    const seconds = Number(answer.headers.get("retry-after") ?? 2);
    await new Promise((resolve) => setTimeout(resolve, 1000 * Math.min(seconds, 10)));
    options.signal?.throwIfAborted();
    return ask(path, { ...options, tries: (options.tries ?? 0) + 1 });
  }
  throw new Problem(answer.status, told.detail ?? answer.statusText, told.remedy ?? "");
}

const json = (method, document) => ({ method, body: JSON.stringify(document), headers: { "Content-Type": "application/json" } });

export const api = {
  session: async () => (await ask("/v1/session")).json(),
  signIn: (token) => ask("/v1/session", json("POST", { token })),
  settings: async () => (await ask("/v1/settings")).json(),
  async send(file) {
    const form = new FormData();
    form.append("image", file, file.name || "picture.png");
    return (await ask("/v1/pictures", { method: "POST", body: form })).json();
  },
  remove: (id) => ask(`/v1/pictures/${id}`, { method: "DELETE" }),
  strokes: (id, strokes) => ask(`/v1/pictures/${id}/strokes`, json("PUT", { strokes })),
  address: (id, result, query) => `/v1/pictures/${id}/${result}?${new URLSearchParams(query)}`,
  async picture(id, result, query, signal) {
    const answer = await ask(this.address(id, result, query), { signal });
    const subject = answer.headers.get("x-matte-subject");
    return { url: URL.createObjectURL(await answer.blob()), subject };
  },
  report: async (id, query) => (await ask(api.address(id, "report", query))).json(),
  sweep: async (id, document) => (await ask(`/v1/pictures/${id}/sweep`, json("POST", document))).json(),
  job: async (id) => (await ask(`/v1/jobs/${id}`)).json(),
  zip: async (items) => (await ask("/v1/zip", json("POST", { items }))).blob(),
  events(id, tell) {
    const source = new EventSource(`/v1/pictures/${id}/events`);
    source.addEventListener("progress", (event) => tell(JSON.parse(event.data)));
    source.addEventListener("idle", () => tell(null));
    return source;
  },
};
