// Inlines the hardware floor as far as it pays: V8 as Node 20 has it inlines nothing in WebAssembly, and calls are a third
// of what a short command costs. The layers above, which are larger and called less often, are left as they are, so that
// the module stays small.
import binaryen from 'binaryen';

/** Functions that stay functions, by name. */
const COLD = [
  ...['assembly/kvm/*', 'assembly/sim/*', 'assembly/irqchip/*', 'assembly/timer/*'],
  ...['assembly/diag/*', 'assembly/memory/state/*', 'assembly/gic/initialize/*'],
  ...['assembly/gic/bank_registers/*', 'assembly/gic/distributor_registers/*'],
];

const { MutableGlobals, SignExt, NontrappingFPToInt, BulkMemory, BulkMemoryOpt } = binaryen.Features;
const features = MutableGlobals | SignExt | NontrappingFPToInt | BulkMemory | (BulkMemoryOpt ?? 0);
const enabled = { simd: binaryen.Features.SIMD128, threads: binaryen.Features.Atomics };

/** Optimizes a module for speed, with far more inlining than the compiler does by itself. Names stay. */
export function optimize(module) {
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(0);
  binaryen.setDebugInfo(true);
  binaryen.setAlwaysInlineMaxSize(40);
  binaryen.setFlexibleInlineMaxSize(280);
  // Always: the compiler leaves a limit behind.
  binaryen.setOneCallerInlineMaxSize(0xffff_ffff);
  binaryen.setAllowInliningFunctionsWithLoops(true);
  // What became small or constant by the first round is inlined in the second.
  module.optimize();
  module.optimize();
}

/**
 * @param {Uint8Array} bytes a module with the names of its functions
 * @param {readonly string[]} enable features beside the compiler's own, as in asconfig.json
 * @returns {Uint8Array} the module without names
 */
export function inlineHardware(bytes, enable = []) {
  const module = binaryen.readBinary(bytes);
  module.setFeatures(enable.reduce((all, name) => all | enabled[name], features));
  try {
    for (const names of COLD) {
      binaryen.setPassArgument('no-inline', names);
      module.runPasses(['no-inline']);
    }
    optimize(module);
    binaryen.setDebugInfo(false);
    module.runPasses(['strip-debug']);
    if (!module.validate()) throw new Error('the module is not valid after inlining');
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}
