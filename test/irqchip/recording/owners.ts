// Whom a step is for. PEs work at the same time, so the steps of one operation are not consecutive in a recording; but
// they all concern one interrupt or one vPE, and an interrupt or a vPE is in one operation at a time.
import type { ItsCommand } from '../../../bindings/commands/command.ts';
import type { ByteStep, CommandStep, InterruptStep, RegisterStep, Step } from './steps.ts';

export type Owner =
  | { readonly kind: 'machine' }
  | { readonly kind: 'device'; readonly deviceId: number }
  | { readonly kind: 'event'; readonly deviceId: number; readonly eventId: number }
  | { readonly kind: 'vpe'; readonly vpeId: number }
  | { readonly kind: 'vm' }
  | { readonly kind: 'unknown' };

/** A step with its owner and its word in the grammar of operations. */
export interface OwnedStep {
  readonly owner: Owner;
  readonly symbol: string;
}

type EventCommand = Extract<ItsCommand, { deviceId: number; eventId: number }>;

/** The device of doorbells has the highest DeviceID: 16 bits in the recorded ITS (GITS_TYPER.Devbits). */
export const PROXY = 0xffff;
export const NO_DOORBELL = 1023;
const VALID = 1n << 63n;
const TABLE_ADDRESS = 0x0000_ffff_ffff_0000n;
const machine: Owner = { kind: 'machine' };
const unknown: Owner = { kind: 'unknown' };

function eventOf({ deviceId, eventId }: { deviceId: number; eventId: number }): Owner {
  return { kind: 'event', deviceId, eventId };
}

/** Tells whom each step is for, from what the steps before it set up, and from names that only later ones explain. */
export class Owners {
  /** Doorbell LPIs and virtual pending tables, by vPE. */
  readonly #doorbells = new Map<number, number>();
  readonly #pendingTables = new Map<bigint, number>();
  /** By the place of the step that has to wait for a later one. */
  readonly #awaited = new Map<number, Owner>();
  readonly #eventsOfLpis = new Map<number, Owner>();
  readonly #eventsOfVlpis = new Map<number, Owner>();
  /** Events that are VLPIs: the vINTID. */
  readonly #vlpis = new Map<string, number>();
  readonly #vpesOfSlots = new Map<number, number>();
  readonly #mappedVpes = new Set<number>();

  constructor(steps: readonly Step[]) {
    for (const step of steps) if (step.kind === 'command') this.#learnNames(step.command);
    this.#lookAhead(steps);
  }

  /** Steps have to be asked for in their order. Undefined for an interrupt of a device, which its driver handles. */
  of(step: Step, at: number): OwnedStep | undefined {
    switch (step.kind) {
      case 'command':
        return this.#ofCommand(step);
      case 'byte':
        return this.#ofByte(step, at);
      case 'register':
        return this.#ofRegister(step, at);
      case 'interrupt':
        return this.#ofInterrupt(step);
    }
  }

  #learnNames(command: ItsCommand): void {
    if (command.command === 'VMAPTI' && command.doorbell !== NO_DOORBELL)
      this.#doorbells.set(command.doorbell, command.vpeId);
    if (command.command === 'VMAPP' && command.valid)
      this.#pendingTables.set(BigInt(command.vptAddress), command.vpeId);
  }

  /** GICR_VPROPBASER precedes the GICR_VPENDBASER that names the vPE; the first byte of a VLPI precedes its VMAPTI. */
  #lookAhead(steps: readonly Step[]): void {
    const nextOnPe = new Map<number | undefined, Owner>();
    const nextOfVlpi = new Map<number, Owner>();
    for (let at = steps.length - 1; at >= 0; at--) {
      const step = steps[at] as Step;
      if (step.kind === 'register') {
        if (step.register === 'GICR_VPENDBASER') nextOnPe.set(step.cpu, this.#ownerOfTable(step.value));
        if (step.register === 'GICR_VPROPBASER') this.#awaited.set(at, nextOnPe.get(step.cpu) ?? unknown);
      } else if (step.kind === 'byte') {
        if (step.table === 'virtual') this.#awaited.set(at, nextOfVlpi.get(step.intid) ?? unknown);
      } else if (step.kind === 'command' && step.command.command === 'VMAPTI') {
        nextOfVlpi.set(step.command.vIntid, eventOf(step.command));
      }
    }
  }

  #ownerOfTable(value: bigint): Owner {
    if ((value & TABLE_ADDRESS) === 0n) return machine;
    const vpeId = this.#pendingTables.get(value & TABLE_ADDRESS);
    return vpeId === undefined ? unknown : { kind: 'vpe', vpeId };
  }

  #ofRegister({ register, value }: RegisterStep, at: number): OwnedStep {
    if (register === 'GICR_VPROPBASER') return { owner: this.#awaited.get(at) ?? unknown, symbol: register };
    if (register !== 'GICR_VPENDBASER') return { owner: machine, symbol: register };
    return { owner: this.#ownerOfTable(value), symbol: `${register}${value & VALID ? '+' : '-'}` };
  }

  #ofByte({ table, intid, value }: ByteStep, at: number): OwnedStep {
    const sign = value & 1 ? '+' : '-';
    if (table === 'virtual') {
      const owner = this.#eventsOfVlpis.get(intid) ?? this.#awaited.get(at) ?? unknown;
      return { owner, symbol: `vbyte${sign}` };
    }
    return { owner: this.#ownerOfLpi(intid), symbol: `byte${sign}` };
  }

  #ofInterrupt({ intid }: InterruptStep): OwnedStep | undefined {
    const owner = this.#ownerOfLpi(intid);
    return owner.kind === 'event' ? undefined : { owner, symbol: 'interrupt' };
  }

  #ownerOfLpi(intid: number): Owner {
    const vpeId = this.#doorbells.get(intid);
    const doorbell: Owner = vpeId === undefined ? unknown : { kind: 'vpe', vpeId };
    return this.#eventsOfLpis.get(intid) ?? doorbell;
  }

  #ofCommand({ command }: CommandStep): OwnedStep {
    switch (command.command) {
      case 'MAPC':
      case 'INVALL':
        return { owner: machine, symbol: command.command };
      case 'MAPD': {
        const { deviceId, valid } = command;
        const owner: Owner = deviceId === PROXY ? machine : { kind: 'device', deviceId };
        return { owner, symbol: valid ? 'MAPD+' : 'MAPD-' };
      }
      case 'VMAPP':
        this.#mappedVpes[command.valid ? 'add' : 'delete'](command.vpeId);
        return { owner: vpeOf(command), symbol: command.valid ? 'VMAPP+' : 'VMAPP-' };
      case 'VMOVP':
      case 'VINVALL':
        return { owner: vpeOf(command), symbol: command.command };
      case 'MAPTI':
      case 'MOVI':
      case 'INV':
      case 'INT':
      case 'CLEAR':
      case 'DISCARD':
      case 'VMAPTI':
      case 'VMOVI':
        return command.deviceId === PROXY ? this.#ofProxy(command) : this.#ofEvent(command);
      default:
        return { owner: unknown, symbol: command.command };
    }
  }

  /** A slot is its vPE's. When the vPE is not mapped any more, its VM is being freed. */
  #ofProxy(command: EventCommand): OwnedStep {
    if (command.command === 'MAPTI') {
      const vpeId = this.#doorbells.get(command.pIntid);
      if (vpeId !== undefined) this.#vpesOfSlots.set(command.eventId, vpeId);
    }
    const vpeId = this.#vpesOfSlots.get(command.eventId);
    if (vpeId === undefined) return { owner: unknown, symbol: command.command };
    const owner: Owner = this.#mappedVpes.has(vpeId) ? { kind: 'vpe', vpeId } : { kind: 'vm' };
    return { owner, symbol: command.command };
  }

  #ofEvent(command: EventCommand): OwnedStep {
    const owner = eventOf(command);
    const key = ownerKey(owner);
    const vIntid = this.#vlpis.get(key);
    const symbol = vIntid === undefined ? command.command : `${command.command}.vlpi`;
    if (command.command === 'MAPTI') this.#eventsOfLpis.set(command.pIntid, owner);
    if (command.command === 'DISCARD') this.#forget(key, vIntid);
    if (command.command === 'VMAPTI') {
      this.#vlpis.set(key, command.vIntid);
      this.#eventsOfVlpis.set(command.vIntid, owner);
    }
    return { owner, symbol };
  }

  #forget(key: string, vIntid: number | undefined): void {
    this.#vlpis.delete(key);
    if (vIntid !== undefined) this.#eventsOfVlpis.delete(vIntid);
    for (const [lpi, event] of this.#eventsOfLpis)
      if (ownerKey(event) === key) this.#eventsOfLpis.delete(lpi);
  }
}

function vpeOf({ vpeId }: { vpeId: number }): Owner {
  return { kind: 'vpe', vpeId };
}

export function ownerKey(owner: Owner): string {
  return JSON.stringify(owner);
}
