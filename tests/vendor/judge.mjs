// Plays one scenario with the vendor's SDK against a platform, and prints what it saw, a JSON object
// a line: {"saw": what, ...}. Which scenario, and where and with which keys, comes on standard input
// as one JSON object; the first argument is the folder that the SDK was installed into.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { tenMinutesPass } from './stand_ins.mjs';

const { scenario, url, apiKey, serverKey, adminToken, userId } = JSON.parse(readFileSync(0, 'utf8'));
const { Client, UserRepository } = createRequire(`${process.argv[2]}/package.json`)('@amityco/ts-sdk');

const saw = (what, details = {}) => console.log(JSON.stringify({ saw: what, ...details }));

// ── The customer's backend, and an administrator ────────────────────────────────────────────────

async function post(path, headers, body) {
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.text();
}

const authToken = () => post('/api/v4/authentication/token', { 'x-server-key': serverKey }, { userId });
const ban = () => post('/api/v2/users/ban', { authorization: `Bearer ${adminToken}` }, { userId });

// ── The app ─────────────────────────────────────────────────────────────────────────────────────

// No MQTT and no websocket: the platform that is judged has neither.
const client = Client.createClient(apiKey, 'sg', { apiEndpoint: { http: url }, rteEnabled: false });
Client.onSessionStateChange((state) => saw('state', { state }));

const handler = {
  async sessionWillRenewAccessToken(renewal) {
    saw('renewal asked');
    renewal.renewWithAuthToken(await authToken());
  },
};

// Says what came of something: its value, or its error as the SDK words it.
async function outcome(what, promise) {
  try {
    saw(what, { value: await promise });
  } catch (error) {
    saw(what, { error: error.name, code: error.code, message: error.message });
  }
}

async function login(params) {
  await outcome('login', Client.login({ userId, authToken: await authToken(), ...params }, handler));
}

const fetchUser = () =>
  new Promise((resolve, reject) => {
    UserRepository.getUser(userId, ({ data, loading, error }) => {
      if (error) reject(error);
      else if (!loading) resolve(data.userId);
    });
  });

async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

// ── The scenarios ───────────────────────────────────────────────────────────────────────────────

const SCENARIOS = {
  async life() {
    await login({ displayName: 'Ann' });
    await outcome('user', fetchUser());
    const { accessToken } = client.token;
    tenMinutesPass();
    await until(() => client.token.accessToken !== accessToken);
    tenMinutesPass();
    await outcome('settings', client.getMessagePreviewSetting());
    await outcome('secure logout', Client.secureLogout());
  },

  async banned() {
    await login();
    await ban();
    await outcome('settings', client.getMessagePreviewSetting());
    await outcome('user', fetchUser());
  },

  async rejected() {
    await login();
    await outcome('settings', client.getMessagePreviewSetting());
    await until(() => client.sessionState === 'terminated');
  },

  async refused() {
    await login({ authToken: undefined });
    await login({ authToken: 'made up' });
    await login();
  },

  async secureLogoutRefused() {
    await login();
    await outcome('secure logout', Client.secureLogout());
    await outcome('secure logout', Client.secureLogout());
    await outcome('user', fetchUser());
  },

  async flagged() {
    await login();
  },
};

await SCENARIOS[scenario]();
saw('end', { state: client.sessionState });
process.exit(0);
