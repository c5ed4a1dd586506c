// The SDK, loaded as often as one likes. It keeps its session in variables of its module, so another
// run needs another copy of the module: its text is compiled once and run anew. The libraries that it
// is built on are loaded once.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';

// What an SDK asks for and no session touches: a video player, and the socket of a realtime that is off.
const UNUSED = { 'hls.js': {}, 'socket.io-client': {} };

export class PackageAfresh {
  // `standIns`: modules of a platform that is not here, by name. Nothing of the SDK itself.
  constructor(folder, name, standIns = {}) {
    const require = createRequire(join(folder, 'package.json'));
    this.name = name;
    this.main = require.resolve(name);
    this.standIns = { ...UNUSED, ...standIns };
    this.version = require(`${name}/package.json`).version;
  }

  load() {
    this.script ??= this.compile();
    const module = { exports: {} };
    this.script.runInThisContext()(module.exports, (name) => this.require(name), module);
    return module.exports;
  }

  compile() {
    this.itsRequire = createRequire(this.main);
    const text = readFileSync(this.main, 'utf8');
    return new Script(`(function (exports, require, module) {${text}\n})`, { filename: this.main });
  }

  require(name) {
    return this.standIns[name] ?? this.itsRequire(name);
  }
}
