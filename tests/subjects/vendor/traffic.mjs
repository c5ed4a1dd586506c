// The requests that are sent to the platform, seen where Node.js sends them.

import { subscribe } from 'node:diagnostics_channel';

export class Traffic {
  constructor(url) {
    this.host = new URL(url).host;
    this.sent = 0;
    this.open = 0;
  }
}

let traffic;
let changed = () => {};

// From now on, count here.
export function count(other) {
  traffic = other;
}

subscribe('http.client.request.start', ({ request }) => {
  const its = traffic;
  if (its === undefined || request.getHeader('host') !== its.host) return;
  its.sent += 1;
  its.open += 1;
  changed();
  request.once('close', () => {
    its.open -= 1;
    changed();
  });
});

// Resolves when a request begins or ends, or after some real milliseconds.
export function nextChange(setTimeout, clearTimeout, milliseconds) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    changed = () => {
      changed = () => {};
      clearTimeout(timer);
      resolve();
    };
  });
}
