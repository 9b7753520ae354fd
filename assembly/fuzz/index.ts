// What the fuzz build exports besides the engine's surface.
import '../index';

export { HEADER as fuzzStateBegin } from '../memory/machine';

export {
  ALWAYS_DIRTY_END as fuzzAlwaysDirtyEnd,
  DIRTY_LINES as fuzzDirtyLines,
  DIRTY_MAP as fuzzDirtyMap,
  EDGES as fuzzEdges,
  EDGES_MAX as fuzzEdgesMax,
  GRANULE_SHIFT as fuzzGranuleShift,
  HANG as fuzzHang,
  INPUT as fuzzInput,
  INPUT_BYTES as fuzzInputBytes,
  LINE_SHIFT as fuzzLineShift,
  LOOP_LIMIT as fuzzLoopLimit,
  REACH as fuzzReach,
  REGISTERS as fuzzRegisterList,
  REGISTERS_MAX as fuzzRegistersMax,
  UNSEEN as fuzzUnseen,
} from './areas';
export * from './coverage';
export { fuzzDirtyDigest, fuzzKeep, fuzzMarkFill, fuzzMarkRange, fuzzRestore, fuzzRestoreAll } from './dirty';
export { fuzzOperation, fuzzRegisters, fuzzRun, fuzzTry } from './operations';
