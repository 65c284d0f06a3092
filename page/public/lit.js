/** What the views use of lit-html, in one place. */
export { html, nothing, render } from "./vendor/lit-html/lit-html.js";
export { repeat } from "./vendor/lit-html/directives/repeat.js";
