// The vendor's SDK for React Native, 7.20.0, as a subject of the kit:
//
//     splus-session conform -- node ts7.mjs FOLDER
//
// where FOLDER is where `package.json` was installed. The phone is not here: its modules are stood in
// for, as far as the SDK asks. Nothing of the SDK itself is replaced.

import { serve } from './adapter.mjs';
import { PackageAfresh } from './package_afresh.mjs';

let storage;

const AsyncStorage = {
  getItem: async (key) => storage.getItem(key),
  setItem: async (key, value) => storage.setItem(key, value),
  removeItem: async (key) => storage.removeItem(key),
};

// How the SDK sees that it is on a phone, and that its storage is AsyncStorage.
Object.defineProperty(globalThis, 'navigator', { value: { product: 'ReactNative' }, configurable: true });

const standIns = {
  'react-native': { Platform: { OS: 'android' } },
  '@react-native-async-storage/async-storage': { __esModule: true, default: AsyncStorage },
  // The network never changes here: what goes wrong with it, the platform does.
  '@react-native-community/netinfo': { addEventListener: () => () => {} },
};

serve({
  sdk: new PackageAfresh(process.argv[2], '@amityco/ts-sdk-react-native', standIns),
  // `resume`: the SDK stores no session, and its `resumeSession` takes one that the app has kept.
  // It is exported and described as the way to connect with a token that there is already, so an app
  // that is to go on where it was does this: keep `client.token` while established, and hand it back.
  features: ['access_token', 'visitor', 'bot', 'resume'],
  keepIn: (its) => {
    storage = its;
  },
});
