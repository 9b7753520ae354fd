import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createMachineSync, type Machine, MachineView } from '../../bindings/index.ts';

const RAM = 0x4000_0000;
const REFUSED = { name: 'GicError', code: 'DISPOSED', field: 'machine' };

/** Every use that there is, with arguments that a live machine takes. */
const uses: Readonly<
  Record<
    Exclude<keyof Machine, 'config' | 'cpus' | 'module' | 'onRestore' | 'dispose' | typeof Symbol.dispose>,
    unknown
  >
> = {
  shape: (m: Machine) => m.shape.layout,
  memory: (m: Machine) => m.memory.buffer,
  engine: (m: Machine) => m.engine.read(RAM, 4),
  wide: (m: Machine) => m.wide(0),
  read: (m: Machine) => m.read(RAM, 4),
  write: (m: Machine) => m.write(RAM, 4, 1),
  sendMsi: (m: Machine) => m.sendMsi(1, 1),
  sendMsis: (m: Machine) => m.sendMsis(Uint32Array.of(1, 1)),
  setSpi: (m: Machine) => m.setSpi(40, true),
  setPpi: (m: Machine) => m.setPpi(0, 20, true),
  readSystemRegister: (m: Machine) => m.readSystemRegister(0, 'ICC_IAR1_EL1'),
  writeSystemRegister: (m: Machine) => m.writeSystemRegister(0, 'ICC_PMR_EL1', 0),
  readMemory: (m: Machine) => m.readMemory(RAM, 4),
  writeMemory: (m: Machine) => m.writeMemory(RAM, Uint8Array.of(1)),
  ram: (m: Machine) => m.ram(RAM, 4),
  highestPending: (m: Machine) => m.highestPending(0),
  highestPendingWord: (m: Machine) => m.highestPendingWord(0),
  irq: (m: Machine) => m.irq(0),
  fiq: (m: Machine) => m.fiq(0),
  virtualOutputs: (m: Machine) => m.virtualOutputs(0),
  listRegisters: (m: Machine) => m.listRegisters(0),
  takeChangedCpus: (m: Machine) => m.takeChangedCpus(),
  counter: (m: Machine) => m.counter,
  advanceCounter: (m: Machine) => m.advanceCounter(10),
  nextTimerDeadline: (m: Machine) => m.nextTimerDeadline(),
  resetCpuInterface: (m: Machine) => m.resetCpuInterface(0),
  stepIts: (m: Machine) => m.stepIts(),
  deviceEntry: (m: Machine) => m.deviceEntry(0, 1),
  collectionEntry: (m: Machine) => m.collectionEntry(0, 1),
  interruptEntry: (m: Machine) => m.interruptEntry(0, 1, 1),
  vpeEntry: (m: Machine) => m.vpeEntry(0, 1),
  checkLpiIndex: (m: Machine) => m.checkLpiIndex(0),
  counterWords: (m: Machine) => m.counterWords,
  counters: (m: Machine) => m.counters(),
  its: (m: Machine) => m.its(0).read('GITS_CTLR'),
  redistributor: (m: Machine) => m.redistributor(0).read('GICR_CTLR'),
  cpu: (m: Machine) => m.cpu(0).acknowledge(),
  recordEvents: (m: Machine) => m.recordEvents(true),
  takeEvents: (m: Machine) => m.takeEvents(),
  takeDiagnostics: (m: Machine) => m.takeDiagnostics(),
  snapshot: (m: Machine) => m.snapshot(),
  restore: (m: Machine) => m.restore(m.snapshot()),
  digest: (m: Machine) => m.digest(),
  shared: (m: Machine) => m.shared,
  takeArrivals: (m: Machine) => m.takeArrivals(),
  waitForArrivals: (m: Machine) => m.waitForArrivals(0),
  releaseInjector: (m: Machine) => m.releaseInjector(0),
};

describe('a machine that was disposed', () => {
  it.each(Object.entries(uses) as [string, (machine: Machine) => unknown][])('refuses %s', (_, use) => {
    const machine = createMachineSync({ ram: { base: RAM, size: 0x10_0000 } });
    expect(() => use(machine)).not.toThrow();
    machine.dispose();
    expect(() => use(machine)).toThrow(expect.objectContaining(REFUSED));
  });

  it('can be disposed again, and leaves others alone', () => {
    const [machine, other] = [createMachineSync(), createMachineSync()];
    machine[Symbol.dispose]();
    machine.dispose();
    expect(other.cpu(0).acknowledge()).toBe(1023);
    expect(machine.config.cpus).toBe(machine.cpus);
  });

  it('lets its memory be freed while the machine itself is still referred to', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const machine = createMachineSync();
    const memory = new WeakRef(machine.memory);
    machine.dispose();
    // What is reached in a turn lives until its end.
    await new Promise((resolve) => setTimeout(resolve));
    collect();
    expect(memory.deref()).toBeUndefined();
    expect(machine.cpus).toBe(4);
  });
});

describe('a view of a machine', () => {
  it('shows what the machine shows', () => {
    const machine = createMachineSync({ ram: { base: RAM, size: 0x10_0000 } });
    const view = new MachineView(machine.shape, machine.memory);
    machine.write(machine.config.addressMap.gicd, 4, 2);
    machine.write(RAM + 8, 4, 0x1234);
    expect(view.readMemory(RAM + 8, 2)).toEqual(Uint8Array.of(0x34, 0x12));
    expect(view.counters()).toEqual(machine.counters());
    expect(view.virtualOutputs(0)).toEqual(machine.virtualOutputs(0));
  });

  it('of its own takes the same events and diagnostics again', () => {
    const machine = createMachineSync();
    const view = new MachineView(machine.shape, machine.memory);
    machine.recordEvents(true);
    machine.sendMsi(1, 1);
    const events = machine.takeEvents();
    expect(events.length).toBeGreaterThan(0);
    expect(view.takeEvents()).toEqual(events);
    expect(view.takeDiagnostics()).toEqual(machine.takeDiagnostics());
  });

  it('is disposed apart from the machine', () => {
    const machine = createMachineSync();
    const view = new MachineView(machine.shape, machine.memory);
    view.dispose();
    expect(() => view.irq(0)).toThrow(expect.objectContaining(REFUSED));
    expect(machine.irq(0)).toBe(false);
  });
});
