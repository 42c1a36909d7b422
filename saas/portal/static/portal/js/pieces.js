// Sends a file in pieces to a drop with data-pieces-url. A piece that fails is sent again with growing pauses, from
// where the server says it is; choosing the same file again after a lost page goes on where it stopped.
import { csrfToken } from "./requests.js";

const PAUSES = [1000, 2000, 5000, 10000, 20000, 30000];
const wait = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });

class Refused extends Error {
  constructor(status, answer) {
    super(answer?.message ?? "");
    this.status = status;
    this.answer = answer;
  }
}

async function ask(method, url, body, headers = {}) {
  const response = await fetch(url, { method, body, headers: { "X-CSRFToken": csrfToken(), Accept: "application/json", ...headers } });
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Refused(response.status, answer);
  return answer;
}

// 409 names the place to go on from; without an answer, or with 429 and 5xx, it is worth another try.
const passing = (error) => !(error instanceof Refused) || error.status === 429 || error.status >= 500;

async function patiently(act) {
  for (const pause of [...PAUSES, null]) {
    try {
      return await act();
    } catch (error) {
      if (pause === null || !passing(error)) throw error;
      await wait(pause);
    }
  }
  return null;
}

async function digest(file) {
  const sum = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(sum)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Send `file`; `progress(bytes)` follows it. Resolves to {id, name}; rejects with an Error whose message says why. */
export async function sendInPieces(url, file, progress) {
  const fingerprint = String(file.lastModified);
  const form = new URLSearchParams({ name: file.name, size: file.size, fingerprint });
  const begun = await patiently(() => ask("POST", url, form));
  const own = `${url}${begun.id}/`;
  let at = begun.offset;
  progress(at);
  while (at < file.size) {
    const piece = file.slice(at, at + begun.piece);
    const headers = { "Upload-Offset": String(at), "Content-Type": "application/octet-stream" };
    try {
      at = (await patiently(() => ask("PUT", own, piece, headers))).offset;
    } catch (error) {
      if (error.status !== 409 || error.answer?.offset === undefined) throw error;
      at = error.answer.offset;
    }
    progress(at);
  }
  const sum = new URLSearchParams({ sha256: await digest(file) });
  return patiently(() => ask("POST", `${own}finish/`, sum));
}
