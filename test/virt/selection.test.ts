import { describe, expect, it } from 'vitest';
import { listRegister, startGuest, vmcr } from '../support/vpe_driver.ts';

describe('8.9 the highest priority pending virtual interrupt', () => {
  it.each([
    { state: 0, wins: false },
    { state: 1, wins: true },
    { state: 2, wins: false },
    { state: 3, wins: false },
  ] as const)('8.9 a list register in State $state is a candidate: $wins', async ({ state, wins }) => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'LR2', listRegister(40, { state }));
    expect(driver.machine.virtualOutputs(0).winner).toBe(wins ? 2 : undefined);
    expect([driver.virq(0), driver.guest(0, 'HPPIR1')]).toEqual([wins, wins ? 40 : 1023]);
  });

  it('8.9 the numerically lowest priority wins, wherever it stands', async () => {
    const driver = await startGuest({ cpus: 1, listRegisters: 16 });
    const priorities = [
      0xa0, 0x90, 0xb0, 0x48, 0x50, 0x88, 0xf0, 0x58, 0x60, 0x68, 0x70, 0x78, 0x80, 0x98, 0x40, 0xa8,
    ];
    for (const [n, priority] of priorities.entries())
      driver.setIch(0, `LR${n}`, listRegister(32 + n, { priority }));
    const order: number[] = [];
    const sorted = [...priorities.entries()].sort((a, b) => a[1] - b[1]).map(([n]) => 32 + n);
    for (let intid = driver.guestTake(0); intid !== undefined; intid = driver.guestTake(0)) order.push(intid);
    expect(order).toEqual(sorted);
  });

  it.each(Array.from({ length: 16 }, (_, n) => n + 1))(
    '8.9 all %i list registers take part, the highest numbered too',
    async (listRegisters) => {
      const driver = await startGuest({ cpus: 1, listRegisters });
      for (let n = 0; n < listRegisters; n++) {
        driver.setIch(0, `LR${n}`, listRegister(32 + n, { priority: 0xf0 - 8 * n }));
      }
      expect(driver.machine.virtualOutputs(0).winner).toBe(listRegisters - 1);
      const expected = Array.from({ length: listRegisters }, (_, n) => 31 + listRegisters - n);
      expect(driver.guestTakeAll(0)).toEqual(expected);
    },
  );

  it.each([1, 2, 3, 4])(
    '8.9 of %i list registers at one priority the lowest numbered wins',
    async (count) => {
      const driver = await startGuest({ cpus: 1 });
      for (let n = 4 - count; n < 4; n++) driver.setIch(0, `LR${n}`, listRegister(90 - n));
      expect(driver.guestTakeAll(0)).toEqual(Array.from({ length: count }, (_, n) => 90 - (4 - count + n)));
    },
  );

  it.each([
    { groups: 0, winner: undefined },
    { groups: 1, winner: 0 },
    { groups: 2, winner: 1 },
    { groups: 3, winner: 0 },
  ])(
    '8.9 a disabled group is no candidate and hides nothing: VENG1, VENG0 = $groups',
    async ({ groups, winner }) => {
      const driver = await startGuest({ cpus: 1 });
      driver.setIch(0, 'VMCR', vmcr({ groups }));
      driver.setIch(0, 'LR0', listRegister(40, { group: 0, priority: 0x40 }));
      driver.setIch(0, 'LR1', listRegister(41, { group: 1, priority: 0x80 }));
      expect(driver.machine.virtualOutputs(0)).toMatchObject({
        winner,
        vfiq: winner === 0,
        virq: winner === 1,
      });
    },
  );

  it('8.9 priority 0xFF never wins', async () => {
    const driver = await startGuest({ cpus: 1, virtualPriorityBits: 8, virtualPreemptionBits: 7 });
    driver.setIch(0, 'VMCR', vmcr());
    driver.setIch(0, 'LR0', listRegister(40, { priority: 0xff }));
    expect(driver.machine.virtualOutputs(0).winner).toBeUndefined();
    expect(driver.guest(0, 'HPPIR1')).toBe(1023);
    driver.setIch(0, 'LR0', listRegister(40, { priority: 0xfe }));
    expect([driver.machine.virtualOutputs(0).winner, driver.virq(0)]).toEqual([0, true]);
  });

  it('1.4 the lowest usable priority of 5 bits is 0xF8: it is not below VPMR 0xF8', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'LR0', listRegister(40, { priority: 0xf8 }));
    expect([driver.virq(0), driver.guest(0, 'HPPIR1')]).toEqual([false, 40]);
    driver.setIch(0, 'LR0', listRegister(40, { priority: 0xf0 }));
    expect(driver.virq(0)).toBe(true);
  });
});

describe('8.9 groups, vIRQ and vFIQ', () => {
  it.each([
    { group: 0, virq: false, vfiq: true },
    { group: 1, virq: true, vfiq: false },
  ] as const)(
    '8.9 Group $group: vIRQ $virq, vFIQ $vfiq; only its own IAR takes it',
    async ({ group, virq, vfiq }) => {
      const driver = await startGuest({ cpus: 1 });
      driver.setIch(0, 'LR0', listRegister(40, { group }));
      expect([driver.virq(0), driver.vfiq(0)]).toEqual([virq, vfiq]);
      expect([driver.guest(0, `HPPIR${group}`), driver.guest(0, `HPPIR${1 - group}`)]).toEqual([40, 1023]);
      expect(driver.guest(0, `IAR${1 - group}`)).toBe(1023);
      expect(driver.ich(0, 'LR0')).toBe(listRegister(40, { group }));
      expect(driver.guest(0, `IAR${group}`)).toBe(40);
      expect(driver.ich(0, `AP${group}R0`)).toBe(1n << 20n);
      expect(driver.ich(0, `AP${1 - group}R0`)).toBe(0n);
      expect([driver.virq(0), driver.vfiq(0)]).toEqual([false, false]);
    },
  );

  it('8.9 a better candidate of the other group hides ours; then it is our turn', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'LR0', listRegister(40, { group: 1, priority: 0x80 }));
    driver.setIch(0, 'LR1', listRegister(41, { group: 0, priority: 0x40 }));
    expect([driver.guest(0, 'IAR1'), driver.guest(0, 'HPPIR1')]).toEqual([1023, 1023]);
    expect(driver.guest(0, 'IAR0')).toBe(41);
    driver.setGuest(0, 'EOIR0', 41);
    expect([driver.virq(0), driver.vfiq(0), driver.guest(0, 'IAR1')]).toEqual([true, false, 40]);
  });

  it('8.9 the lines follow the state: they drop with VPMR, group enable, list register and En', async () => {
    const ways: [string, (on: boolean) => void][] = [];
    const driver = await startGuest({ cpus: 1 });
    ways.push(['VPMR', (on) => driver.setGuest(0, 'PMR', on ? 0xff : 0x80)]);
    ways.push(['VENG1', (on) => driver.setGuest(0, 'IGRPEN1', on ? 1 : 0)]);
    ways.push(['LR0', (on) => driver.setIch(0, 'LR0', on ? listRegister(40) : 0)]);
    ways.push(['En', (on) => driver.setIch(0, 'HCR', on ? 1 : 0)]);
    ways.push(['AP1R0', (on) => driver.setIch(0, 'AP1R0', on ? 0 : 1)]);
    driver.setIch(0, 'LR0', listRegister(40));
    for (const [name, set] of ways) {
      set(false);
      expect([name, driver.virq(0)]).toEqual([name, false]);
      set(true);
      expect([name, driver.virq(0)]).toEqual([name, true]);
    }
  });

  it('8.4 En=0: IAR reads 1023, list registers and active priorities stay', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'LR0', listRegister(40));
    driver.setIch(0, 'LR1', listRegister(41, { group: 0 }));
    driver.setIch(0, 'HCR', 0);
    expect([driver.guest(0, 'IAR0'), driver.guest(0, 'IAR1')]).toEqual([1023, 1023]);
    expect([driver.ich(0, 'LR0'), driver.ich(0, 'LR1'), driver.ich(0, 'AP0R0')]).toEqual([
      listRegister(40),
      listRegister(41, { group: 0 }),
      0n,
    ]);
    expect(driver.machine.counters().virtualAcknowledged.spurious).toBe(2);
  });

  it.each([1020, 1021, 1022, 1023])(
    '8.9 vINTID %i in a pending list register: IAR returns it and empties the list register',
    async (intid) => {
      const driver = await startGuest({ cpus: 1 });
      driver.setIch(0, 'LR0', listRegister(intid));
      expect(driver.guest(0, 'IAR1')).toBe(intid);
      expect([driver.ich(0, 'LR0') >> 62n, driver.ich(0, 'AP1R0')]).toEqual([0n, 0n]);
    },
  );

  it('8.9 counters.virtualAcknowledged tells list registers from spurious reads', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'LR0', listRegister(40));
    for (let n = 0; n < 3; n++) driver.guest(0, 'IAR1');
    driver.guest(0, 'IAR0');
    expect(driver.machine.counters().virtualAcknowledged).toMatchObject({
      listRegister: 1,
      vlpi: 0,
      spurious: 3,
    });
  });
});

describe('8.9 ICV_HPPIR', () => {
  it('8.9 PMR and the running priority do not matter, and reading has no side effects', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'LR0', listRegister(40, { priority: 0x80 }));
    driver.setGuest(0, 'PMR', 0);
    driver.setIch(0, 'AP0R0', 1);
    for (let n = 0; n < 2; n++) expect(driver.guest(0, 'HPPIR1')).toBe(40);
    expect(driver.ich(0, 'LR0')).toBe(listRegister(40, { priority: 0x80 }));
    expect(driver.ich(0, 'AP1R0')).toBe(0n);
  });
});
