// Reads the section list of a WebAssembly module and tells what the engine's rules forbid in it.
const START = 8;
const DATA = 11;

function* sections(bytes) {
  let at = 8;
  while (at < bytes.length) {
    const id = bytes[at++];
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    yield { id, size };
    at += size;
  }
}

/** @returns {string[]} one line for each rule that the module breaks */
export function moduleProblems(bytes) {
  const problems = [];
  for (const { id, size } of sections(bytes)) {
    if (id === START) problems.push('has a start function');
    if (id === DATA && size > 1) problems.push('has a data segment');
  }
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes));
  for (const { module, name, kind } of imports) {
    if (kind !== 'memory') problems.push(`imports ${module}.${name} (${kind})`);
  }
  if (!imports.some(({ kind }) => kind === 'memory')) problems.push('does not import its memory');
  return problems;
}
