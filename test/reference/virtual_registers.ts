import { field, numberField, ones, place } from './bits.ts';
import { hypervisorType, virtualInterfaceType } from './identification.ts';
import { decodeListRegister, encodeListRegister } from './list_register.ts';
import type { Group, VirtualInterface } from './virtual_interface.ts';

interface Register {
  readonly read?: (virtual: VirtualInterface) => bigint;
  readonly write?: (virtual: VirtualInterface, value: bigint) => void;
}

/** ICH_HCR_EL2.TDIR, TALL1, TALL0 and TC. */
const TRAPS = ones(14) | ones(12, 10);

const hcr: Register = {
  read: (virtual) =>
    place(virtual.eoiCount, 27) |
    place(virtual.dvim, 15) |
    virtual.traps |
    place(virtual.vsgiEoiCount, 8) |
    virtual.maintenanceEnables |
    place(virtual.enabled, 0),
  write: (virtual, value) => {
    virtual.eoiCount = numberField(value, 31, 27);
    virtual.dvim = virtual.hasDvim && field(value, 15) === 1n;
    virtual.traps = value & TRAPS;
    virtual.vsgiEoiCount = virtual.config.architecture === 'GICv4.1' && field(value, 8) === 1n;
    virtual.maintenanceEnables = value & ones(7, 1);
    virtual.enabled = field(value, 0) === 1n;
  },
};

function setPriorityMask(virtual: VirtualInterface, mask: number): void {
  virtual.priorityMask = mask & (0xff << (8 - virtual.config.virtualPriorityBits));
}

function setBinaryPoint(virtual: VirtualInterface, group: Group, point: number): void {
  virtual.binaryPoints[group] = Math.max(point, virtual.minimumBinaryPoint(group));
}

/** Section 8.6. VFIQEn is RES1. */
const vmcr: Register = {
  read: (virtual) =>
    place(virtual.priorityMask, 24) |
    place(virtual.binaryPoints[0], 21) |
    place(virtual.binaryPoints[1], 18) |
    place(virtual.eoiMode, 9) |
    place(virtual.cbpr, 4) |
    ones(3) |
    place(virtual.groupEnables[1], 1) |
    place(virtual.groupEnables[0], 0),
  write: (virtual, value) => {
    setPriorityMask(virtual, numberField(value, 31, 24));
    setBinaryPoint(virtual, 0, numberField(value, 23, 21));
    setBinaryPoint(virtual, 1, numberField(value, 20, 18));
    virtual.eoiMode = field(value, 9) === 1n;
    virtual.cbpr = field(value, 4) === 1n;
    virtual.groupEnables = [field(value, 0) === 1n, field(value, 1) === 1n];
  },
};

/** The guest's registers of one group: fields of ICH_VMCR_EL2, and what acknowledges and ends. */
function groupRegisters(group: Group): [string, Register][] {
  return [
    [`ICV_IAR${group}_EL1`, { read: (virtual) => BigInt(virtual.acknowledge(group)) }],
    [`ICV_HPPIR${group}_EL1`, { read: (virtual) => BigInt(virtual.highestPendingOf(group)) }],
    [
      `ICV_EOIR${group}_EL1`,
      { write: (virtual, value) => virtual.endOfInterrupt(group, numberField(value, 23, 0)) },
    ],
    [
      `ICV_IGRPEN${group}_EL1`,
      {
        read: (virtual) => BigInt(virtual.groupEnables[group]),
        write: (virtual, value) => {
          virtual.groupEnables[group] = field(value, 0) === 1n;
        },
      },
    ],
  ];
}

const bpr0: Register = {
  read: (virtual) => BigInt(virtual.binaryPoints[0]),
  write: (virtual, value) => setBinaryPoint(virtual, 0, numberField(value, 2, 0)),
};

/** With VCBPR=1 it shows VBPR0 + 1 and ignores writes. */
const bpr1: Register = {
  read: (virtual) =>
    BigInt(virtual.cbpr ? Math.min(virtual.binaryPoints[0] + 1, 7) : virtual.binaryPoints[1]),
  write: (virtual, value) => {
    if (!virtual.cbpr) setBinaryPoint(virtual, 1, numberField(value, 2, 0));
  },
};

const ctlr: Register = {
  read: (virtual) =>
    virtualInterfaceType(virtual.config) | place(virtual.eoiMode, 1) | place(virtual.cbpr, 0),
  write: (virtual, value) => {
    virtual.cbpr = field(value, 0) === 1n;
    virtual.eoiMode = field(value, 1) === 1n;
  },
};

/** ICH_AP<group>R<n>_EL2 and its alias: levels that are not implemented stay zero. */
function activePriorities(group: Group, n: number): Register {
  return {
    read: (virtual) => field(virtual.activePriorities[group], 32 * n + 31, 32 * n),
    write: (virtual, value) => {
      const others = virtual.activePriorities[group] & ~ones(32 * n + 31, 32 * n);
      const levels = ones(2 ** virtual.config.virtualPreemptionBits - 1, 0);
      virtual.activePriorities[group] = (others | place(field(value, 31, 0), 32 * n)) & levels;
    },
  };
}

/** ICH_LR<n>_EL2; those that are not implemented read as zero. */
function listRegister(n: number): Register {
  return {
    read: ({ listRegisters }) => (listRegisters[n] ? encodeListRegister(listRegisters[n]) : 0n),
    write: ({ config, listRegisters }, value) => {
      if (listRegisters[n]) listRegisters[n] = decodeListRegister(config, value);
    },
  };
}

const groups: readonly Group[] = [0, 1];
const words = [0, 1, 2, 3];

/** ICH_* and ICV_* by name: sections 8.1 and 8.4 to 8.9. */
const registers: ReadonlyMap<string, Register> = new Map([
  ['ICH_HCR_EL2', hcr],
  ['ICH_VTR_EL2', { read: ({ config }) => hypervisorType(config) }],
  ['ICH_MISR_EL2', { read: ({ misr }) => misr }],
  ['ICH_EISR_EL2', { read: ({ eisr }) => eisr }],
  ['ICH_ELRSR_EL2', { read: ({ elrsr }) => elrsr }],
  ['ICH_VMCR_EL2', vmcr],
  [
    'ICV_PMR_EL1',
    {
      read: ({ priorityMask }) => BigInt(priorityMask),
      write: (virtual, value) => setPriorityMask(virtual, numberField(value, 7, 0)),
    },
  ],
  ['ICV_RPR_EL1', { read: (virtual) => BigInt(virtual.runningPriority()) }],
  ['ICV_BPR0_EL1', bpr0],
  ['ICV_BPR1_EL1', bpr1],
  ['ICV_CTLR_EL1', ctlr],
  ['ICV_DIR_EL1', { write: (virtual, value) => virtual.deactivate(numberField(value, 23, 0)) }],
  ...groups.flatMap(groupRegisters),
  ...groups.flatMap((group) =>
    words.flatMap((n): [string, Register][] => [
      [`ICH_AP${group}R${n}_EL2`, activePriorities(group, n)],
      [`ICV_AP${group}R${n}_EL1`, activePriorities(group, n)],
    ]),
  ),
  ...Array.from({ length: 16 }, (_, n): [string, Register] => [`ICH_LR${n}_EL2`, listRegister(n)]),
]);

export function isVirtualRegister(name: string): boolean {
  return registers.has(name);
}

/** Write-only registers read as zero. */
export function readVirtual(virtual: VirtualInterface, name: string): bigint {
  return registers.get(name)?.read?.(virtual) ?? 0n;
}

/** Read-only registers ignore writes. */
export function writeVirtual(virtual: VirtualInterface, name: string, value: bigint): void {
  registers.get(name)?.write?.(virtual, value);
}
