// What is kept on the device: strings by key, in a file of the folder that the kit names. Written
// before anything else happens, as a browser's localStorage does.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export class Storage {
  constructor(folder, name) {
    this.path = join(folder, name);
    try {
      this.kept = JSON.parse(readFileSync(this.path, 'utf8'));
    } catch {
      this.kept = {};
    }
  }

  getItem(key) {
    return this.kept[key] ?? null;
  }

  setItem(key, value) {
    this.kept[key] = String(value);
    this.write();
  }

  removeItem(key) {
    if (!(key in this.kept)) return;
    delete this.kept[key];
    this.write();
  }

  write() {
    writeFileSync(this.path, JSON.stringify(this.kept));
  }
}
