// 3.9 the life cycles of an LPI by software and of a forwarded one, a VLPI.
import { describe, expect, it } from 'vitest';
import type { KernelEra, Vcpu } from '../../../bindings/index.ts';
import { GuestIts } from '../guest_its.ts';

const DEVICE = 3;
const HOST_DEVICE = 0x10;
const LPI = 8200;

/** A guest of two vCPUs whose event 0 is LPI 8200 of vCPU 0. */
class Life {
  #exits = 0;

  constructor(
    readonly guest: GuestIts,
    readonly kvm: KernelEra,
  ) {
    guest.mapDevice(DEVICE);
    guest.map(DEVICE, 0, LPI);
  }

  vcpu(n = 0): Vcpu {
    return this.guest.vm.vcpus[n]!;
  }

  run(n = 0): this {
    const { guest } = this.vcpu(n).run(n);
    guest.writeRegister('ICC_PMR_EL1', 0xff);
    guest.writeRegister('ICC_IGRPEN1_EL1', 1);
    this.#exits = this.vcpu().exits;
    return this;
  }

  /** Everything is loaded and folded once. */
  exit(n = 0): void {
    this.vcpu(n).guest.hvc();
  }

  rise(): void {
    this.guest.msi(DEVICE, 0);
  }

  ack(): number {
    return this.vcpu().guest.ack();
  }

  /** P for the latch, A for active. */
  get memory(): string {
    const irq = this.guest.vm.lpi(LPI);
    return irq ? `${irq.pendingLatch ? 'P' : ''}${irq.active ? 'A' : ''}` || '-' : 'gone';
  }

  lr(n = 0): string | undefined {
    const state = this.vcpu(n).listRegisters.find(({ vIntid }) => vIntid === LPI)?.state;
    return state === 'invalid' ? undefined : state;
  }

  /** Exits of vCPU 0 since its guest has set its interface up. */
  get exits(): number {
    return this.vcpu().exits - this.#exits;
  }

  get list(): number | undefined {
    return this.guest.vm.lpi(LPI)?.onListOf;
  }
}

async function software(kvm: KernelEra): Promise<Life> {
  return new Life(await GuestIts.start({ kvm, vcpus: 2, cpus: 2 }), kvm);
}

interface Row {
  readonly event: string;
  readonly given?: (life: Life) => unknown;
  readonly when: (life: Life) => unknown;
  readonly result: (life: Life) => void;
}

const rows: readonly Row[] = [
  {
    event: 'rise, not running: latched, queued',
    when: (life) => life.rise(),
    result: (life) => expect([life.memory, life.list]).toEqual(['P', 0]),
  },
  {
    event: 'rise while the guest runs: one exit to load it, the latch goes into the list register',
    given: (life) => life.run(),
    when: (life) => life.rise(),
    result: (life) => {
      expect([life.memory, life.lr(), life.list]).toEqual(['-', 'pending', 0]);
      expect(life.exits).toBe(1);
    },
  },
  {
    event: 'acknowledge: a hidden active state in the list register, no exit',
    given: (life) => life.run().rise(),
    when: (life) => expect(life.ack()).toBe(LPI),
    result: (life) => expect([life.lr(), life.exits]).toEqual(['active', 1]),
  },
  {
    event: 'end: the list register is empty, no exit',
    given: (life) => {
      life.run().rise();
      life.ack();
    },
    when: (life) => life.vcpu().guest.eoi(LPI),
    result: (life) => {
      expect([life.lr(), life.exits]).toEqual([undefined, 1]);
      life.exit();
      expect([life.memory, life.list]).toEqual(['-', undefined]);
    },
  },
  {
    event: 'DIR has no effect',
    given: (life) => {
      life.run();
      life.vcpu().guest.writeRegister('ICC_CTLR_EL1', 2);
      life.rise();
      life.ack();
    },
    when: (life) => life.vcpu().guest.deactivate(LPI),
    result: (life) => expect(life.lr()).toBe('active'),
  },
  {
    event:
      'a second MSI while active: up to 6.18 loaded as pending and active; 6.19 has forgotten the active state',
    given: (life) => {
      life.run().rise();
      life.ack();
    },
    when: (life) => life.rise(),
    result: (life) => expect(life.lr()).toBe(life.kvm === '6.19' ? 'pending' : 'pending-and-active'),
  },
  {
    event: 'exit: up to 6.18 the active state is folded, 6.19 always clears it',
    given: (life) => {
      life.run().rise();
      life.ack();
    },
    when: (life) => life.vcpu().stop(),
    result: (life) => expect(life.memory).toBe(life.kvm === '6.19' ? '-' : 'A'),
  },
  {
    event: 'exit before the acknowledge: the latch is back',
    given: (life) => life.run().rise(),
    when: (life) => life.vcpu().stop(),
    result: (life) => expect([life.memory, life.list]).toEqual(['P', 0]),
  },
  {
    event: 'migrated by MOVI: the target changes at once, the list with the next prune of the old owner',
    given: (life) => {
      life.run(1);
      life.rise();
    },
    when: (life) => life.guest.act({ command: 'MOVI', deviceId: DEVICE, eventId: 0, icid: 1 }),
    result: (life) => {
      expect([life.guest.lpi(LPI).target, life.list]).toEqual([1, 0]);
      life.run();
      life.exit();
      expect([life.list, life.lr(1)]).toEqual([1, 'pending']);
    },
  },
  {
    event: 'disabled: INV reads the byte, the interrupt is pruned and stays pending in memory',
    given: (life) => life.run().rise(),
    when: (life) => {
      life.guest.setProperty(LPI, 0xa0);
      life.guest.act({ command: 'INV', deviceId: DEVICE, eventId: 0 });
      life.exit();
    },
    result: (life) => {
      expect([life.memory, life.list, life.guest.lpi(LPI).enabled]).toEqual(['P', undefined, false]);
      life.guest.setProperty(LPI, 0xa1);
      life.guest.act({ command: 'INV', deviceId: DEVICE, eventId: 0 });
      expect(life.lr()).toBe('pending');
    },
  },
  {
    event: 'unmapped by DISCARD while in a list register: gone once the guest has ended it',
    given: (life) => life.run().rise(),
    when: (life) => life.guest.act({ command: 'DISCARD', deviceId: DEVICE, eventId: 0 }),
    result: (life) => {
      life.vcpu().guest.eoi(life.ack());
      life.exit();
      expect([life.memory, life.lr()]).toEqual(['gone', undefined]);
    },
  },
  {
    event: 'EnableLPIs=0: off the list, and the list register is not folded',
    given: (life) => life.run().rise(),
    when: (life) => life.guest.enableLpis(0, false),
    result: (life) => {
      life.exit();
      expect([life.memory, life.list, life.lr()]).toEqual(['-', undefined, undefined]);
    },
  },
];

describe.each(['2017', '5.6', '6.19'] as const)('3.9 LPI by software, kernel %s', (kvm) => {
  it.each(rows)('$event', async ({ given, when, result }) => {
    const life = await software(kvm);
    given?.(life);
    when(life);
    result(life);
  });
});

/** The same event, of a device of the host: a VLPI. */
class DirectLife extends Life {
  readonly irq = this.guest.hostDevice(HOST_DEVICE).irqs[0]!;
  readonly assigned = this.guest.assign(this.irq, DEVICE, 0);

  static async start(hardware: 'v4' | 'v4_1'): Promise<DirectLife> {
    const life = new DirectLife(await GuestIts.start({ hardware, vcpus: 2, cpus: 4 }), '5.6');
    life.assigned.enable(0);
    life.run();
    life.guest.steps();
    return life;
  }

  fire(): void {
    this.guest.chip.machine.sendMsi(HOST_DEVICE, 0);
    this.guest.kvm.serve();
  }

  /** The hardware's best VLPI for the guest on a PE. */
  best(cpu = 0): number | undefined {
    return this.guest.chip.machine.virtualOutputs(cpu).bestVlpi?.vIntid;
  }

  /** The bit in the vPE's pending table. */
  get inTable(): boolean {
    const { pendingTable } = this.vcpu().vpe!;
    const [byte] = this.guest.chip.machine.ram(pendingTable + (LPI >> 3), 1);
    return (((byte as number) >> (LPI & 7)) & 1) !== 0;
  }
}

interface DirectRow {
  readonly event: string;
  readonly check: (life: DirectLife, hardware: 'v4' | 'v4_1') => void;
}

const directRows: readonly DirectRow[] = [
  {
    event: "a device's MSI to a resident vPE: hardware alone, no exit, nothing in memory",
    check: (life) => {
      const { exits } = life.vcpu();
      life.fire();
      expect([life.best(), life.memory, life.vcpu().exits - exits]).toEqual([LPI, '-', 0]);
    },
  },
  {
    event: 'acknowledge and end: hardware alone',
    check: (life) => {
      const { exits } = life.vcpu();
      life.fire();
      expect(life.ack()).toBe(LPI);
      life.vcpu().guest.eoi(LPI);
      expect([life.best(), life.inTable, life.vcpu().exits - exits]).toEqual([undefined, false, 0]);
    },
  },
  {
    event: "a device's MSI to a sleeping vCPU: the bit in the table, the doorbell wakes it",
    check: (life) => {
      life.vcpu().guest.wfi();
      expect(life.vcpu().state).toBe('asleep');
      life.fire();
      expect([life.vcpu().state, life.best()]).toEqual(['in-guest', LPI]);
    },
  },
  {
    event: "a device's MSI to a preempted vCPU: the bit in the table, no doorbell",
    check: (life) => {
      life.vcpu().stop();
      life.fire();
      expect([life.inTable, life.vcpu().state]).toEqual([true, 'outside']);
      life.run();
      expect(life.ack()).toBe(LPI);
    },
  },
  {
    event: 'an MSI by software, or the guest’s INT: the host makes it pending (INT, VSYNC)',
    check: (life) => {
      life.rise();
      life.guest.act({ command: 'INT', deviceId: DEVICE, eventId: 0 });
      const commands = life.guest.steps().filter((line) => /INT |VSYNC/.test(line));
      expect(commands).toHaveLength(4);
      expect([life.best(), life.list]).toEqual([LPI, undefined]);
    },
  },
  {
    event: 'preempted: residency is dropped, the table holds it, PendingLast is read',
    check: (life) => {
      life.fire();
      life.vcpu().stop();
      expect(life.vcpu().vpe).toMatchObject({ resident: false, pendingLast: true });
      expect(life.inTable).toBe(true);
    },
  },
  {
    event: 'the vCPU migrates: VMOVP when it is loaded elsewhere',
    check: (life) => {
      life.vcpu().stop();
      life.guest.steps();
      life.vcpu().run(2);
      expect(life.guest.steps().filter((line) => line.includes('VMOVP'))).toHaveLength(1);
      life.fire();
      expect(life.best(2)).toBe(LPI);
    },
  },
  {
    event: 'configuration changes: the byte in the VM’s table, and an invalidation',
    check: (life, hardware) => {
      life.guest.setProperty(LPI, 0x41);
      life.guest.act({ command: 'INV', deviceId: DEVICE, eventId: 0 });
      const [byte, invalidation] = life.guest.steps();
      expect(byte).toBe(`VCFG(0)[${LPI}] = 0x43`);
      expect(invalidation).toContain(hardware === 'v4' ? 'ITS0: INV ' : 'INVLPIR');
    },
  },
  {
    event: 'disabled while pending: the byte, the bit stays; GICv4.0: no doorbell for it any more',
    check: (life, hardware) => {
      life.fire();
      life.guest.setProperty(LPI, 0xa0);
      life.guest.act({ command: 'INV', deviceId: DEVICE, eventId: 0 });
      const doorbell = life.guest.steps().filter((line) => line.includes('VMOVI'));
      expect([life.best(), life.inTable]).toEqual([undefined, true]);
      expect(doorbell.map((line) => line.includes('Db_pINTID 1023') || line.includes('1023'))).toEqual(
        hardware === 'v4' ? [true] : [],
      );
    },
  },
  {
    event: 'forwarding is removed: DISCARD drops the pending bit',
    check: (life) => {
      life.vcpu().stop();
      life.fire();
      life.assigned.irqfd.removeProducer();
      expect([life.inTable, life.memory, life.guest.lpi(LPI).hw]).toEqual([false, '-', false]);
    },
  },
];

describe.each(['v4', 'v4_1'] as const)('3.9 VLPI, %s', (hardware) => {
  it.each(directRows)('$event', async ({ check }) => {
    check(await DirectLife.start(hardware), hardware);
  });
});
