// Mermaid's own reading of a diagram on standard input, as JSON on standard output.
// Usage: node read_mermaid.mjs FOLDER, where FOLDER is what npm installed into.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.argv[2], 'package.json'));
const { JSDOM } = require('jsdom');
const { window } = new JSDOM('<!DOCTYPE html><body></body>', { pretendToBeVisual: true });
Object.assign(globalThis, { window, document: window.document });

const mermaid = (await import(pathToFileURL(require.resolve('mermaid')))).default;
const text = readFileSync(0, 'utf8');
await mermaid.parse(text);
const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);

function states() {
  const { nodes, edges } = db.getData();
  return {
    accTitle: db.getAccTitle(),
    nodes: nodes.map(({ id, shape, label, description, cssClasses }) => ({ id, shape, label, description, cssClasses })),
    edges: edges.map(({ start, end, label }) => ({ start, end, label })),
    // Mermaid takes the quotes off when it draws.
    links: Object.fromEntries([...db.getLinks()].map(([key, { url }]) => [key.id ?? key, url.replace(/^"+|"+$/g, '')])),
  };
}

function messages() {
  const said = db.getMessages().filter(({ from, to }) => from && to);
  return { messages: said.map(({ from, to, message }) => [from, to, message]) };
}

const read = db.getMessages ? messages() : states();
process.stdout.write(JSON.stringify(read));
