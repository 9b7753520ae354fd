// The binaryen pass of the fuzz build. It inserts
//
// - a counter of 8 bits where a condition leads one way or the other (instrument/edges.mjs);
// - before each store, the note that its granule is written to (instrument/notes.mjs), so that a fuzzer can go back to a
//   state it kept at a cost that follows what was written;
// - at each iteration of a loop, a look at how many there were: one that does not end traps (instrument/loops.mjs).
//
// Counters and looks are put where inputs lead: into what `fuzzRun` calls, but for what belongs to the fuzzer. Where all
// this stands in memory the module says itself, by its exported constants (assembly/fuzz/areas.ts).
import binaryen from 'binaryen';
import { optimize } from './inline.mjs';
import { Edges } from './instrument/edges.mjs';
import { limitLoops } from './instrument/loops.mjs';
import { Notes } from './instrument/notes.mjs';
import { calledFrom } from './instrument/tree.mjs';

/** The fuzzer's own: where it goes is no coverage of the engine, and its loops end. */
const FUZZER = /^assembly\/fuzz\//;
/** Every access and every action passes here, on ways that are all known after some hundred inputs. */
const PASSED_BY_ALL = /^assembly\/(gic\/(bus|register_file|outputs)|virt\/outputs)\//;
/** Of these the ones that write what is no state. */
const BESIDE = /^assembly\/fuzz\/(dirty|coverage)\//;

const { MutableGlobals, SignExt, NontrappingFPToInt, BulkMemory, BulkMemoryOpt, SIMD128 } = binaryen.Features;
/** What the compiler uses with the features of asconfig.json. */
const features = MutableGlobals | SignExt | NontrappingFPToInt | BulkMemory | (BulkMemoryOpt ?? 0) | SIMD128;

/** The constants that a module exports. */
function placesOf(bytes) {
  const memory = new WebAssembly.Memory({ initial: 64 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return {
    stateBegin: exports.fuzzStateBegin.value,
    alwaysDirtyEnd: exports.fuzzAlwaysDirtyEnd.value,
    hang: exports.fuzzHang.value,
    loopLimit: exports.fuzzLoopLimit.value,
    edges: exports.fuzzEdges.value,
    edgesMax: exports.fuzzEdgesMax.value,
    dirtyLines: exports.fuzzDirtyLines.value,
    dirtyMap: exports.fuzzDirtyMap.value,
    lineShift: exports.fuzzLineShift.value,
    granuleShift: exports.fuzzGranuleShift.value,
    reach: exports.fuzzReach.value,
  };
}

/** What only the layers above the hardware export, which no input reaches. */
const ABOVE = /^(kvm|vits|sim)(?!Bytes$)/;

function removeLayersAbove(module) {
  for (let n = module.getNumExports() - 1; n >= 0; n--) {
    const { name } = binaryen.getExportInfo(module.getExportByIndex(n));
    if (ABOVE.test(name)) module.removeExport(name);
  }
  module.runPasses(['remove-unused-module-elements']);
}

/** @returns {Uint8Array} the module with counters and notes; its export `fuzzEdgeCount` says how many edges there are */
export function instrument(bytes) {
  const module = binaryen.readBinary(bytes);
  module.setFeatures(features);
  try {
    removeLayersAbove(module);
    const places = placesOf(bytes);
    const edges = new Edges(module, places);
    const notes = new Notes(module, places);
    const reached = calledFrom(module, 'fuzzRun');
    for (let n = 0; n < module.getNumFunctions(); n++) {
      const fn = module.getFunctionByIndex(n);
      const { name, body } = binaryen.getFunctionInfo(fn);
      if (body === 0 || BESIDE.test(name)) continue;
      notes.instrument(fn);
      if (!reached.has(name) || FUZZER.test(name)) continue;
      if (!PASSED_BY_ALL.test(name)) edges.instrument(fn);
      limitLoops(module, fn, places);
    }
    module.addGlobal('fuzzEdgeCount', binaryen.i32, false, module.i32.const(edges.count));
    module.addGlobalExport('fuzzEdgeCount', 'fuzzEdgeCount');
    if (!module.validate()) throw new Error('the instrumented module is not valid');
    // After the pass: what is inlined in several places keeps its counters.
    optimize(module);
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}
