// The architected timer of a guest, forwarded by KVM, from its being programmed to the guest's handler.
//
// Once for a guest that sleeps meanwhile, once for one that is busy; with the kernels of 2017, which switched the timer
// at each entry and exit, and with later ones, which leave it running. Prints a table for each.
import { createMachine, type GuestVm, IrqChip, type KernelEra, Kvm, type Vcpu } from 'gicv4';

/** PPI of the virtual timer, the host's and the guest's alike. */
const TIMER = 27;
const GICR_ISENABLER0 = 0x1_0100;
const GICR_ISACTIVER0 = 0x1_0300;

/** What is where after a step. */
export interface Step {
  readonly step: string;
  readonly event: string;
  readonly timer: 'off' | 'armed' | 'fires';
  readonly softTimer: 'off' | 'on';
  /** The host's PPI on the PE: active. */
  readonly physicalActive: boolean;
  readonly line: 'low' | 'high';
  readonly queued: boolean;
  readonly listRegister: string;
  readonly vcpu: string;
  /** Interrupts that the host has acknowledged so far. */
  readonly hostInterrupts: number;
}

/** A VM of one vCPU, whose guest has enabled its timer's PPI. */
class Scene {
  readonly kvm: Kvm;
  readonly vm: GuestVm;
  readonly vcpu: Vcpu;
  readonly steps: Step[] = [];
  #hostInterrupts = 0;

  constructor(kvm: Kvm, vm: GuestVm, vcpu: Vcpu) {
    this.kvm = kvm;
    this.vm = vm;
    this.vcpu = vcpu;
  }

  static async set(kernel: KernelEra): Promise<Scene> {
    const machine = await createMachine({ cpus: 1, ram: { base: 0x4000_0000, size: 64 * 2 ** 20 } });
    const kvm = new Kvm(new IrqChip(machine, { kvm: kernel }));
    const vm = kvm.createVm();
    const scene = new Scene(kvm, vm, vm.vcpus[0] as Vcpu);
    const { guest } = scene.vcpu.run(0);
    guest.store(vm.distributor, 2);
    guest.store(vm.redistributors + GICR_ISENABLER0, 1 << TIMER);
    guest.writeRegister('ICC_PMR_EL1', 0xf8);
    guest.writeRegister('ICC_IGRPEN1_EL1', 1);
    machine.recordEvents(true);
    return scene;
  }

  /** The guest programs its timer to fire in 100 ticks. */
  program(): void {
    const { guest } = this.vcpu;
    guest.writeRegister('CNTV_CVAL_EL0', guest.readRegister('CNTVCT_EL0') + 100n);
    guest.writeRegister('CNTV_CTL_EL0', 1);
  }

  /** The guest's handler: acknowledge, program the timer anew, end of interrupt. */
  handle(): void {
    const { guest } = this.vcpu;
    const intid = guest.ack();
    this.program();
    guest.eoi(intid);
  }

  enter(): void {
    while (!this.vcpu.loop.enter());
  }

  /** Time passes for the hardware alone. */
  pass(ticks: bigint): void {
    const { machine } = this.kvm.chip;
    machine.advanceCounter(machine.counter + ticks);
  }

  see(step: string, event: string): void {
    const { machine } = this.kvm.chip;
    const control = machine.cpu(0).read('CNTV_CTL_EL0');
    const irq = this.vcpu.irq(TIMER);
    const lr = this.vcpu.listRegisters.find(({ vIntid, state }) => vIntid === TIMER && state !== 'invalid');
    const events = machine.takeEvents().filter(({ kind }) => kind === 'acknowledged');
    this.#hostInterrupts += events.length;
    this.steps.push({
      step,
      event,
      timer: control === 5n ? 'fires' : control === 1n ? 'armed' : 'off',
      softTimer: this.kvm.nextSoftTimer === undefined ? 'off' : 'on',
      physicalActive: this.#bit(GICR_ISACTIVER0),
      line: irq.lineLevel ? 'high' : 'low',
      queued: irq.onListOf !== undefined,
      listRegister: lr ? `${lr.state}${lr.hw ? ', HW' : ''}` : '-',
      vcpu: this.vcpu.state,
      hostInterrupts: this.#hostInterrupts,
    });
  }

  #bit(register: number): boolean {
    const { machine } = this.kvm.chip;
    return ((machine.read(machine.config.addressMap.gicr + register, 4) >>> TIMER) & 1) === 1;
  }
}

/** Scenario A: the guest programs its timer and sleeps. */
export async function idleGuest(kernel: KernelEra): Promise<Step[]> {
  const scene = await Scene.set(kernel);
  const { kvm, vcpu } = scene;
  scene.see('1', 'KVM runs the vCPU');
  scene.program();
  scene.see('2', 'the guest programs the timer to fire in T+100');
  scene.see('3', 'the guest calls WFI');
  vcpu.loop.exit();
  scene.see('4', 'the hardware traps to the host');
  vcpu.loop.beginWfi();
  vcpu.loop.sleep();
  scene.see('5-7', 'KVM saves and disables the timer, sets a soft timer, puts the thread to sleep');
  scene.pass(100n);
  kvm.expireSoftTimers();
  scene.see('8', 'the soft timer fires and wakes the thread');
  vcpu.loop.load(0);
  vcpu.loop.endWfi();
  scene.see('9-10', 'the vCPU is loaded: the timer is restored, its interrupt active on the host');
  scene.enter();
  scene.see('11-12', 'KVM injects the forwarded interrupt and runs the vCPU');
  scene.handle();
  scene.see('', 'the guest acknowledges, programs the timer anew, ends the interrupt');
  return scene.steps;
}

/** Scenario B: the guest programs its timer and stays busy. */
export async function busyGuest(kernel: KernelEra): Promise<Step[]> {
  const scene = await Scene.set(kernel);
  const { vcpu } = scene;
  scene.see('1', 'KVM runs the vCPU');
  scene.program();
  scene.see('2', 'the guest programs the timer to fire in T+100');
  scene.pass(100n);
  scene.see('4', 'at T+100 the timer fires: a physical interrupt');
  vcpu.loop.exit();
  scene.see('5-6', 'the VM exits, and KVM learns that the timer has expired');
  scene.enter();
  scene.see('7', 'the interrupt is active on the host, KVM runs the vCPU with it');
  scene.handle();
  scene.see('8', 'the guest acknowledges, programs the timer anew, ends the interrupt');
  return scene.steps;
}

/** The steps as a table. */
export function table(steps: readonly Step[]): string {
  const rows = steps.map((step) => [
    step.step,
    step.event,
    step.timer,
    step.softTimer,
    step.physicalActive ? '1' : '0',
    `${step.line}${step.queued ? ', queued' : ''}`,
    step.listRegister,
    step.vcpu,
    String(step.hostInterrupts),
  ]);
  const all = [
    ['', 'event', 'timer', 'soft timer', 'active', 'line', 'list register', 'vCPU', 'taken by the host'],
    ...rows,
  ];
  const widths =
    all[0]?.map((_, column) => Math.max(...all.map((row) => (row[column] as string).length))) ?? [];
  const lineOf = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join('  ')
      .trimEnd();
  return all.map(lineOf).join('\n');
}

for (const kernel of ['2017', '5.6'] as const) {
  console.log(`A guest that sleeps, kernel ${kernel}\n\n${table(await idleGuest(kernel))}\n`);
  console.log(`A guest that is busy, kernel ${kernel}\n\n${table(await busyGuest(kernel))}\n`);
}
