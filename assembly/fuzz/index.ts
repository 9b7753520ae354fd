// What the fuzz build exports besides the engine's surface.
import '../index';

export { HEADER as fuzzStateBegin } from '../memory/machine';

export {
  ALWAYS_DIRTY_END as fuzzAlwaysDirtyEnd,
  DIRTY_MAP as fuzzDirtyMap,
  EDGES as fuzzEdges,
  EDGES_MAX as fuzzEdgesMax,
  FUEL as fuzzFuel,
  GRANULE_SHIFT as fuzzGranuleShift,
  INPUT as fuzzInput,
  INPUT_BYTES as fuzzInputBytes,
  REACH as fuzzReach,
  REGISTERS as fuzzRegisterList,
  REGISTERS_MAX as fuzzRegistersMax,
  UNSEEN as fuzzUnseen,
} from './areas';
export * from './coverage';
export { fuzzDirtyDigest, fuzzKeep, fuzzMarkRange, fuzzRestore, fuzzRestoreAll } from './dirty';
export { fuzzOperation, fuzzRegisters, fuzzRun, fuzzTry } from './operations';
