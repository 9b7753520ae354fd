import {
  createMachine,
  createMachineSync,
  GicError,
  loadEngine,
  memoryPages,
  threadsPossible,
} from '/dist/browser/index.js';
import * as inline from '/dist/browser/inline.js';
import { replayFile } from '/dist/browser/trace.js';
import { parseVector, runVector } from '/dist/browser/vectors.js';
import { boot, deliver, options } from './hello.js';

const refusal = (error) => {
  if (!(error instanceof GicError)) throw error;
  return { code: error.code, message: error.message };
};

function attempt(action) {
  try {
    return action();
  } catch (error) {
    return refusal(error);
  }
}

function kindOf(gic) {
  return gic.memory.buffer instanceof ArrayBuffer ? 'single' : 'shared';
}

function hello(gic) {
  boot(gic);
  return { build: kindOf(gic), ...deliver(gic) };
}

const syncBeforeLoad = attempt(() => hello(createMachineSync(options)));
const loaded = hello(await createMachine(options));
const bytes = await (await fetch('/build/gic.single.wasm')).arrayBuffer();
const memory = new WebAssembly.Memory({ initial: memoryPages(await loadEngine('single'), options) });

globalThis.result = {
  isolated: crossOriginIsolated,
  threadsPossible: threadsPossible(),
  syncBeforeLoad,
  loaded,
  syncAfterLoad: attempt(() => hello(createMachineSync(options))),
  single: hello(await createMachine(options, 'single')),
  shared: await createMachine(options, 'shared').then(hello, refusal),
  fromBytes: hello(createMachineSync(options, { module: bytes })),
  inMemory: hello(await createMachine(options, { memory })),
  inline: hello(inline.createMachineSync(options)),
  inlineShared: attempt(() => hello(inline.createMachineSync(options, 'shared'))),
  disposed: attempt(() => {
    const gic = createMachineSync(options, { module: bytes });
    gic.dispose();
    return gic.irq(0);
  }),
  replay: await replayFile('/test/fixtures/captures/kut-ipi.jsonl.gz').then(
    ({ events, checked, mismatches }) => ({ events, checked, mismatches }),
    refusal,
  ),
  vector: runVector(
    parseVector('{"name":"v","machine":{},"steps":[{"op":"msi","devid":1,"data":2}]}', 'v.json'),
    await createMachine(options),
  ),
};
document.querySelector('#out').textContent = JSON.stringify(globalThis.result, null, 2);
