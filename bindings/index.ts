/**
 * The Arm GICv3 and GICv4 interrupt controller as a simulation engine.
 *
 * @module gicv4
 */

export { Counter, Frame, Outcome } from '../assembly/abi.ts';
export { decodeCommand, encodeCommand } from './commands/codec.ts';
export type {
  CommandOptions,
  Doublewords,
  ItsCommand,
  PlainCommand,
  UnknownCommand,
  VmappCommand,
  VmappLayout,
} from './commands/command.ts';
export type { CommandName } from './commands/definitions.ts';
export { type CommandError, type CommandErrorReason, commandErrors } from './commands/errors.ts';
export { formatCommand } from './commands/text.ts';
export {
  type AddressMap,
  type Architecture,
  type IdentificationRegisters,
  type MachineConfig,
  type MachineOptions,
  type PresetConfig,
  type PresetName,
  presets,
  resolveConfig,
} from './config.ts';
export type { CounterValues, LpiRequestCounts } from './counters.ts';
export { createMachine, createMachineSync, memoryPages } from './create_machine.ts';
export {
  type Diagnostic,
  type DiagnosticCode,
  type DiagnosticDescription,
  diagnosticTable,
} from './diagnostics.ts';
export type { Engine, EngineBuild } from './engine.ts';
export { type EngineOptions, loadEngine, loadEngineSync, threadsPossible } from './engine_loading.ts';
export { GicError, type GicErrorCode } from './errors.ts';
export type {
  EventAtCpu,
  EventAtIts,
  EventGroup,
  EventInterrupt,
  EventVpe,
  MachineEvent,
  VirtualEventInterrupt,
  VirtualSource,
} from './events.ts';
export type { GicHardware, HighestPending, VirtualOutputs } from './hardware.ts';
export type { Affinity } from './irqchip/affinity.ts';
export { type HistoricalBug, type HistoricalBugName, historicalBugs } from './irqchip/bugs.ts';
export { Device, DeviceIrq, type LpiProperties, type VlpiMap } from './irqchip/device.ts';
export { type Errno, IrqChipError } from './irqchip/errors.ts';
export type { IrqChipFacts } from './irqchip/facts.ts';
export { Irq } from './irqchip/irq.ts';
export { IrqChip, type IrqChipOptions, type KernelEra } from './irqchip/irqchip.ts';
export { actionText, type DriverAction } from './irqchip/log.ts';
export { type NotProvided, notProvided } from './irqchip/not_provided.ts';
export type {
  IrqchipState,
  VcpuCommand,
  VlpiCommand,
  VpeCommand,
  VsgiCommand,
} from './irqchip/vcpu_affinity.ts';
export {
  DoorbellIrq,
  type ScheduleOptions,
  VirtualSgiIrq,
  Vm,
  Vpe,
  type VsgiProperties,
} from './irqchip/vm.ts';
export { Guest } from './kvm/guest.ts';
export { AssignedInterrupt, type GsiRoute, Irqfd, routeGsi } from './kvm/irqfd.ts';
export {
  type ItsCommandError,
  type MsiMessage,
  msiResults,
  savePendingTables,
  signalMsi,
  type VirtualDevice,
  type VirtualEvent,
  VirtualIts,
} from './kvm/its.ts';
export { type ItsOutcomeName, itsErrorCodes, type MsiResultName } from './kvm/its_outcomes.ts';
export { Kvm, type KvmOptions } from './kvm/kvm.ts';
export { decodeListRegister, type ListRegister } from './kvm/list_register.ts';
export { RunLoop } from './kvm/run_loop.ts';
export type { VcpuTimer } from './kvm/timer.ts';
export { Vcpu, type VcpuState } from './kvm/vcpu.ts';
export { VirtualIrq } from './kvm/virtual_irq.ts';
export { type AssignedSpiOptions, GuestVm, type GuestVmOptions } from './kvm/vm.ts';
export type { LayerName, Limits } from './layers.ts';
export { Machine } from './machine.ts';
export { type MachineShape, MachineView } from './machine_view.ts';
export type { MsiOutcome } from './outcomes.ts';
export { architecturePolicy, type Policy, qemuPolicy } from './policy.ts';
export type { Configured } from './registers/definition.ts';
export {
  frameAddress,
  implementedRegisters,
  type RegisterDefinition,
  registerAddress,
  registerDefinitions,
  registerName,
  registerWidth,
} from './registers/index.ts';
export { type SystemRegisterDefinition, systemRegisters } from './registers/system.ts';
export type { SharedMachine } from './shared_machine.ts';
export {
  type CostName,
  type CostOptions,
  type CostTable,
  type CostTableName,
  costTables,
  type Price,
} from './sim/costs.ts';
export {
  type Arrival,
  type DeviceOptions,
  type DeviceStatistics,
  type Signal,
  SimDevice,
} from './sim/device.ts';
export type { GuestProgram, Operation } from './sim/program.ts';
export { type RunLimits, Simulation, type SimulationOptions } from './sim/simulation.ts';
export type { FlowStatistics, Latency, TimeByUse } from './sim/statistics.ts';
export { type ExitReason, eventText, type SimEventName, type SimulationEvent } from './sim/trace.ts';
export { SimVcpu, type SimVcpuOptions, type ThreadState, type VcpuStatistics } from './sim/vcpu.ts';
export { loadMachine, saveMachine } from './snapshot/save.ts';
export type { Snapshot } from './snapshot/snapshot.ts';
export type { DeviceEntry, InterruptEntry, VpeEntry } from './table_entries.ts';
export type { CpuUnit } from './units/cpu.ts';
export type { ItsUnit } from './units/its.ts';
export type { RedistributorUnit } from './units/redistributor.ts';
