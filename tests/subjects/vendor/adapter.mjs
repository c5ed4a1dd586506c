// The conformance protocol (docs/reference/protocol.md), version 1, around one of the vendor's SDKs.
// Both have the same public interface, and the newer one has more of it. What they do is left as it is:
// this calls what an app calls, and tells what an app is told.

import { Console } from 'node:console';
import { createInterface } from 'node:readline';

import { errorEvent, Unsupported } from './errors.mjs';
import { Storage } from './storage.mjs';
import { count, nextChange, Traffic } from './traffic.mjs';

// Before `time.mjs` takes the timers' names for the SDK.
const { setTimeout, clearTimeout } = globalThis;
const { liveIn, Time } = await import('./time.mjs');

// Standard output is for the protocol alone, and the SDK logs there.
globalThis.console = new Console(process.stderr);

// `development`: there is no such mode. A login with a user id alone is sent as it is, and the platform
// says whether that will do.
// `call`: the SDK's own HTTP client is part of the client that an app holds.
// `several`: an app may create as many as it likes, whatever comes of it.
// `own_handler`: each login is given the session handler.
// `region`: a client is created for one.
// No `reasons`: an older SDK tells none, the newer one only why a session was terminated.
// No `close`, `cancel`, `renew_now`, `hooks`: neither has anything of the kind.
const FEATURES = [
  'development',
  'own_handler',
  'region',
  'secure_logout',
  'call',
  'realtime',
  'observers',
  'several',
];
// `again`: each run has a copy of the SDK of its own.
const TIME = ['time', 'sleep', 'jump', 'again'];

// How long an answer may take to get here, in real milliseconds, once it is on its way.
const ANSWER = 5;
// The same for one that is asked for in the middle of an `advance`, where the kit cannot ask again.
const ANSWER_WITHIN_ADVANCE = 100;
// Turns of the event loop in which nothing happens, after which nothing will.
const QUIET_TURNS = 4;

const write = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const turn = () => new Promise((resolve) => setImmediate(resolve));
const nextTrafficChange = (milliseconds) => nextChange(setTimeout, clearTimeout, milliseconds);

// ── A run ───────────────────────────────────────────────────────────────────────────────────────

// One run: a platform, a time, a storage, and a copy of the SDK with its clients.
class World {
  constructor(subject, { url, api_key: apiKey, now, store }) {
    this.url = url;
    this.apiKey = apiKey;
    this.time = new Time(now);
    this.traffic = new Traffic(url);
    this.storage = new Storage(store, 'device.json');
    this.resumes = subject.features.includes('resume');
    this.clients = new Map();
    this.renewals = 0;
    this.told = 0;
    this.isOver = false;
    subject.keepIn(this.storage);
    liveIn(this.time);
    count(this.traffic);
    this.sdk = subject.sdk.load();
  }

  tell(event) {
    this.told += 1;
    if (!this.isOver) write(event);
  }

  uncaught(error) {
    this.tell({ event: 'uncaught', message: errorEvent(error).message });
  }

  // Whatever changes when something happens.
  get sign() {
    return `${this.told} ${this.traffic.sent} ${this.traffic.open} ${this.time.made}`;
  }

  fireDue(until) {
    for (;;) {
      const timer = this.time.next(until);
      if (timer === undefined) return;
      this.time.fire(timer, (error) => this.uncaught(error));
    }
  }

  // Go on until nothing happens any more without something from outside.
  async settle() {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet += 1) {
      const before = this.sign;
      await turn();
      this.fireDue(this.time.passed);
      if (this.sign !== before) quiet = -1;
    }
  }

  // The same at the end of a command. An answer may be on its way: it is waited for a little, so that
  // the kit asks less often.
  async becomeIdle() {
    await this.settle();
    while (this.traffic.open > 0) {
      const before = this.sign;
      await nextTrafficChange(ANSWER);
      await this.settle();
      if (this.sign === before) break;
    }
  }

  async advance(milliseconds) {
    const end = this.time.passed + milliseconds;
    for (;;) {
      const timer = this.time.next(end);
      if (timer === undefined) break;
      const { sent, open } = this.traffic;
      const before = this.sign;
      this.time.fire(timer, (error) => this.uncaught(error));
      this.fireDue(this.time.passed);
      await turn();
      if (this.sign === before) continue;
      await this.settle();
      // What was sent now is answered now, and not ten minutes later. If it is held up, it is not.
      if (this.traffic.sent > sent && this.traffic.open > open) await this.answered(open);
    }
    this.time.pass(end - this.time.passed);
  }

  async answered(open) {
    const deadline = process.hrtime.bigint() + BigInt(ANSWER_WITHIN_ADVANCE * 1e6);
    while (this.traffic.open > open && process.hrtime.bigint() < deadline) {
      await nextTrafficChange(ANSWER);
      await this.settle();
    }
  }

  // What this run left behind must not reach the next one.
  async end() {
    this.isOver = true;
    for (const { client } of this.clients.values()) {
      for (const http of [client.http, client.upload]) http?.defaults.httpAgent.destroy();
    }
    await this.settle();
  }

  idle(id) {
    const clients = {};
    for (const [name, { client, deviceId }] of this.clients) {
      clients[name] = { state: client.sessionState, user_id: client.userId ?? null, ...deviceId };
    }
    return { idle: id, clients, sent: this.traffic.sent, open: this.traffic.open };
  }
}

// ── A client, and the app around it ─────────────────────────────────────────────────────────────

const DEVICE_ID = '#deviceId';

class App {
  constructor(world, name, given) {
    this.world = world;
    this.name = name;
    this.slot = `app#session#${name}`;
    this.how = 'report';
    this.pending = new Map();
    this.hasSessionHandler = given.session_handler;
    const { Client } = world.sdk;
    const http = given.endpoint ?? world.url;
    this.client = Client.createClient(given.api_key ?? world.apiKey, given.region ?? 'sg', {
      // No MQTT and no websocket: the kit's platform has neither. A region is the SDK's to know.
      ...(given.region === undefined ? { apiEndpoint: { http, upload: http } } : {}),
      rteEnabled: false,
    });
    if (world.resumes) Client.onSessionStateChange((state) => this.keep(state));
    this.observe(0, 'report');
    if (given.access_token_handler) this.setAccessTokenHandler('report');
  }

  // There is one active client, and an app with several says which it means.
  get active() {
    this.client.use();
    return this.world.sdk.Client;
  }

  get deviceId() {
    const deviceId = this.world.storage.getItem(DEVICE_ID);
    return deviceId === null ? {} : { device_id: deviceId };
  }

  tell(event, details) {
    this.world.tell({ event, client: this.name, ...details });
  }

  get userId() {
    return this.client.userId ?? null;
  }

  // ── What it is told ───────────────────────────────────────────────────────────────────────────

  observe(observer, how) {
    this.active.onSessionStateChange((state) => {
      this.tell('state', { observer, state, user_id: this.userId });
      if (how === 'raise') throw new Error(`observer ${observer} raises`);
      if (how === 'logout' && state === 'established') this.active.logout();
    });
  }

  ask(event, details, renewal) {
    const number = ++this.world.renewals;
    this.pending.set(number, renewal);
    this.tell(event, { renewal: number, user_id: this.userId, ...details });
  }

  sessionHandler(handler) {
    return {
      sessionWillRenewAccessToken: (renewal) => {
        this.ask('renewal', { handler }, renewal);
        if (this.how !== 'report') throw new Error('the session handler raises');
      },
    };
  }

  accessTokenHandler() {
    return {
      onTokenRenew: (userId) =>
        new Promise((resolve, reject) => {
          this.ask('token_renew', { user_id: userId }, { resolve, reject });
          if (this.how === 'raise') reject(new Error('the access token handler raises'));
          if (this.how === 'garbage') resolve('this is no token');
        }),
    };
  }

  answer({ renewal: number, with: how, ...given }) {
    const renewal = this.pending.get(number);
    switch (how) {
      case 'renew':
        return renewal.renew();
      case 'auth_token':
        return renewal.renewWithAuthToken(given.auth_token);
      case 'unable':
        return renewal.unableToRetrieveAuthToken();
      case 'auth_signature':
        return renewal.renewWithAuthSignature({
          authSignature: given.auth_signature,
          authSignatureExpiresAt: moment(given.expires_at),
        });
      case 'unable_signature':
        return renewal.unableToRetrieveAuthSignature();
      case 'access_token':
        return renewal.resolve(given.access_token);
      case 'error':
        return renewal.reject(new Error('the access token handler raises'));
      default:
        throw new Unsupported(how);
    }
  }

  // ── What it calls ─────────────────────────────────────────────────────────────────────────────

  get itsSessionHandler() {
    return this.hasSessionHandler ? this.sessionHandler('client') : undefined;
  }

  // A new client, as an app opens it: it goes on with the session that it has kept, if any. An app that
  // may have visitors asks for the device id first, for its backend to sign.
  async open() {
    await this.client.getVisitorDeviceId?.();
    const kept = this.world.resumes ? this.world.storage.getItem(this.slot) : null;
    if (kept === null) return undefined;
    const session = JSON.parse(kept);
    this.asked = session.userId;
    return this.active.resumeSession(session, this.itsSessionHandler);
  }

  // The app keeps the session while it is one, before anybody is told. The SDK does not know yet whose
  // it is when it tells, and the app does, by what it asked for.
  keep(state) {
    const { storage } = this.world;
    const token = this.client.token;
    if (state === 'established' && this.asked !== undefined && token) {
      storage.setItem(this.slot, JSON.stringify({ userId: this.asked, token }));
    } else if (state === 'notLoggedIn' || state === 'terminated') {
      storage.removeItem(this.slot);
    }
  }

  login({ user_id: userId, auth_token: authToken, display_name: displayName, own_handler: own }) {
    this.asked = userId;
    const handler = own ? this.sessionHandler('own') : this.itsSessionHandler;
    return this.active.login({ userId, ...defined({ authToken, displayName }) }, handler);
  }

  async loginWithAccessToken({ access_token: accessToken }) {
    this.asked = undefined;
    const value = await this.active.loginWithAccessToken(accessToken);
    // Whose token it is, the app learns from the client.
    this.asked = this.client.userId;
    this.keep(this.client.sessionState);
    return value;
  }

  loginAsVisitor({ auth_signature: authSignature, auth_signature_expires_at: expiresAt }) {
    this.asked = undefined;
    return this.active.loginAsVisitor({
      ...defined({ authSignature, authSignatureExpiresAt: moment(expiresAt) }),
      sessionHandler: this.itsSessionHandler,
    });
  }

  loginAsBot() {
    this.asked = undefined;
    return this.active.loginAsBot({ sessionHandler: this.itsSessionHandler });
  }

  async logout(how) {
    const value = await this.active[how]();
    this.world.storage.removeItem(this.slot);
    return value;
  }

  setAccessTokenHandler(to) {
    const handlers = { report: this.accessTokenHandler(), none: null, wrong: 42 };
    return this.active.setAccessTokenHandler(handlers[to]);
  }

  // The SDK's own requests go this way, too. Its errors do not tell the HTTP status, so that is noted
  // where axios asks whether it is a good one.
  async call({ path }) {
    let answered;
    const validateStatus = (status) => {
      answered = status;
      return status >= 200 && status < 300;
    };
    try {
      await this.client.http.get(path, { validateStatus });
    } catch (error) {
      if (answered === undefined) throw error;
    }
    return answered;
  }

  // An event of realtime, where the SDK's MQTT client would put it once it has come in as
  // {"eventType": event, "data": data}. Its handlers are there if the SDK has registered them.
  hear({ event, user_id: userId }) {
    const flags = { isGlobalBan: event === 'user.didGlobalBan', isDeleted: event === 'user.deleted' };
    const user = { _id: userId, userId, path: `public/user/${userId}`, ...flags };
    this.client.emitter.emit(event, { users: [user], files: [] });
  }
}

const defined = (values) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null));

// When a signature expires, as the SDK takes it, and as it was signed: ISO 8601 in UTC, with milliseconds.
const moment = (at) => (typeof at === 'number' ? new Date(at * 1000).toISOString() : at);

// ── The commands ────────────────────────────────────────────────────────────────────────────────

const CALLS = {
  open: (app) => app.open(),
  login: (app, given) => app.login(given),
  login_with_access_token: (app, given) => app.loginWithAccessToken(given),
  login_as_visitor: (app, given) => app.loginAsVisitor(given),
  login_as_bot: (app) => app.loginAsBot(),
  logout: (app) => app.logout('logout'),
  secure_logout: (app) => app.logout('secureLogout'),
  set_access_token_handler: (app, { to }) => app.setAccessTokenHandler(to),
  handle: (app, { how }) => void (app.how = how),
  answer: (app, given) => app.answer(given),
  observe: (app, { observer, how }) => app.observe(observer, how),
  call: (app, given) => app.call(given),
  realtime: (app, given) => app.hear(given),
};

const NEEDS = {
  login_with_access_token: 'access_token',
  set_access_token_handler: 'access_token',
  login_as_visitor: 'visitor',
  login_as_bot: 'bot',
};

// Have a client do something, and tell what became of it whenever that is clear.
async function call(world, features, given) {
  const { id, do: what, client: name } = given;
  try {
    if (!(what in CALLS) || (NEEDS[what] && !features.includes(NEEDS[what]))) throw new Unsupported(what);
    if (what === 'open') world.clients.set(name, new App(world, name, given));
    const value = await CALLS[what](world.clients.get(name), given);
    world.tell({ event: 'done', of: id, ...defined({ value }) });
  } catch (error) {
    world.tell({ event: 'failed', of: id, ...errorEvent(error) });
  }
}

const passing = {
  settle() {},
  advance: (world, milliseconds) => world.advance(milliseconds),
  sleep: (world, milliseconds) => world.time.sleep(milliseconds),
  jump: (world, milliseconds) => world.time.jump(milliseconds),
};

export async function serve(subject) {
  const features = [...FEATURES, ...subject.features, ...TIME];
  let world;

  const uncaught = (error) => (world === undefined ? console.error(error) : world.uncaught(error));
  process.on('uncaughtException', uncaught);
  process.on('unhandledRejection', uncaught);
  // Nobody listens any more.
  process.stdout.on('error', () => process.exit(1));

  const hello = ({ id }) => {
    const { name, version } = subject.sdk;
    write({ idle: id, protocol: 1, name, version, features });
  };

  // An error of the adapter's own is none of the SDK's: it ends the run, and says so.
  try {
    for await (const line of createInterface({ input: process.stdin })) {
      const given = JSON.parse(line);
      if (given.do === 'bye') break;
      if (given.do === 'hello') {
        hello(given);
        // While the kit makes its platform: a run loads it faster then.
        subject.sdk.load();
        continue;
      }
      if (given.do === 'begin') {
        await world?.end();
        world = new World(subject, given);
      } else if (given.do in passing) await passing[given.do](world, given.seconds * 1000);
      else void call(world, features, given);
      await world.becomeIdle();
      write(world.idle(given.id));
    }
    process.exit(0);
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}
