// What the SDK for browsers takes from a page and does not find in Node.js. Each stand-in does what a
// browser does, as far as the SDK asks, and no more: nothing of the SDK itself is replaced.

// A page keeps its device id here. Without it the SDK makes a new one for every call, so that a
// renewal would come from another device than its login.
export function keepIn(localStorage) {
  globalThis.window = { localStorage, ...NETWORK };
}

// A page hears when the network comes and goes. Here it never does: what goes wrong with it, the
// platform does.
const NETWORK = { addEventListener() {}, removeEventListener() {} };

// A page has an address, and a Request for no URL is one for a name relative to it. The SDK makes
// such a Request after every success, to report network activity; in Node.js that throws, and every
// login fails.
const PAGE = 'http://page.invalid/';
globalThis.Request = class extends Request {
  constructor(url, init) {
    super(new URL(String(url), PAGE), init);
  }
};

// Two browser tabs agree on their numbers over this channel. There is one page here, and an open
// channel would keep the process alive.
delete globalThis.BroadcastChannel;
