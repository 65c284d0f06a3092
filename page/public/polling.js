/** Asks again and again: soon while there is news, ever more slowly without, never while nobody looks. */

const FIRST_MILLISECONDS = 1_000;
const SLOWER = 1.5;
export const LONGEST = { waiting: 10_000, idle: 60_000 };

export class Polling {
  /**
   * @param {() => Promise<boolean>} look  tells whether something is new
   * @param {() => boolean} isWaiting  whether something is expected
   * @param {(run: () => void, milliseconds: number) => unknown} [later]
   */
  constructor(look, isWaiting, later = (run, milliseconds) => setTimeout(run, milliseconds)) {
    this.look = look;
    this.isWaiting = isWaiting;
    this.later = later;
    this.delay = FIRST_MILLISECONDS;
    this.turn = 0;
    this.isHidden = false;
  }

  /** Look soon: something was done. */
  soon() {
    this.delay = FIRST_MILLISECONDS;
    this.plan();
  }

  /** @param {boolean} isHidden */
  hide(isHidden) {
    this.isHidden = isHidden;
    this.turn += 1;
    if (!isHidden) this.run(this.turn);
  }

  plan() {
    if (this.isHidden) return;
    const turn = ++this.turn;
    this.later(() => this.run(turn), this.delay);
  }

  /** @param {number} turn */
  async run(turn) {
    if (turn !== this.turn || this.isHidden) return;
    let news = false;
    try {
      news = await this.look();
    } catch {
      // It is asked again; who acts is told of errors by his own request.
    }
    if (turn !== this.turn) return;
    const longest = this.isWaiting() ? LONGEST.waiting : LONGEST.idle;
    this.delay = news ? FIRST_MILLISECONDS : Math.min(longest, this.delay * SLOWER);
    this.plan();
  }
}
