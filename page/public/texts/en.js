/** English. Every text of the page; another language is a file like this one, and its name in `texts.js`. */

const count = (/** @type {number} */ n, /** @type {string} */ one, /** @type {string} */ many) =>
  `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
const pictures = (/** @type {number} */ n) => count(n, "image", "images");

export default {
  title: "Product images",
  loading: "Loading …",
  retry: "Try again",
  remove: "Remove",
  close: "Close",
  noAnswer: "The service does not answer. Look whether you are online; this page tries again.",
  problem: (/** @type {string} */ detail) => `That did not work. ${detail}`,

  signIn: {
    title: "Sign in",
    key: "API key",
    name: "Your name (for your password manager)",
    submit: "Sign in",
    out: "Sign out",
    why: "Your key stays in this tab and is forgotten when you close it.",
    again: "Your key is no longer accepted. Enter one to go on; nothing in the queue is lost.",
    malformed: "This is no whole key. A key has 50 characters and begins with pik_.",
    unknown: "This key is unknown, was revoked, or has expired. Ask whoever runs the service for another one.",
    customer: "This key belongs to a customer. Only keys of staff and administrators may manage images.",
  },

  products: {
    title: "Products",
    search: "Search by number or title",
    none: "No product matches.",
    more: "Show more products",
    number: (/** @type {number} */ id) => `Product ${id}`,
    count: pictures,
    back: "All products",
    unknown: "There is no such product.",
  },

  add: {
    title: "Add images",
    files: "Choose images",
    folder: "Choose a folder",
    hint: "Or drop files and folders anywhere on this page, or paste an image. JPEG, PNG, WebP, GIF or AVIF, up to 50 MB each.",
    drop: "Drop to add the images",
    added: (/** @type {number} */ n) => `${pictures(n)} added to the queue`,
    noPicture: (/** @type {string} */ names) => `Left out, as they are no images: ${names}.`,
    hidden: (/** @type {string} */ names) => `Left out, as they are hidden: ${names}.`,
  },

  queue: {
    title: "On their way",
    summary: (/** @type {number} */ done, /** @type {number} */ all, /** @type {number} */ failed) =>
      `${done} of ${all} ready${failed ? `, ${failed} failed` : ""}`,
    waiting: "Waiting",
    sending: (/** @type {number} */ percent) => `${percent} %`,
    sent: "Sent, awaiting the answer",
    checking: "Being checked",
    ready: "Ready",
    failed: "Failed",
    offline: "No connection. It goes on by itself.",
    busy: (/** @type {number} */ seconds) => `The service is busy. Next try in ${seconds} s.`,
    retryAll: "Try all failed ones again",
    clear: "Clear what is done",
    dismiss: (/** @type {string} */ name) => `Take ${name} off the list`,
    insist: "Send it all the same",
    progress: (/** @type {string} */ name) => `Progress of ${name}`,
    reasons: /** @type {Record<string, string>} */ ({
      heic: "This browser cannot open HEIC. Export the image as JPEG. On an iPhone: Settings, Camera, Formats, Most Compatible.",
      empty: "The file is empty.",
      there: "This image is there already. It was not sent again.",
      expired: "The time to send it was over again and again. Try again on a faster line.",
    }),
    left: "Begun before this page was loaded, and not known to have been sent:",
    sendAgain: "Choose the file again",
  },

  gallery: {
    title: "Images",
    count: pictures,
    empty: "No images yet.",
    primary: "Primary",
    makePrimary: "Make primary",
    altText: "Alternative text",
    characters: (/** @type {number} */ n, /** @type {number} */ most) => `${n} of ${most.toLocaleString("en")}`,
    saving: "Saving …",
    conflict: "Somebody else has changed this text to:",
    nothing: "(nothing)",
    keepMine: "Save mine",
    takeTheirs: "Take theirs",
    pending: "Being checked",
    preparing: "Being prepared",
    neverCame: "The file never arrived. Remove it, and add it again.",
    failed: "Failed",
    select: (/** @type {string} */ name) => `Select ${name}`,
    selected: (/** @type {number} */ n) => `${n} selected`,
    selectNone: "Select none",
    removed: (/** @type {number} */ n) => `${pictures(n)} removed`,
    undo: "Undo",
    undone: "Brought back",
    move: (/** @type {string} */ name, /** @type {number} */ place, /** @type {number} */ all) =>
      `Move ${name}, ${place} of ${all}. Use the arrow keys, Home or End.`,
    earlier: "Earlier",
    later: "Later",
    movedTo: (/** @type {number} */ place, /** @type {number} */ all) => `Now ${place} of ${all}`,
    picture: (/** @type {number} */ place) => `Image ${place}`,
  },
};
