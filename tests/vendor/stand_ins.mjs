// What the vendor's SDK takes from a browser and does not find in Node.js. Each stand-in does what a
// browser does, as far as the SDK asks, and no more: nothing of the SDK itself is replaced.

// A page keeps its device id here. Without it the SDK makes a new one for every call, so that a
// renewal would come from another device than its login.
const kept = new Map();
globalThis.window = {
  localStorage: {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, String(value)),
  },
};

// A page has an address, and a Request for no URL is one for a name relative to it. The SDK makes
// such a Request after every success, to report network activity; in Node.js that throws, and every
// login fails.
const PAGE = 'http://page.invalid/';
globalThis.Request = class extends Request {
  constructor(url, init) {
    super(new URL(String(url), PAGE), init);
  }
};

// The SDK looks every ten minutes whether its token is about to expire. Ten minutes pass here when a
// scenario says so, so that it is the SDK itself that asks for the renewal.
const TEN_MINUTES = 600_000;
const tickers = new Map();
const { setInterval, clearInterval } = globalThis;
globalThis.setInterval = (callback, delay, ...rest) => {
  if (delay !== TEN_MINUTES) return setInterval(callback, delay, ...rest);
  const ticker = {};
  tickers.set(ticker, callback);
  return ticker;
};
globalThis.clearInterval = (ticker) => tickers.delete(ticker) || clearInterval(ticker);

export function tenMinutesPass() {
  for (const callback of [...tickers.values()]) callback();
}

// Two browser tabs agree on their numbers over this channel. There is one page here, and an open
// channel would keep the process alive.
delete globalThis.BroadcastChannel;
