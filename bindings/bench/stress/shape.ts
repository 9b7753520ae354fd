import { GicError, requireInteger } from '../../errors.ts';
import { ALL_LPIS } from '../rig.ts';

/** The arguments of KVM's selftest vgic_lpi_stress. */
export interface StressShape {
  /** vCPUs, which the LPIs are spread over in turn: 1 to 512. */
  readonly vcpus: number;
  /** Devices that send: 1 to 1024. */
  readonly devices: number;
  /** Events of each device. All devices together have 57,344 at most. */
  readonly events: number;
  /** How often each device sends each of its events. */
  readonly iterations: number;
}

/** The selftest's defaults. */
export const defaultShape: StressShape = { vcpus: 1, devices: 1, events: 16, iterations: 1000 };

const INJECTIONS_MAX = 2 ** 31 - 1;

/** Throws a `GicError` INVALID_ARGUMENT for a shape that is out of range. */
export function requireShape({ vcpus, devices, events, iterations }: StressShape): void {
  const within = (field: string, value: number, high: number) =>
    requireInteger('INVALID_ARGUMENT', field, value, 1, high);
  within('vcpus', vcpus, 512);
  within('devices', devices, 1024);
  within('events', events, ALL_LPIS);
  within('iterations', iterations, INJECTIONS_MAX);
  if (devices * events > ALL_LPIS) {
    const most = Math.floor(ALL_LPIS / devices);
    throw new GicError('INVALID_ARGUMENT', 'events', events, `at most ${most} with ${devices} devices`);
  }
  if (devices * events * iterations > INJECTIONS_MAX) {
    const most = Math.floor(INJECTIONS_MAX / (devices * events));
    throw new GicError('INVALID_ARGUMENT', 'iterations', iterations, `at most ${most} with these devices`);
  }
}

/** Bits of EventIDs that each device needs. */
export function eventBits({ events }: StressShape): number {
  return Math.max(1, Math.ceil(Math.log2(events)));
}

/** How many LPIs each vCPU takes in a round: LPI n is vCPU n % vcpus's. */
export function takenByEach({ vcpus, devices, events }: StressShape): number[] {
  const total = devices * events;
  return Array.from({ length: vcpus }, (_, vcpu) => Math.floor((total - vcpu - 1) / vcpus) + 1);
}
