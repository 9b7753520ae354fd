import type { Vcpu } from '../../../bindings/index.ts';
import { type Arrival, arrivals, FIRST_LPI, isSpi, listedOf, type Moment, TIMER } from './arrivals.ts';
import { Comparison } from './comparison.ts';
import { RecordedGuest } from './recorded_guest.ts';
import { type Round, roundsOf, type VcpuStep } from './rounds.ts';
import type { Entry, Exit, Guest, HostTimer, Load, Put } from './steps.ts';
import { nextExpiry, type TimerHistory, timerHistory } from './timers.ts';

/** Redistributors of the host, and in their SGI frames the active state of SGIs and PPIs. */
const REDISTRIBUTORS = 0x080a_0000;
const REDISTRIBUTOR = 0x4_0000;
const GICR_ISACTIVER0 = 0x1_0300;
/** The host's priority mask while it takes interrupts, and while it does not. */
const OPEN = 0xf0n;
const CLOSED = 0n;
/** PPIs of the virtual and of the physical timer. */
const TIMERS = (1n << 27n) | (1n << 30n);
const VMCR_OF_ZERO = 0x4c_0008n;
const PRIVATE_INTIDS = 32;
const SGIS = 16;

/** What is known of a vCPU while the recording is replayed. */
class Track {
  /** Number of the round that it is in, -1 before the first. */
  round = -1;
  /** What comes in until the next entry. */
  coming: Arrival[] = [];

  constructor(
    readonly rounds: readonly Round[],
    readonly timer: TimerHistory,
  ) {}
}

/**
 * Replays the steps of the recording on our VGIC: it loads, enters, leaves and puts the vCPUs as the recorded KVM did; the
 * guest acknowledges and ends what it did; interrupts come in as the recording permits. What our VGIC makes of that is
 * compared with the recording. The machine's counter is the line of the recording.
 */
export class VgicReplay {
  readonly comparison = new Comparison();
  /** How many interrupts came in, by kind and moment. */
  readonly injected: Record<string, number> = {};
  readonly #guest: RecordedGuest;
  readonly #tracks: readonly Track[];
  /** The timers' PPIs that are active at each PE, by what was recorded. */
  readonly #active = [0n, 0n, 0n, 0n];

  private constructor(guest: RecordedGuest, steps: readonly VcpuStep[]) {
    this.#guest = guest;
    this.#tracks = guest.vm.vcpus.map(
      ({ index }) => new Track(roundsOf(steps, index), timerHistory(steps, index)),
    );
  }

  static async of(steps: readonly VcpuStep[]): Promise<VgicReplay> {
    const guest = await RecordedGuest.boot();
    const replay = new VgicReplay(guest, steps);
    // The host takes interrupts when it was recorded to, and at no other time.
    for (let cpu = 0; cpu < guest.machine.cpus; cpu++) guest.write(cpu, 'ICC_PMR_EL1', CLOSED);
    for (const step of steps) {
      guest.machine.advanceCounter(step.at);
      replay.#take(step);
    }
    return replay;
  }

  #take(step: VcpuStep): void {
    const { engine } = this.#guest.machine;
    const vcpu = this.#guest.vcpu(step.vcpu);
    switch (step.kind) {
      case 'load':
        return this.#load(step, vcpu);
      case 'put':
        return this.#put(step, vcpu);
      case 'begin-wfi':
        this.#leave(step, vcpu);
        return this.#succeed(step, engine.kvmBeginWfi(vcpu.number));
      case 'end-wfi':
        return this.#succeed(step, engine.kvmEndWfi(vcpu.number));
      case 'entry':
        return this.#enter(step, vcpu);
      case 'exit':
        return this.#exit(step, vcpu);
      case 'guest':
        return this.#act(step);
      case 'line':
        if (this.#track(step).timer.programmed.has(step)) this.#programTimer(step);
        return;
      case 'host-timer':
        return this.#takeTimer(step, vcpu);
      case 'deactivation':
        this.#active[step.cpu] = 0n;
        return this.#compareActive(step, 'ICACTIVER0 of a fold');
    }
  }

  // --- what the host does ---

  #load(step: Load & VcpuStep, vcpu: Vcpu): void {
    this.#succeed(step, this.#guest.machine.engine.kvmLoad(vcpu.number, step.cpu));
    this.#compareRegister(step, 'ICH_HCR_EL2', 1n, 'a load');
    this.#compareInterface(step, 'a load');
    this.#active[step.cpu] = step.active ? 1n << BigInt(TIMER) : 0n;
    this.#compareActive(step, step.active ? 'ISACTIVER0 of a load' : 'ICACTIVER0 of a load');
  }

  #put(step: Put & VcpuStep, vcpu: Vcpu): void {
    this.#leave(step, vcpu);
    this.#compareInterface(step, 'a put');
    this.#succeed(step, this.#guest.machine.engine.kvmPut(vcpu.number));
    this.#compareRegister(step, 'ICH_HCR_EL2', 0n, 'a put');
  }

  #takeTimer(step: HostTimer & VcpuStep, vcpu: Vcpu): void {
    this.#leave(step, vcpu);
    this.#guest.write(step.cpu, 'ICC_PMR_EL1', OPEN);
    this.#guest.machine.engine.kvmHostInterrupts(step.cpu);
    this.#guest.write(step.cpu, 'ICC_PMR_EL1', CLOSED);
    this.#active[step.cpu] = 1n << BigInt(TIMER);
    this.#compareActive(step, 'PPI 27 taken by the host');
  }

  #enter(step: Entry & VcpuStep, vcpu: Vcpu): void {
    this.#leave(step, vcpu);
    const track = this.#track(step);
    if (track.round < 0) this.#programTimer(step);
    this.#arrive(step, 'entry');
    track.round++;
    for (const { intid } of track.rounds[track.round + 1]?.entry.lists.map(listedOf) ?? []) {
      this.#guest.route(step.vcpu, intid);
    }
    this.#compareActive(step, 'PPI 27 at an entry');
    const entered = this.#guest.machine.engine.kvmEnter(vcpu.number);
    this.comparison.values(step.at, 'entries', 1n, BigInt(entered));
    this.#compareRegister(step, 'ICH_HCR_EL2', 1n, 'an entry');
    this.#compareLists(step);
  }

  #compareLists({ at, cpu, lists }: Entry & VcpuStep): void {
    this.#guest.listRegisters(cpu).forEach((ours, n) => {
      const recorded = lists[n];
      if (recorded !== undefined) this.comparison.values(at, `ICH_LR: ${kindOf(recorded)}`, recorded, ours);
      else if (ours !== 0n) this.comparison.differ(at, `ICH_LR${n}_EL2`, 'not written', ours.toString(16));
    });
  }

  #exit(step: Exit & VcpuStep, vcpu: Vcpu): void {
    this.#compareRegister(step, 'ICH_ELRSR_EL2', step.empty);
    const lists = this.#guest.listRegisters(step.cpu);
    for (const [n, value] of step.lists) {
      this.comparison.values(step.at, 'ICH_LR read', value, lists[n] as bigint);
    }
    this.#foresee(step, vcpu, step);
    this.#leaveGuest(step, vcpu);
    this.#compareRegister(step, 'ICH_HCR_EL2', 0n, 'an exit');
    const left = this.#guest.listRegisters(step.cpu).filter((value) => value !== 0n);
    const loaded = lists.filter((value) => value !== 0n);
    if (left.length === 0 && loaded.length === step.cleared)
      this.comparison.equal('ICH_LR: zero', step.cleared);
    else
      this.comparison.differ(step.at, 'cleared', `${step.cleared}`, `${loaded.length}, left ${left.length}`);
    this.#arrive(step, 'exit');
  }

  /** With nothing on the list the recorded KVM leaves no trace of an exit, but the guest is out by now. */
  #leave(step: VcpuStep, vcpu: Vcpu): void {
    if (vcpu.state !== 'in-guest') return;
    this.#foresee(step, vcpu, undefined);
    this.#leaveGuest(step, vcpu);
    this.#compareRegister(step, 'ICH_HCR_EL2', 1n, 'an exit with an empty list');
    this.#arrive(step, 'exit');
  }

  /** What comes in while the guest runs kicks the vCPU, and that is its exit. */
  #leaveGuest(step: VcpuStep, vcpu: Vcpu): void {
    this.#arrive(step, 'guest');
    if (vcpu.state === 'in-guest') this.#succeed(step, this.#guest.machine.engine.kvmExit(vcpu.number));
  }

  // --- what comes in ---

  #foresee(step: VcpuStep, vcpu: Vcpu, exit: Exit | undefined): void {
    const track = this.#track(step);
    const round = track.rounds[track.round];
    const next = track.rounds[track.round + 1];
    if (!round || !next) return;
    track.coming = arrivals({
      left: this.#guest
        .listRegisters(step.cpu)
        .filter((value) => value !== 0n)
        .map(listedOf),
      listed: vcpu.apList.map(({ intid }) => intid),
      next: next.entry.lists.map(listedOf),
      appears: exit !== undefined && round.entry.lists.length === 0,
      vanishes: next.entry.lists.length === 0 && next.exit === undefined,
      isHigh: (intid) =>
        intid === TIMER ? this.#guest.isTimerHigh(step.cpu) : this.#guest.vm.spi(intid).lineLevel,
    });
  }

  #arrive(step: VcpuStep, moment: Moment): void {
    const track = this.#track(step);
    const now = track.coming.filter((arrival) => arrival.moment === moment);
    if (now.length === 0) return;
    if (moment === 'guest' && now.length > 1) throw new Error(`line ${step.at}: several come in the guest`);
    track.coming = track.coming.filter((arrival) => arrival.moment !== moment);
    for (const { intid, falls } of now) {
      this.#countInjected(`${kindOf(BigInt(intid))}${falls ? ' falls' : ''}, ${moment}`);
      this.#guest.inject(step.vcpu, intid, !falls);
    }
  }

  #countInjected(what: string): void {
    this.injected[what] = (this.injected[what] ?? 0) + 1;
  }

  #programTimer({ at, cpu, vcpu }: VcpuStep): void {
    this.#guest.programTimer(cpu, nextExpiry((this.#tracks[vcpu] as Track).timer, at));
  }

  // --- what the guest does ---

  #act(step: Guest & VcpuStep): void {
    const { cpu, register, value } = step;
    if (register === 'ICV_IAR1_EL1') this.#bringVlpi(step);
    if (!step.write) return this.#compareRegister(step, register, value);
    this.#guest.write(cpu, register, value);
    // The list register has the HW bit.
    if (register === 'ICV_EOIR1_EL1' && Number(value) === TIMER) this.#active[cpu] = 0n;
  }

  /** What the guest acknowledges without a list register is an assigned device's: it comes in at that very moment. */
  #bringVlpi({ cpu, vcpu, value }: Guest & VcpuStep): void {
    const intid = Number(value);
    const isLoaded = this.#guest.listRegisters(cpu).some((lr) => listedOf(lr).intid === intid);
    if (intid < FIRST_LPI || isLoaded) return;
    this.#countInjected('VLPI');
    this.#guest.injectDirectly(vcpu, intid);
  }

  // --- comparing ---

  #compareRegister({ at, cpu }: VcpuStep, register: string, recorded: bigint, when?: string): void {
    const what = when ? `${register} after ${when}` : register;
    this.comparison.values(at, what, recorded, this.#guest.read(cpu, register));
  }

  #compareInterface(step: (Load | Put) & VcpuStep, when: string): void {
    for (const [register, value] of step.registers) {
      // A vCPU starts with zero, of which the hardware makes the lowest binary points that it has.
      const isStart = register === 'ICH_VMCR_EL2' && value === 0n;
      this.#compareRegister(step, register, isStart ? VMCR_OF_ZERO : value, when);
    }
  }

  #compareActive({ at, cpu }: VcpuStep, what: string): void {
    const address = REDISTRIBUTORS + cpu * REDISTRIBUTOR + GICR_ISACTIVER0;
    const ours = BigInt(this.#guest.machine.read(address, 4)) & TIMERS;
    this.comparison.values(at, what, this.#active[cpu] as bigint, ours);
  }

  #succeed({ at, kind }: VcpuStep, result: number): void {
    if (result < 0) this.comparison.differ(at, kind, 'done', `${result}`);
  }

  #track({ vcpu }: VcpuStep): Track {
    return this.#tracks[vcpu] as Track;
  }
}

export function kindOf(value: bigint): string {
  const { intid } = listedOf(value);
  if (intid < SGIS) return 'SGI';
  if (intid < PRIVATE_INTIDS) return 'timer';
  return isSpi(intid) ? 'SPI' : 'LPI';
}
