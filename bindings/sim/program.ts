import { SimGuestParameter as Parameter, SimOperation } from '../../assembly/abi.ts';
import { GicError, requireInteger } from '../errors.ts';

/** What a guest does again and again beside taking interrupts. */
export type Operation =
  | {
      /** HVC. */
      readonly kind: 'hypercall';
    }
  | {
      /** An SGI to a vCPU of the same VM. */
      readonly kind: 'sgi';
      /** Its index. */
      readonly target: number;
      /** 0 to 15; default 0. */
      readonly sgi?: number;
    }
  | {
      /** A load from the VGIC's distributor frame, which KVM emulates. */
      readonly kind: 'mmio';
      /** Offset in the frame; default 0. */
      readonly offset?: number;
    }
  | {
      /** A store to a frame of the VGIC or its ITS, which KVM emulates. */
      readonly kind: 'store';
      /** Offset from the distributor. */
      readonly offset: number;
      /** 20 bits. */
      readonly value: number;
    }
  | {
      /** A load from a device that user space emulates. */
      readonly kind: 'user';
    };

/** The program of a guest on a vCPU. Times are ns. */
export interface GuestProgram {
  /** Without anything to do: waits by WFI, or computes. Default `wfi`. */
  readonly idle?: 'wfi' | 'busy';
  /** From acknowledging an interrupt to its end. Default 500. */
  readonly handler?: number;
  /** Priority drop and deactivation apart (ICC_CTLR_EL1.EOImode). Default false. */
  readonly splitEoi?: boolean;
  /** Period of the virtual timer; default 0, off. */
  readonly timer?: number;
  /** Computing before each operation, or each WFI. Default 0. */
  readonly work?: number;
  /** What it does after `work`; default nothing. */
  readonly operation?: Operation;
  /** How often the operation is done; default 0, without end. */
  readonly times?: number;
}

const MOST_NS = 2 ** 48;
const DEFAULT_HANDLER = 500;

/** Parameters of the engine's guest for a program; `vcpus` is the size of the VM. */
export function programParameters(program: GuestProgram, vcpus: number): [Parameter, number][] {
  const {
    idle = 'wfi',
    handler = DEFAULT_HANDLER,
    splitEoi = false,
    timer = 0,
    work = 0,
    times = 0,
  } = program;
  if (idle !== 'wfi' && idle !== 'busy') {
    throw new GicError('INVALID_ARGUMENT', 'idle', idle, '"wfi" or "busy"');
  }
  for (const [field, value] of Object.entries({ handler, timer, work, times })) {
    requireInteger('INVALID_ARGUMENT', field, value, 0, MOST_NS);
  }
  const [operation, operand] = encodeOperation(program.operation, vcpus);
  return [
    [Parameter.WFI, idle === 'wfi' ? 1 : 0],
    [Parameter.HANDLER, handler],
    [Parameter.EOI_MODE, splitEoi ? 1 : 0],
    [Parameter.TIMER, timer],
    [Parameter.WORK, work],
    [Parameter.OPERATION, operation],
    [Parameter.OPERAND, operand],
    [Parameter.TIMES, times],
  ];
}

/** Number and operand of an operation. */
export function encodeOperation(operation: Operation | undefined, vcpus: number): [SimOperation, number] {
  switch (operation?.kind) {
    case undefined:
      return [SimOperation.NONE, 0];
    case 'hypercall':
      return [SimOperation.HYPERCALL, 0];
    case 'sgi': {
      const { target, sgi = 0 } = operation;
      requireInteger('INVALID_ARGUMENT', 'operation.target', target, 0, vcpus - 1);
      requireInteger('INVALID_ARGUMENT', 'operation.sgi', sgi, 0, 15);
      return [SimOperation.SGI, target + sgi * 0x1_0000];
    }
    case 'mmio':
      return [
        SimOperation.MMIO,
        requireInteger('INVALID_ARGUMENT', 'operation.offset', operation.offset ?? 0, 0, 0xfffc),
      ];
    case 'store': {
      const { offset, value } = operation;
      requireInteger('INVALID_ARGUMENT', 'operation.offset', offset, 0, 0xffff_ffff);
      requireInteger('INVALID_ARGUMENT', 'operation.value', value, 0, 0xf_ffff);
      return [SimOperation.STORE, offset + value * 2 ** 32];
    }
    case 'user':
      return [SimOperation.USER, 0];
    default:
      throw new GicError(
        'UNKNOWN_NAME',
        'operation.kind',
        (operation as { kind: string }).kind,
        'hypercall, sgi, mmio, store or user',
      );
  }
}
