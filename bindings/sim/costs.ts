import { Cost } from '../../assembly/abi.ts';
import { GicError, requireInteger } from '../errors.ts';

/** Operations that have a price. */
export type CostName =
  /** From the guest to the hypervisor. */
  | 'exit'
  /** From the hypervisor to the guest. */
  | 'entry'
  /** An access that KVM emulates, without its exit and entry. */
  | 'emulatedMmio'
  /** What user space does for an access that it emulates. */
  | 'userSpace'
  /** One list register read. */
  | 'listRegisterSave'
  /** One list register written. */
  | 'listRegisterRestore'
  /** An interrupt from one PE to another. */
  | 'ipi'
  /** An interrupt of the host: acknowledge, handler, end. */
  | 'hostIrq'
  /** A thread woken on the same PE. */
  | 'wakeupLocal'
  /** A thread woken on another, idle PE. */
  | 'wakeupRemote'
  /** kvm_arch_vcpu_load. */
  | 'load'
  /** kvm_arch_vcpu_put. */
  | 'put'
  /** From one thread to another, without load and put. */
  | 'threadSwitch'
  /** An ITS command posted and completed. */
  | 'itsCommand'
  /** SYNC or VSYNC. */
  | 'itsSync'
  /** VMOVP, without its VSYNC. */
  | 'vmovp'
  /** A write of a redistributor's register. */
  | 'redistributorWrite'
  /** A read of a redistributor's register. */
  | 'redistributorRead'
  /** A vPE scheduled in whose pending table is empty. */
  | 'parseEmpty'
  /** A vPE scheduled in that has VLPIs pending. */
  | 'parseBusy'
  /** An interrupt put on a list, and the kick decided. */
  | 'inject'
  /** An access of the guest to its virtual CPU interface. */
  | 'guestGic'
  /** A VLPI from the device's write to the guest's vector. */
  | 'vlpi'
  /** A doorbell from its pending bit to the entry of the handler. */
  | 'doorbell'
  /** A command of the guest's virtual ITS. */
  | 'guestCommand'
  /** A system call of user space. */
  | 'syscall';

/** The engine's numbers of the operations. */
export const costNumbers: Readonly<Record<CostName, Cost>> = {
  exit: Cost.EXIT,
  entry: Cost.ENTRY,
  emulatedMmio: Cost.EMULATED_MMIO,
  userSpace: Cost.USER_SPACE,
  listRegisterSave: Cost.LR_SAVE,
  listRegisterRestore: Cost.LR_RESTORE,
  ipi: Cost.IPI,
  hostIrq: Cost.HOST_IRQ,
  wakeupLocal: Cost.WAKEUP_LOCAL,
  wakeupRemote: Cost.WAKEUP_REMOTE,
  load: Cost.LOAD,
  put: Cost.PUT,
  threadSwitch: Cost.SWITCH,
  itsCommand: Cost.ITS_COMMAND,
  itsSync: Cost.ITS_SYNC,
  vmovp: Cost.VMOVP,
  redistributorWrite: Cost.RD_WRITE,
  redistributorRead: Cost.RD_READ,
  parseEmpty: Cost.PARSE_EMPTY,
  parseBusy: Cost.PARSE_BUSY,
  inject: Cost.INJECT,
  guestGic: Cost.GUEST_GIC,
  vlpi: Cost.VLPI,
  doorbell: Cost.DOORBELL,
  guestCommand: Cost.GUEST_COMMAND,
  syscall: Cost.SYSCALL,
};

/** A price in ns, whether it was measured, and where it is from. */
export interface Price {
  /** Nanoseconds. */
  readonly ns: number;
  /** Whether a measurement gives it, or an estimate that the sources allow. */
  readonly basis: 'measured' | 'assumed';
  /** Which measurement, or what the estimate goes by. */
  readonly source: string;
}

/** A price for every operation. */
export type CostTable = Readonly<Record<CostName, Price>>;

const measured = (ns: number, source: string): Price => ({ ns, basis: 'measured', source });
const assumed = (ns: number, source: string): Price => ({ ns, basis: 'assumed', source });

const ALTRA = 'kvm-unit-tests micro-bench, Ampere Altra, Linux 6.12-rc1 (R. R. Ananta, 29 Oct 2024)';
const MOONSHOT = 'Dall et al., ISCA 2016, HP Moonshot m400 (X-Gene 2.4 GHz), Linux 4.0, tables as remembered';

/** Arm servers of the 2020s. What the measurements give as one number is split between the operations it consists of. */
const modern: CostTable = {
  exit: assumed(170, `part of hvc 306 ns: ${ALTRA}`),
  entry: assumed(136, `part of hvc 306 ns: ${ALTRA}`),
  emulatedMmio: measured(145, `mmio_read_vgic 451 ns less hvc 306 ns: ${ALTRA}`),
  userSpace: assumed(560, `part of mmio_read_user 1683 ns less hvc, with syscall, load and put: ${ALTRA}`),
  syscall: assumed(150, 'part of mmio_read_user, see userSpace'),
  load: assumed(280, 'part of mmio_read_user, see userSpace'),
  put: assumed(250, 'part of mmio_read_user, see userSpace'),
  threadSwitch: assumed(970, 'load, put and switch together 1,500 ns'),
  listRegisterSave: assumed(20, 'ratio to restore as measured in 2016'),
  listRegisterRestore: assumed(10, 'a system register write'),
  ipi: assumed(500, 'no measurement of a bare IPI was found'),
  hostIrq: assumed(600, 'acknowledge, a short handler, end of interrupt'),
  wakeupLocal: assumed(1500, 'wake-up and switch on one PE'),
  wakeupRemote: assumed(3000, 'wake-up of an idle PE by an IPI, and switch'),
  itsCommand: assumed(300, 'posted and completed'),
  itsSync: assumed(500, 'SYNC or VSYNC'),
  vmovp: assumed(1000, '1,500 ns with its VSYNC'),
  redistributorWrite: assumed(60, 'a posted write'),
  redistributorRead: assumed(150, 'a round trip to the redistributor'),
  parseEmpty: assumed(200, 'GICR_VPENDBASER with an empty pending table'),
  parseBusy: assumed(1000, 'with something in the table: a VLPI to a sleeping vCPU then takes 4 to 5 us'),
  guestCommand: assumed(250, `lpi 2,179 ns less ipi 1,926 ns: ${ALTRA}`),
  inject: assumed(100, 'the state changed, the interrupt put on a list, the kick decided'),
  guestGic: measured(14, `eoi 14 ns: ${ALTRA}`),
  vlpi: assumed(300, "device's write to the guest's vector"),
  doorbell: assumed(800, 'pending bit to the entry of the handler'),
};

/** Arm servers of 2015. */
const of2015: CostTable = {
  exit: assumed(1500, `part of hypercall 6,500 cycles, 2,710 ns: ${MOONSHOT}`),
  entry: assumed(1210, `part of hypercall 6,500 cycles, 2,710 ns: ${MOONSHOT}`),
  emulatedMmio: measured(360, `interrupt controller trap less hypercall, 870 cycles: ${MOONSHOT}`),
  userSpace: assumed(2500, 'as the I/O latency out of the guest'),
  syscall: assumed(400, 'part of a return to user space'),
  load: assumed(900, 'part of VM switch 10,387 cycles, 4,330 ns'),
  put: assumed(900, 'part of VM switch 10,387 cycles, 4,330 ns'),
  threadSwitch: measured(2530, `VM switch 10,387 cycles less load and put: ${MOONSHOT}`),
  listRegisterSave: assumed(300, `VGIC save 3,250 cycles for four list registers: ${MOONSHOT}`),
  listRegisterRestore: assumed(20, `VGIC restore 181 cycles: ${MOONSHOT}`),
  ipi: assumed(900, 'part of virtual IPI 11,557 cycles'),
  hostIrq: assumed(1500, 'acknowledge, a short handler, end of interrupt'),
  wakeupLocal: assumed(4000, 'I/O latency in, 5,780 ns, is the check'),
  wakeupRemote: assumed(6000, 'I/O latency in, 5,780 ns, is the check'),
  itsCommand: assumed(500, 'posted and completed'),
  itsSync: assumed(800, 'SYNC or VSYNC'),
  vmovp: assumed(1700, '2,500 ns with its VSYNC'),
  redistributorWrite: assumed(100, 'a posted write'),
  redistributorRead: assumed(250, 'a round trip to the redistributor'),
  parseEmpty: assumed(400, 'GICR_VPENDBASER with an empty pending table'),
  parseBusy: assumed(2000, 'GICR_VPENDBASER with something in the table'),
  guestCommand: assumed(500, 'read from guest memory and executed'),
  inject: assumed(300, 'the state changed, the interrupt put on a list, the kick decided'),
  guestGic: measured(30, `virtual IRQ completion, 71 cycles: ${MOONSHOT}`),
  vlpi: assumed(500, "device's write to the guest's vector"),
  doorbell: assumed(1500, 'pending bit to the entry of the handler'),
};

const free = Object.fromEntries(
  Object.keys(costNumbers).map((name) => [name, assumed(0, 'nothing costs anything')]),
) as CostTable;

/** Sets of prices. With `free` only guests and devices take time. */
export const costTables: Readonly<Record<CostTableName, CostTable>> = { modern, '2015': of2015, free };

/** The tables that there are: Arm servers of the 2020s, those of 2015, and everything for nothing. */
export type CostTableName = 'modern' | '2015' | 'free';

/** A table, or a table with some prices changed, in ns. */
export type CostOptions =
  | CostTableName
  | ({
      /** Whose prices hold for what is not given; default `modern`. */
      readonly table?: CostTableName;
    } & { readonly [Name in CostName]?: number });

const MOST_NS = 1_000_000_000;

/** The prices in ns that options stand for. */
export function resolveCosts(options: CostOptions): Record<CostName, number> {
  const { table = 'modern', ...changed } = typeof options === 'string' ? { table: options } : options;
  const base: CostTable | undefined = costTables[table];
  if (!base) {
    throw new GicError('UNKNOWN_NAME', 'costs.table', table, `one of ${Object.keys(costTables).join(', ')}`);
  }
  const prices = Object.fromEntries(Object.entries(base).map(([name, { ns }]) => [name, ns]));
  for (const [name, ns] of Object.entries(changed)) {
    if (!(name in costNumbers)) {
      throw new GicError('UNKNOWN_NAME', 'costs', name, `one of ${Object.keys(costNumbers).join(', ')}`);
    }
    prices[name] = requireInteger('INVALID_ARGUMENT', `costs.${name}`, ns as number, 0, MOST_NS);
  }
  return prices as Record<CostName, number>;
}
