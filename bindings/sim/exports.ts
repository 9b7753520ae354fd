import type {
  Cost,
  Outcome,
  SimDeviceParameter,
  SimFlow,
  SimGuestParameter,
  SimParameter,
  SimThread,
  SimUse,
} from '../../assembly/abi.ts';

/** The engine's exports of the simulation. Times are ns; negative results are errnos. */
export interface SimExports {
  simSetUp(seed: number): number;
  simSetParameter(parameter: SimParameter, value: number): number;
  simSetPrice(cost: Cost, nanoseconds: number): void;
  simPrice(cost: Cost): number;
  simTimes(cost: Cost): number;
  simSetGuest(vcpu: number, parameter: SimGuestParameter, value: number): number;
  simStart(vcpu: number, pinned: number): number;
  simAddDevice(): number;
  simSetDevice(device: number, parameter: SimDeviceParameter, value: number): number;
  simStartDevice(device: number): number;
  simUserWrite(vcpu: number, address: number, size: number, low: number, high: number): number;
  simRun(until: number, events: number): number;
  simCommand(vcpu: number, what: number, operand: number): number;
  simNow(): number;
  simProcessed(): number;
  simDigest(): number;
  simRecords(): number;
  simRecordAt(n: number): number;
  simHistogramAt(kind: number, n: number): number;
  simFlow(kind: number, n: number, sgi: number, field: SimFlow): number;
  simOutcome(device: number, outcome: Outcome): number;
  simPeTime(cpu: number, use: SimUse): number;
  simThreadOn(cpu: number): number;
  simBackEnd(): number;
  simThread(vcpu: number, field: SimThread | number): number;
}
