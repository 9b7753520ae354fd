// What the bytes of a machine's state mean follows from the records in assembly/: their fields, in order, and the numbers
// that both sides share. A hash of these goes into each module, so that a saved machine is only loaded by an engine that
// means the same by it.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A field of a record: two spaces, name, type. Other statements of classes have a keyword, a call or a value. */
const FIELD = /^ {2}\w+: \w+;$/;
const HEADING = /^export class \w+/;
/** Where areas begin, how large they are, and the numbers of the ABI. */
const CONSTANT = /^(export )?const \w+: \w+ =|^ {2}\w+ = \w+,$/;

/** What only some builds have: it is no part of a machine's state. */
const APART = new Set(['bench', 'fuzz']);

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !APART.has(entry.name)) yield* sources(path);
    else if (entry.name.endsWith('.ts')) yield path;
  }
}

/** @returns {string} 16 hexadecimal digits */
export function stateFormat(root) {
  const hash = createHash('sha256');
  for (const path of sources(join(root, 'assembly'))) {
    const lines = readFileSync(path, 'utf8').split('\n');
    for (const line of lines) {
      if (FIELD.test(line) || HEADING.test(line) || CONSTANT.test(line)) hash.update(`${line}\n`);
    }
  }
  return hash.digest('hex').slice(0, 16);
}

/** A module with one more custom section. */
export function withSection(bytes, name, contents) {
  const encoder = new TextEncoder();
  const [nameBytes, contentBytes] = [encoder.encode(name), encoder.encode(contents)];
  // Lengths below 128 are one byte.
  const payload = [nameBytes.length, ...nameBytes, ...contentBytes];
  return Buffer.concat([bytes, Buffer.from([0, payload.length, ...payload])]);
}
