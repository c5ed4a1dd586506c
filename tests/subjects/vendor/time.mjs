// The time that an SDK lives in: it passes when the kit says so. The SDK finds it in the globals that
// it takes its time from. What the adapter waits for (sockets, turns of the event loop) stays real.
//
// Libraries that fake timers do not fit here: they give a timer of 0 s a millisecond of its own while
// others fire, so that it is late for the end of an `advance`; they cannot wait between two timers for
// an answer of the platform; and they load for longer than these lines.

// What concerns the session, the SDKs look at every ten minutes. Other intervals of theirs look every
// second whether there is anything to send: in a token's thirty days these are ten million calls that
// do nothing. They take their turn every ten minutes, as on a phone that dozes.
const SHORTEST_INTERVAL = 600_000;

const RealDate = Date;

export class Time {
  // Somebody may set `wall`, in which case no time passes; timers go by `passed`. Both in milliseconds.
  constructor(now) {
    this.wall = now * 1000;
    this.passed = 0;
    this.timers = new Map();
    this.made = 0;
  }

  start(callback, delay, every) {
    // As in Node.js: an object, which can also be used as a number.
    const id = ++this.made;
    this.timers.set(id, { callback, due: this.passed + delay, every });
    return { [Symbol.toPrimitive]: () => id, ref() {}, unref() {}, hasRef: () => true };
  }

  // The timer that is due first by then; of those due at the same time, the one made first.
  next(until) {
    let first;
    for (const [id, timer] of this.timers) {
      if (timer.due <= until && (first === undefined || timer.due < first[1].due)) first = [id, timer];
    }
    return first;
  }

  // Fire that timer at its time. An error in it is its own.
  fire([id, timer], uncaught) {
    this.pass(timer.due - this.passed);
    if (timer.every === undefined) this.timers.delete(id);
    else timer.due += timer.every;
    try {
      timer.callback();
    } catch (error) {
      uncaught(error);
    }
  }

  pass(milliseconds) {
    if (milliseconds <= 0) return;
    this.passed += milliseconds;
    this.wall += milliseconds;
  }

  jump(milliseconds) {
    this.wall += milliseconds;
  }

  // The machine sleeps: whatever comes due meanwhile is overdue on waking, an interval just once.
  sleep(milliseconds) {
    this.pass(milliseconds);
    for (const timer of this.timers.values()) {
      if (timer.every === undefined) continue;
      while (timer.due + timer.every <= this.passed) timer.due += timer.every;
    }
  }
}

let time = new Time(RealDate.now() / 1000);

// From now on, the globals show this time.
export function liveIn(other) {
  time = other;
}

const delayOf = (delay) => (delay > 0 ? Number(delay) : 0);

globalThis.setTimeout = (callback, delay, ...rest) => time.start(() => callback(...rest), delayOf(delay));
globalThis.setInterval = (callback, delay, ...rest) => {
  const every = Math.max(delayOf(delay), SHORTEST_INTERVAL);
  return time.start(() => callback(...rest), every, every);
};
globalThis.clearTimeout = globalThis.clearInterval = (timer) => {
  if (timer != null) time.timers.delete(+timer);
};
globalThis.Date = class Date extends RealDate {
  constructor(...given) {
    if (given.length > 0) super(...given);
    else super(Math.floor(time.wall));
  }

  static now() {
    return Math.floor(time.wall);
  }
};
performance.now = () => time.passed;
