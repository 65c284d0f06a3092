/** The page's texts in the language that the browser prefers; each language is one file in `texts/`. */

const LANGUAGES = ["en", "de"];

/**
 * @param {readonly string[]} preferred  language tags, the best first
 * @returns {string}
 */
export function chooseLanguage(preferred) {
  const spoken = preferred.map((tag) => tag.split("-")[0].toLowerCase());
  return spoken.find((each) => LANGUAGES.includes(each)) ?? LANGUAGES[0];
}

export const language = chooseLanguage(globalThis.navigator?.languages ?? []);

/** @type {typeof import("./texts/en.js").default} */
export const texts = (await import(`./texts/${language}.js`)).default;
