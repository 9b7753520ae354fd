import type { IrqfdField, ItsField, ItsOutcome, MsiResult } from '../../assembly/abi.ts';

/** The engine's exports of virtual ITSs, routes and irqfds. Negative results are errnos, unless they say otherwise. */
export interface ItsExports {
  vitsCreate(vm: number, base: number): number;
  vitsRead(its: number, offset: number, size: number): number;
  vitsWrite(its: number, offset: number, size: number, low: number, high: number): void;
  vitsRestoreRegister(its: number, offset: number, low: number, high: number): number;
  vitsReset(its: number): number;
  vitsSaveTables(its: number): number;
  vitsRestoreTables(its: number): number;
  vitsSavePending(vm: number): number;
  vitsSignalMsi(vm: number, address: number, data: number, deviceId: number, flags: number): number;
  vitsField(its: number, field: ItsField): number;
  vitsDeviceEvents(its: number, deviceId: number): number;
  vitsDeviceBits(its: number, deviceId: number): number;
  vitsDeviceItt(its: number, deviceId: number): number;
  vitsCollection(its: number, icid: number): number;
  vitsEventIntid(its: number, deviceId: number, eventId: number): number;
  vitsEventIcid(its: number, deviceId: number, eventId: number): number;
  vitsEventHostIrq(its: number, deviceId: number, eventId: number): number;
  vitsOutcomes(its: number, outcome: ItsOutcome): number;
  vitsErrorCount(): number;
  vitsErrorAt(n: number): number;
  vitsMsiCounts(vm: number): number;
  kvmVlpis(vcpu: number): number;
  kvmRouteMsi(
    vm: number,
    gsi: number,
    address: number,
    data: number,
    deviceId: number,
    flags: number,
  ): number;
  kvmRoutePin(vm: number, gsi: number, pin: number): number;
  kvmOpenIrqfd(vm: number, gsi: number): number;
  kvmCloseIrqfd(irqfd: number): number;
  kvmAddProducer(irqfd: number, hostIrq: number): number;
  kvmRemoveProducer(irqfd: number): number;
  kvmSignalIrqfd(irqfd: number): number;
  kvmIrqfdField(irqfd: number, field: IrqfdField): number;
  kvmIrqfdResults(irqfd: number, result: MsiResult): number;
}
