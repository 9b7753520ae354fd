import type {
  AccessSize,
  CaptureEvent,
  QemuFields,
  RegisterBlock,
  SystemInterface,
  TableWrite,
  Value,
} from './events.ts';
import type { ExclusionId } from './exclusions.ts';
import { architecturalName, cpuOfTrace } from './qemu_names.ts';

// What each trace event of QEMU's GIC means, by the order of the numbers in its text.

/** The numbers in the text of a trace event. */
export type Numbers = readonly Value[];

/** The parts of a line that its event is built from. */
export interface TraceLine {
  readonly line: number;
  readonly time: number;
  readonly numbers: Numbers;
  /** The second word of the text: the system register in the events that have one. */
  readonly register: string;
}

/** An event; the reason why there is none; null for a line that the next one completes; undefined for a bad line. */
export type Build = (line: TraceLine) => CaptureEvent | ExclusionId | null | undefined;

/** The first `count` numbers if there are so many, none above 2^53; else nothing. */
export function small(numbers: Numbers, count: number): number[] {
  if (numbers.length < count) return [];
  const first: number[] = [];
  for (let i = 0; i < count; i++) {
    const value = numbers[i];
    if (typeof value !== 'number' || Number.isNaN(value)) return [];
    first.push(value);
  }
  return first;
}

/** How the ITS looked something up: no input and no result. */
export const lookUps: ReadonlySet<string> = new Set(
  ['cte', 'dte', 'ite', 'vte'].flatMap((entry) => [
    `gicv3_its_${entry}_read`,
    `gicv3_its_${entry}_read_fault`,
  ]),
);

const event = ['DeviceID', 'EventID'];

/** The operands in the order in which QEMU prints them. */
export const commandFields: Readonly<Record<string, readonly string[]>> = {
  mapd: ['DeviceID', 'Size', 'ITT_addr', 'V'],
  mapc: ['ICID', 'RDbase', 'V'],
  mapti: [...event, 'ICID', 'pINTID'],
  mapi: [...event, 'ICID'],
  movi: [...event, 'ICID'],
  movall: ['RDbase1', 'RDbase2'],
  int: event,
  clear: event,
  discard: event,
  inv: event,
  invall: [],
  sync: [],
  vsync: [],
  vinvall: ['vPEID'],
  vmapp: ['vPEID', 'RDbase', 'V', 'VPT_addr', 'VPT_size'],
  vmapti: [...event, 'vPEID', 'vINTID', 'Dbell_pINTID'],
  vmapi: [...event, 'vPEID', 'Dbell_pINTID'],
  vmovi: [...event, 'vPEID', 'D', 'Dbell_pINTID'],
  vmovp: ['vPEID', 'RDbase'],
  unknown: ['command'],
};

const tableFields: Readonly<Record<string, readonly [TableWrite['table'], readonly string[]]>> = {
  gicv3_its_dte_write: ['device', ['DeviceID', 'valid', 'size', 'ITTaddr']],
  gicv3_its_cte_write: ['collection', ['ICID', 'valid', 'RDBase']],
  gicv3_its_ite_write: [
    'interrupt',
    ['ITTaddr', 'EventID', 'valid', 'inttype', 'intid', 'ICID', 'vPEID', 'doorbell'],
  ],
  gicv3_its_vte_write: ['vpe', ['vPEID', 'valid', 'VPTsize', 'VPTaddr', 'RDbase']],
};

/** The builder of an event that one line tells whole; undefined for an event that is not known. */
export function statelessBuilder(name: string): Build | undefined {
  const access = /^gicv3_(dist|redist|its)_(bad)?(read|write)$/.exec(name);
  if (access)
    return registerBuilder(access[1] as 'dist' | 'redist' | 'its', access[2] === 'bad', access[3] === 'read');
  const system = /^gicv3_(icc|ich|icv)_(\w+)_(read|write)$/.exec(name);
  if (system) {
    const face = (system[1] as string).toUpperCase() as SystemInterface;
    return systemBuilder(face, /^iar/.test(system[2] as string), system[3] === 'read');
  }
  const table = tableFields[name];
  if (table) return tableBuilder(...table);
  return singleBuilders[name];
}

const blocks = { dist: 'GICD', redist: 'GICR', its: 'GITS' } as const;

function registerBuilder(device: keyof typeof blocks, refused: boolean, isRead: boolean): Build {
  const block: RegisterBlock = blocks[device];
  const hasValue = !(refused && isRead);
  return ({ line, time, numbers }) => {
    let at = 0;
    const cpu = device === 'redist' ? Number(numbers[at++]) : -1;
    const offset = Number(numbers[at++]);
    const value = hasValue ? numbers[at++] : 0;
    const size = Number(numbers[at]);
    if (!(cpu >= -1 && offset >= 0) || value === undefined || value < 0 || !isAccessSize(size))
      return undefined;
    const place = { line, time, block, cpu: cpuOfTrace(cpu), offset, size };
    if (!refused) return { kind: isRead ? 'register-read' : 'register-write', ...place, value };
    return isRead ? { kind: 'refused-read', ...place } : { kind: 'refused-write', ...place, value };
  };
}

function isAccessSize(size: number): size is AccessSize {
  return size === 1 || size === 2 || size === 4 || size === 8;
}

function systemBuilder(face: SystemInterface, isAcknowledge: boolean, isRead: boolean): Build {
  const kind = isAcknowledge ? 'acknowledge' : isRead ? 'system-read' : 'system-write';
  return ({ line, time, numbers, register }) => {
    const [cpu] = small(numbers, 1);
    const value = numbers[1];
    if (cpu === undefined || value === undefined || value < 0 || register === '') return undefined;
    return {
      kind,
      line,
      time,
      interface: face,
      cpu: cpuOfTrace(cpu),
      register: architecturalName(register),
      value,
    };
  };
}

function tableBuilder(table: TableWrite['table'], names: readonly string[]): Build {
  return ({ line, time, numbers }) => {
    const values = small(numbers, names.length);
    if (values.length < names.length) return undefined;
    const fields: QemuFields = Object.fromEntries(names.map((field, i) => [field, values[i] ?? 0]));
    return { kind: 'table-write', line, time, table, fields };
  };
}

const singleBuilders: Readonly<Record<string, Build>> = {
  gicv3_dist_set_irq: ({ line, time, numbers }) => {
    const [intid, level] = small(numbers, 2);
    if (intid === undefined || level === undefined) return undefined;
    return { kind: 'spi-line', line, time, intid, level: level !== 0 };
  },

  gicv3_redist_set_irq: ({ line, time, numbers }) => {
    const [cpu, intid, level] = small(numbers, 3);
    if (cpu === undefined || intid === undefined || level === undefined) return undefined;
    return { kind: 'ppi-line', line, time, cpu: cpuOfTrace(cpu), intid, level: level !== 0 };
  },

  gicv3_redist_send_sgi: ({ line, time, numbers }) => {
    const [cpu, intid] = small(numbers, 2);
    if (cpu === undefined || intid === undefined) return undefined;
    return { kind: 'sgi-arrival', line, time, cpu: cpuOfTrace(cpu), intid };
  },

  gicv3_icc_generate_sgi: ({ line, time, numbers }) => {
    const [cpu, intid, irm, cluster, targetList] = small(numbers, 5);
    if (cpu === undefined || intid === undefined || cluster === undefined || targetList === undefined)
      return undefined;
    return {
      kind: 'sgi-request',
      line,
      time,
      cpu: cpuOfTrace(cpu),
      intid,
      allOthers: irm !== 0,
      cluster,
      targetList,
    };
  },

  gicv3_its_translation_write: ({ line, time, numbers }) => {
    const [, eventId, , deviceId] = small(numbers, 4);
    if (eventId === undefined || deviceId === undefined) return undefined;
    return { kind: 'msi', line, time, deviceId, eventId };
  },
};
