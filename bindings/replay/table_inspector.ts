import type { InterruptEntry, VpeEntry } from '../table_entries.ts';
import { hex } from './event_text.ts';
import type { CaptureEvent } from './events.ts';

/** A look at the translation tables of a model, without side effects. Undefined stands for "not mapped". */
export interface TableInspector {
  deviceEntry(
    its: number,
    deviceId: number,
  ): { readonly ittAddress: number; readonly size: number } | undefined;
  /** The PE that a collection is mapped to. */
  collectionEntry(its: number, icid: number): number | undefined;
  interruptEntry(its: number, deviceId: number, eventId: number): InterruptEntry | undefined;
  /** Absent in a model without vPEs. */
  vpeEntry?(its: number, vpeId: number): VpeEntry | undefined;
}

/** The inspector that a model is, if it is one. */
export function inspectorOf(model: object): TableInspector | undefined {
  return isInspector(model) ? model : undefined;
}

function isInspector(model: object): model is TableInspector {
  return ['deviceEntry', 'collectionEntry', 'interruptEntry'].every(
    (name) => name in model && typeof model[name as keyof typeof model] === 'function',
  );
}

type TableWrite = Extract<CaptureEvent, { kind: 'table-write' }>;

export interface EntryComparison {
  /** `DeviceID 0x10, EventID 0x3`. */
  readonly entry: string;
  readonly expected: string;
  readonly got: string;
}

const NOT_MAPPED = 'not mapped';

/** Compares entries that recorded hardware wrote with those of a model. */
export class TableComparison {
  /** DeviceID by the address of its ITT: how the recording names the entries of an ITT. */
  readonly #devices = new Map<number, number>();

  constructor(readonly inspector: TableInspector) {}

  /** The recorded entry and the model's; undefined where the recording does not tell which entry it is. */
  compare({ table, fields }: TableWrite): EntryComparison | undefined {
    const { valid = 0 } = fields;
    switch (table) {
      case 'device': {
        const { DeviceID = 0, size = 0, ITTaddr = 0 } = fields;
        // QEMU shows this address without its lowest 8 bits.
        const ittAddress = ITTaddr * 256;
        if (valid) this.#devices.set(ittAddress, DeviceID);
        const got = this.inspector.deviceEntry(0, DeviceID);
        return {
          entry: `DeviceID ${hex(DeviceID)}`,
          expected: valid ? deviceText({ ittAddress, size }) : NOT_MAPPED,
          got: got ? deviceText(got) : NOT_MAPPED,
        };
      }
      case 'collection': {
        const { ICID = 0, RDBase = 0 } = fields;
        const got = this.inspector.collectionEntry(0, ICID);
        return {
          entry: `ICID ${ICID}`,
          expected: valid ? `PE ${RDBase}` : NOT_MAPPED,
          got: got === undefined ? NOT_MAPPED : `PE ${got}`,
        };
      }
      case 'interrupt': {
        const { ITTaddr = 0, EventID = 0 } = fields;
        const deviceId = this.#devices.get(ITTaddr);
        if (deviceId === undefined) return undefined;
        const got = this.inspector.interruptEntry(0, deviceId, EventID);
        return {
          entry: `DeviceID ${hex(deviceId)}, EventID ${hex(EventID)}`,
          expected: valid ? interruptText(recordedInterrupt(fields)) : NOT_MAPPED,
          got: got ? interruptText(got) : NOT_MAPPED,
        };
      }
      case 'vpe': {
        const { vPEID = 0, VPTsize = 0, VPTaddr = 0, RDbase = 0 } = fields;
        const got = this.inspector.vpeEntry?.(0, vPEID);
        // QEMU shows this address without its lowest 16 bits.
        const recorded = { cpu: RDbase, vptAddress: VPTaddr * 65_536, size: VPTsize };
        return {
          entry: `vPEID ${hex(vPEID)}`,
          expected: valid ? vpeText(recorded) : NOT_MAPPED,
          got: got ? vpeText(got) : NOT_MAPPED,
        };
      }
    }
  }
}

function deviceText({ ittAddress, size }: { ittAddress: number; size: number }): string {
  return `ITT at ${hex(ittAddress)}, size ${size}`;
}

/** QEMU's interrupt type of an LPI; that of a VLPI is 0. */
const PHYSICAL = 1;

function recordedInterrupt(fields: TableWrite['fields']): InterruptEntry {
  const { inttype = PHYSICAL, intid = 0, ICID = 0, vPEID = 0, doorbell = 0 } = fields;
  if (inttype === PHYSICAL) return { kind: 'physical', pIntid: intid, icid: ICID };
  return { kind: 'virtual', vIntid: intid, vpeId: vPEID, doorbell };
}

function interruptText(entry: InterruptEntry): string {
  if (entry.kind === 'physical') return `pINTID ${entry.pIntid}, ICID ${entry.icid}`;
  return `vINTID ${entry.vIntid}, vPEID ${entry.vpeId}, doorbell ${entry.doorbell}`;
}

function vpeText({ cpu, vptAddress, size }: VpeEntry): string {
  return `PE ${cpu}, VPT at ${hex(vptAddress)}, size ${size}`;
}
