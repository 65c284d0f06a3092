/** Moves a card with mouse or finger: it follows the pointer, and the place where it would stand is marked. */

const EDGE_PX = 60;
const SCROLL_PX = 14;
/** A mouse that moves less means a click. */
const STILL_PX = 4;

/**
 * @param {PointerEvent} start  on something within the card
 * @param {object} with_
 * @param {HTMLElement} with_.card
 * @param {(over: HTMLElement | null) => void} with_.onOver  the card under the pointer
 * @param {(over: HTMLElement | null) => void} with_.onDrop  null: it was taken back
 */
export function drag(start, { card, onOver, onDrop }) {
  const grip = /** @type {HTMLElement} */ (start.target);
  const from = { x: start.clientX, y: start.clientY + scrollY };
  let at = { x: start.clientX, y: start.clientY };
  /** @type {HTMLElement | null} */
  let over = null;
  let moving = false;
  let frame = 0;

  const follow = () => {
    const [dx, dy] = [at.x - from.x, at.y + scrollY - from.y];
    if (!moving && Math.hypot(dx, dy) < STILL_PX) return;
    if (!moving) {
      moving = true;
      card.classList.add("dragged");
      frame = requestAnimationFrame(scroll);
    }
    card.style.transform = `translate(${dx}px, ${dy}px)`;
    const found = document.elementFromPoint(at.x, at.y)?.closest("[data-id]") ?? null;
    const next = found instanceof HTMLElement && found !== card ? found : null;
    if (next !== over) onOver((over = next));
  };
  const scroll = () => {
    const by = at.y < EDGE_PX ? -SCROLL_PX : at.y > innerHeight - EDGE_PX ? SCROLL_PX : 0;
    if (by) {
      scrollBy(0, by);
      follow();
    }
    frame = requestAnimationFrame(scroll);
  };
  const end = (/** @type {boolean} */ isDropped) => {
    cancelAnimationFrame(frame);
    controller.abort();
    card.classList.remove("dragged");
    card.style.transform = "";
    onOver(null);
    onDrop(moving && isDropped ? over : null);
  };

  const controller = new AbortController();
  const { signal } = controller;
  grip.setPointerCapture(start.pointerId);
  grip.addEventListener("pointermove", (event) => ((at = { x: event.clientX, y: event.clientY }), follow()), { signal });
  grip.addEventListener("pointerup", () => end(true), { signal });
  grip.addEventListener("pointercancel", () => end(false), { signal });
  addEventListener("keydown", (event) => event.key === "Escape" && end(false), { signal });
  start.preventDefault();
}
