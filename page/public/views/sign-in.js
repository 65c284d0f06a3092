/** The form that asks for a key: as the whole page, or over it when a key is no longer accepted. */
import { html, nothing } from "../lit.js";
import { texts } from "../texts.js";

const t = texts.signIn;

/** @param {import("../app.js").App} app */
export function signIn(app) {
  return html`
    <form class="sign-in" @submit=${(/** @type {SubmitEvent} */ event) => submit(app, event)}>
      <h2 id="sign-in">${t.title}</h2>
      ${app.isKeyRefused ? html`<p>${t.again}</p>` : nothing}
      <label>${t.name}<input name="username" autocomplete="username" /></label>
      <label>${t.key}
        <input name="key" type="password" autocomplete="current-password" required autofocus
          aria-describedby="key-says" aria-invalid=${app.keyProblem ? "true" : "false"} />
      </label>
      <p id="key-says" role=${app.keyProblem ? "alert" : nothing} class=${app.keyProblem ? "error" : "hint"}>
        ${app.keyProblem ?? t.why}
      </p>
      <button class="main" ?disabled=${app.isSigningIn}>${t.submit}</button>
    </form>
  `;
}

/** @param {import("../app.js").App} app @param {SubmitEvent} event */
function submit(app, event) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  app.signIn(String(new FormData(form).get("key")).trim());
}
