// What the vendor's SDK takes from a browser and does not find in Node.js: a page, and its time.

import { keepIn } from '../subjects/vendor/page.mjs';

const kept = new Map();
keepIn({
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, value) => void kept.set(key, String(value)),
});

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
