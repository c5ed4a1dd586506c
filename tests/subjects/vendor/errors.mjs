// What an error of the vendor's SDKs says to an app, in the kinds of the protocol. Only what an app can
// tell by: the error's code. An error without one is `other`, however clear its message is to people.

const KINDS = new Map([
  // The platform's.
  [400000, 'refused'],
  [400100, 'refused'],
  [400300, 'refused'],
  [400301, 'refused'],
  [400311, 'unavailable'],
  [400312, 'user_banned'],
  [400400, 'user_deleted'],
  // The SDK's own. 800000 is for everything else.
  [800110, 'invalid_argument'],
  [800210, 'unavailable'],
  [800211, 'unavailable'],
  [800403, 'renewal_failed'],
  // Those of the HTTP library, where the SDK lets them through.
  ['ECONNABORTED', 'unavailable'],
  ['ECONNREFUSED', 'unavailable'],
  ['ECONNRESET', 'unavailable'],
  ['EPIPE', 'unavailable'],
  ['ERR_NETWORK', 'unavailable'],
  ['ETIMEDOUT', 'unavailable'],
]);

const LONGEST_MESSAGE = 1000;

// What the adapter cannot do.
export class Unsupported extends Error {}

export function errorEvent(error) {
  const message = String(error?.message ?? error).slice(0, LONGEST_MESSAGE);
  const kind = error instanceof Unsupported ? 'unsupported' : (KINDS.get(error?.code) ?? 'other');
  return { kind, message };
}
