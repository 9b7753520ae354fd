import { SimDeviceParameter as Parameter, SimDeviceKind } from '../../assembly/abi.ts';
import { GicError, requireInteger } from '../errors.ts';
import { succeed } from '../irqchip/errors.ts';
import type { Irqfd } from '../kvm/irqfd.ts';
import type { GuestVm } from '../kvm/vm.ts';
import type { Machine } from '../machine.ts';
import { type MsiOutcome, msiOutcomes } from '../outcomes.ts';
import { DEVICE_FLOW, type FlowStatistics, readFlow } from './statistics.ts';

/** When a device fires. Times are ns. */
export type Arrival =
  | { readonly kind: 'periodic'; readonly period: number }
  /** Independent arrivals with a mean distance. */
  | { readonly kind: 'poisson'; readonly period: number }
  /** `burst` interrupts `gap` apart, and `period` from the last of them to the next burst. */
  | { readonly kind: 'bursts'; readonly period: number; readonly burst: number; readonly gap: number };

/** How a device signals. */
export type Signal =
  /** Assigned: an MSI to the physical ITS, whose guest sees LPI `intid`. */
  | {
      readonly kind: 'msi';
      readonly its?: number;
      readonly deviceId: number;
      readonly eventId: number;
      readonly intid: number;
    }
  /** Emulated: an irqfd, whose route makes it the guest's interrupt `intid`. */
  | { readonly kind: 'irqfd'; readonly irqfd: Irqfd; readonly intid: number }
  /** Emulated: SPI `intid`, as an edge or as a line that is high until the guest's handler has ended. */
  | { readonly kind: 'edge' | 'level'; readonly intid: number; readonly vcpu?: number }
  /** Assigned: a line to the host's SPI `hostSpi`, forwarded as the guest's SPI `intid`. */
  | { readonly kind: 'wire'; readonly intid: number; readonly hostSpi: number; readonly vcpu?: number };

export interface DeviceOptions {
  readonly signal: Signal;
  readonly arrival: Arrival;
  /** The first arrival comes no earlier; default 0. */
  readonly start?: number;
  /** How often it fires; default 0, without end. */
  readonly limit?: number;
}

const kinds = {
  msi: SimDeviceKind.MSI,
  edge: SimDeviceKind.EDGE_SPI,
  level: SimDeviceKind.LEVEL_SPI,
  wire: SimDeviceKind.HOST_SPI,
  irqfd: SimDeviceKind.IRQFD,
} as const;

const arrivals = ['periodic', 'poisson', 'bursts'];
const MOST_NS = 2 ** 48;

export interface DeviceStatistics extends FlowStatistics {
  /** Reasons of those that were dropped. */
  readonly reasons: Partial<Record<MsiOutcome, number>>;
}

/** A source of interrupts for a VM: one queue of a device, with one interrupt. */
export class SimDevice {
  readonly number: number;
  readonly #machine: Machine;

  constructor(machine: Machine, vm: GuestVm, options: DeviceOptions) {
    const parameters = deviceParameters(vm, options, machine);
    const { engine } = machine;
    this.#machine = machine;
    this.number = succeed(engine.simAddDevice(), 'addDevice', {
      ENOMEM: `the machine has room for ${machine.config.limits.devices} devices, its limits.devices`,
    });
    for (const [parameter, value] of parameters) engine.simSetDevice(this.number, parameter, value);
    succeed(engine.simStartDevice(this.number), 'addDevice');
  }

  get statistics(): DeviceStatistics {
    const { engine } = this.#machine;
    const dropped = msiOutcomes
      .map((name, n) => [name, engine.simOutcome(this.number, n)] as const)
      .filter(([name, times]) => name !== 'pending' && name !== 'coalesced' && times > 0);
    return { ...readFlow(this.#machine, DEVICE_FLOW, this.number), reasons: Object.fromEntries(dropped) };
  }
}

function deviceParameters(vm: GuestVm, options: DeviceOptions, machine: Machine): [Parameter, number][] {
  const { signal, arrival, start = 0, limit = 0 } = options;
  if (!(signal.kind in kinds)) {
    throw new GicError('UNKNOWN_NAME', 'signal.kind', signal.kind, Object.keys(kinds).join(', '));
  }
  if (!arrivals.includes(arrival.kind)) {
    throw new GicError('UNKNOWN_NAME', 'arrival.kind', arrival.kind, arrivals.join(', '));
  }
  const isBurst = arrival.kind === 'bursts';
  requireInteger('INVALID_ARGUMENT', 'start', start, 0, MOST_NS);
  requireInteger('INVALID_ARGUMENT', 'limit', limit, 0, MOST_NS);
  requireInteger('INVALID_ARGUMENT', 'arrival.period', arrival.period, 1, MOST_NS);
  return [
    [Parameter.KIND, kinds[signal.kind]],
    [Parameter.VM, vm.index],
    ...signalParameters(vm, signal, machine),
    [Parameter.ARRIVAL, arrivals.indexOf(arrival.kind)],
    [Parameter.PERIOD, arrival.period],
    [
      Parameter.BURST,
      isBurst ? requireInteger('INVALID_ARGUMENT', 'arrival.burst', arrival.burst, 1, MOST_NS) : 1,
    ],
    [Parameter.GAP, isBurst ? requireInteger('INVALID_ARGUMENT', 'arrival.gap', arrival.gap, 0, MOST_NS) : 0],
    [Parameter.START, start],
    [Parameter.LIMIT, limit],
  ];
}

function signalParameters(vm: GuestVm, signal: Signal, machine: Machine): [Parameter, number][] {
  if (signal.kind === 'msi') {
    const { its = 0, deviceId, eventId, intid } = signal;
    requireInteger('INVALID_ARGUMENT', 'signal.its', its, 0, machine.config.itsCount - 1);
    requireInteger('INVALID_ARGUMENT', 'signal.deviceId', deviceId, 0, 0xffff_ffff);
    requireInteger('INVALID_ARGUMENT', 'signal.eventId', eventId, 0, 0xffff_ffff);
    requireInteger('INVALID_ARGUMENT', 'signal.intid', intid, 8192, 0xffff);
    return [
      [Parameter.ITS, its],
      [Parameter.DEVICE_ID, deviceId],
      [Parameter.EVENT_ID, eventId],
      [Parameter.INTID, intid],
    ];
  }
  if (signal.kind === 'irqfd') {
    requireInteger('INVALID_ARGUMENT', 'signal.intid', signal.intid, 32, 0xffff);
    return [
      [Parameter.INTID, signal.intid],
      [Parameter.IRQFD, signal.irqfd.index],
    ];
  }
  requireInteger('INVALID_ARGUMENT', 'signal.intid', signal.intid, 32, 31 + vm.spis);
  requireInteger('INVALID_ARGUMENT', 'signal.vcpu', signal.vcpu ?? 0, 0, vm.vcpus.length - 1);
  if (signal.kind !== 'wire') return [[Parameter.INTID, signal.intid]];
  requireInteger('INVALID_ARGUMENT', 'signal.hostSpi', signal.hostSpi, 32, 31 + machine.config.spis);
  return [
    [Parameter.INTID, signal.intid],
    [Parameter.HOST_SPI, signal.hostSpi],
  ];
}
