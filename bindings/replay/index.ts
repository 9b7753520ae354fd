/**
 * Recorded traffic of a GIC: reading it, and replaying it with every recorded result compared.
 *
 * @module gicv4/trace
 */

export { CaptureParser } from './capture_reader.ts';
export { eventText } from './event_text.ts';
export type {
  AccessSize,
  Acknowledge,
  CaptureEvent,
  CommandRun,
  EventKind,
  MaintenanceResult,
  MemoryRange,
  MemoryStore,
  Message,
  Msi,
  PendingResult,
  PpiLine,
  QemuFields,
  RefusedRead,
  RefusedWrite,
  RegisterBlock,
  RegisterRead,
  RegisterWrite,
  SgiArrival,
  SgiRequest,
  SpiLine,
  SystemInterface,
  SystemRead,
  SystemWrite,
  TableWrite,
  Value,
  VirtualPendingResult,
  VirtualWiresResult,
  WiresResult,
} from './events.ts';
export { type Exclusion, type ExclusionId, exclusions } from './exclusions.ts';
export type { MachineOverrides } from './machine_inference.ts';
export { QemuLogParser } from './qemu_log.ts';
export { Recording, type RecordingFormat } from './recording.ts';
export { type ReplayOptions, replayFile } from './replay.ts';
export type {
  CheckKind,
  FoundMismatch,
  InterruptCounts,
  Mismatch,
  ReplayReport,
  VirtualCounts,
} from './report.ts';
export { reportLines } from './report_text.ts';
