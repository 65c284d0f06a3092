/** Sends a form and tells how much of it has left, which `fetch` cannot. */
import { NoAnswer } from "./client.js";

const SILENT_MILLISECONDS = 60_000;

/** @type {import("./client.js").Post} */
export function post(url, { headers, body, onProgress, onSent }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    /** @type {ReturnType<typeof setTimeout>} */
    let silence;
    // A line that is gone without a word; the gateway itself answers within 29 s.
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => request.abort(), SILENT_MILLISECONDS);
    };
    request.upload.onprogress = (event) => {
      heard();
      if (event.total) onProgress(event.loaded / event.total);
    };
    request.upload.onload = () => {
      heard();
      onSent();
    };
    request.onload = () =>
      resolve({
        status: request.status,
        header: (name) => request.getResponseHeader(name),
        text: request.responseText,
      });
    request.onerror = request.onabort = () => reject(new NoAnswer());
    request.onloadend = () => clearTimeout(silence);
    request.open("POST", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.send(body);
    heard();
  });
}
