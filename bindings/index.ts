/** The Arm GICv3 and GICv4 interrupt controller as a simulation engine. */
export {
  type AddressMap,
  type Architecture,
  type IdentificationRegisters,
  type MachineConfig,
  type MachineOptions,
  type PresetName,
  presets,
  resolveConfig,
} from './config.ts';
export type { CounterValues, LpiRequestCounts } from './counters.ts';
export { type Diagnostic, type DiagnosticCode, diagnosticTable } from './diagnostics.ts';
export { type Engine, type EngineBuild, loadEngine } from './engine.ts';
export { GicError, type GicErrorCode } from './errors.ts';
export type { GicHardware, HighestPending } from './hardware.ts';
export { createMachine, type DeviceEntry, type InterruptEntry, Machine, type MsiOutcome } from './machine.ts';
export { architecturePolicy, type Policy, qemuPolicy } from './policy.ts';
export {
  frameAddress,
  implementedRegisters,
  type RegisterDefinition,
  registerAddress,
  registerDefinitions,
  registerName,
} from './registers/index.ts';
export { type SystemRegisterDefinition, systemRegisters } from './registers/system.ts';
