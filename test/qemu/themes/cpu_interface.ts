// Programs that take physical interrupts through ICC_*.
import { BOTH_GROUPS, CPUS, FIRST_LPI, GICD, GICD_CTLR, GROUP1, type Program } from '../program.ts';

type Group = 0 | 1;

interface Active {
  readonly intid: number;
  readonly group: Group;
}

const SPURIOUS = 1020;
const EVENTS = 16;
const DEVICE = 3;

/** What is enabled, pending and active in the machine that a program drives. */
class Interrupts {
  readonly program: Program;
  readonly spis: readonly number[];
  readonly words: readonly number[];
  /** Interrupts that each PE acknowledged and did not end, the latest last. */
  readonly active: Active[][] = Array.from({ length: CPUS }, () => []);
  /** Interrupts that were ended in EOImode 1 and not deactivated. */
  readonly dropped: number[] = [];
  #eoiMode = [0, 0, 0, 0];
  readonly #groups: readonly Group[];

  constructor(program: Program, bothGroups: boolean) {
    this.program = program;
    this.#groups = bothGroups ? [0, 1] : [1];
    this.spis = program.distinct(12, 224).map((n) => 32 + n);
    this.words = [...new Set(this.spis.map((intid) => intid >> 5))];
  }

  setUp(): void {
    const { program } = this;
    const { gic } = program;
    const both = this.#groups.length > 1;
    gic.write(GICD_CTLR, 4, both ? BOTH_GROUPS : GROUP1);
    program.setUpRedistributors();
    program.setUpIts();
    for (const word of this.words) {
      gic.write(GICD + 0x80 + 4 * word, 4, both ? program.word() : 0xffff_ffff);
      for (const half of [0, 1])
        gic.write(GICD + 0xc00 + 8 * word + 4 * half, 4, program.word() & 0xaaaa_aaaa);
    }
    for (const intid of this.spis) {
      gic.write(GICD + 0x400 + intid, 1, this.priority());
      gic.write(GICD + 0x6000 + 8 * intid, 8, program.below(CPUS));
      gic.write(GICD + 0x100 + 4 * (intid >> 5), 4, 2 ** (intid & 31));
    }
    for (let cpu = 0; cpu < CPUS; cpu++) this.#setUpCpu(cpu, both);
    program.gic.writeBytes(
      program.configurationTable,
      program.bytes(64, () => program.configurationByte(90)),
    );
    program.command({
      command: 'MAPD',
      deviceId: DEVICE,
      size: 4,
      ittAddress: program.newItt(),
      valid: true,
    });
    for (let icid = 0; icid < CPUS; icid++)
      program.command({ command: 'MAPC', icid, rdBase: icid, valid: true });
    for (let eventId = 0; eventId < EVENTS; eventId++) {
      const pIntid = FIRST_LPI + program.below(64);
      program.command({ command: 'MAPTI', deviceId: DEVICE, eventId, pIntid, icid: program.below(CPUS) });
    }
    program.submit();
  }

  #setUpCpu(cpu: number, both: boolean): void {
    const { program } = this;
    const { gic } = program;
    const frame = program.sgiFrame(cpu);
    gic.write(frame + 0x80, 4, both ? program.word() : 0xffff_ffff);
    gic.write(frame + 0x100, 4, program.word() | 0xff);
    for (let n = 0; n < 8; n++) gic.write(frame + 0x400 + 4 * n, 4, this.priority() * 0x101_0101);
    gic.writeSystem(cpu, 'ICC_SRE_EL2', 0xf);
    gic.writeSystem(cpu, 'ICC_PMR_EL1', program.pick([0xf8, 0xf8, 0xff, 0xa0]));
    gic.writeSystem(cpu, 'ICC_BPR0_EL1', program.below(8));
    gic.writeSystem(cpu, 'ICC_BPR1_EL1', program.below(8));
    if (both) gic.writeSystem(cpu, 'ICC_IGRPEN0_EL1', 1);
    gic.writeSystem(cpu, 'ICC_IGRPEN1_EL1', 1);
    this.setMode(cpu);
  }

  priority(): number {
    return this.program.chance(80) ? this.program.below(32) << 3 : this.program.below(256);
  }

  /** ICC_CTLR_EL1: EOImode and CBPR. */
  setMode(cpu: number): void {
    const eoiMode = this.program.chance(30) ? 1 : 0;
    this.#eoiMode[cpu] = eoiMode;
    this.program.gic.writeSystem(cpu, 'ICC_CTLR_EL1', (eoiMode << 1) | (this.program.chance(20) ? 1 : 0));
    void this.program.gic.readSystem(cpu, 'ICC_CTLR_EL1');
  }

  group(): Group {
    return this.program.pick(this.#groups);
  }

  /** Makes something pending, or takes it back. */
  cause(): void {
    const { program } = this;
    const { gic } = program;
    const intid = program.pick(this.spis);
    const bit = 2 ** (intid & 31);
    const place = 4 * (intid >> 5);
    switch (program.below(10)) {
      case 0:
      case 1:
      case 2:
        return gic.spi(intid, program.chance(60));
      case 3:
        return gic.write(GICD + program.pick([0x200, 0x200, 0x280]) + place, 4, bit);
      case 4:
        return gic.write(GICD + program.pick([0x100, 0x100, 0x180, 0x300, 0x380]) + place, 4, bit);
      case 5:
      case 6:
        return this.sendSgi();
      case 7: {
        const frame = program.sgiFrame(program.below(CPUS));
        return gic.write(
          frame + program.pick([0x200, 0x280, 0x100, 0x180, 0x300, 0x380]),
          4,
          2 ** program.below(32),
        );
      }
      default:
        for (let n = 1 + program.below(4); n > 0; n--) this.command();
        program.submit();
    }
  }

  sendSgi(): void {
    const { program } = this;
    const others = program.chance(20) ? 1n << 40n : 0n;
    const value = others | BigInt((program.below(16) << 24) | program.below(0x10));
    const register = program.pick(['ICC_SGI1R_EL1', 'ICC_SGI1R_EL1', 'ICC_SGI0R_EL1', 'ICC_ASGI1R_EL1']);
    program.gic.writeSystem(program.below(CPUS), register, value);
  }

  command(): void {
    const { program } = this;
    const place = { deviceId: DEVICE, eventId: program.below(EVENTS) };
    const kind = program.below(10);
    if (kind < 6) return program.command({ command: 'INT', ...place });
    if (kind < 7) return program.command({ command: 'CLEAR', ...place });
    if (kind < 8) return program.command({ command: 'MOVI', ...place, icid: program.below(CPUS) });
    program.gic.write(program.configurationTable + program.below(64), 1, program.configurationByte(80));
    return program.command({ command: 'INVALL', icid: program.below(CPUS) });
  }

  /** Acknowledges what is pending for a PE, if it may be taken. */
  async acknowledge(cpu: number): Promise<void> {
    const { gic } = this.program;
    const group = this.group();
    void gic.readSystem(cpu, 'ICC_HPPIR0_EL1');
    void gic.readSystem(cpu, 'ICC_HPPIR1_EL1');
    const acknowledged = gic.readSystem(cpu, group ? 'ICC_IAR1_EL1' : 'ICC_IAR0_EL1');
    void gic.readSystem(cpu, 'ICC_RPR_EL1');
    void gic.readSystem(cpu, 'ICC_AP0R0_EL1');
    void gic.readSystem(cpu, 'ICC_AP1R0_EL1');
    const intid = Number(await acknowledged);
    if (intid < SPURIOUS || intid >= FIRST_LPI) this.active[cpu]?.push({ intid, group });
  }

  /** Ends the latest interrupt of a PE or, rarely, something else. */
  end(cpu: number): void {
    const { program } = this;
    const { gic } = program;
    const latest = this.active[cpu]?.pop();
    if (!latest) return;
    const intid = program.chance(95) ? latest.intid : program.pick([...this.spis, 1, FIRST_LPI, 1023]);
    const group = program.chance(95) ? latest.group : this.group();
    gic.writeSystem(cpu, group ? 'ICC_EOIR1_EL1' : 'ICC_EOIR0_EL1', intid);
    if (this.#eoiMode[cpu]) this.dropped.push(latest.intid);
    void gic.readSystem(cpu, 'ICC_RPR_EL1');
  }

  deactivate(cpu: number): void {
    const intid =
      this.dropped.length > 0 ? this.dropped.splice(this.program.below(this.dropped.length), 1)[0] : 34;
    this.program.gic.writeSystem(cpu, 'ICC_DIR_EL1', intid ?? 34);
  }

  /** Changes what lets interrupts through. */
  control(cpu: number): void {
    const { program } = this;
    const { gic } = program;
    switch (program.below(6)) {
      case 0:
        gic.writeSystem(cpu, 'ICC_PMR_EL1', program.below(256));
        break;
      case 1:
        gic.writeSystem(cpu, 'ICC_BPR0_EL1', program.below(8));
        break;
      case 2:
        gic.writeSystem(cpu, 'ICC_BPR1_EL1', program.below(8));
        break;
      case 3:
        gic.writeSystem(
          cpu,
          program.pick(['ICC_IGRPEN0_EL1', 'ICC_IGRPEN1_EL1']),
          program.chance(70) ? 1 : 0,
        );
        break;
      case 4:
        gic.write(GICD_CTLR, 4, program.pick([GROUP1, BOTH_GROUPS, BOTH_GROUPS, 0x50]));
        void gic.read(GICD_CTLR, 4);
        break;
      default:
        this.setMode(cpu);
    }
    for (const register of [
      'ICC_PMR_EL1',
      'ICC_BPR0_EL1',
      'ICC_BPR1_EL1',
      'ICC_IGRPEN0_EL1',
      'ICC_IGRPEN1_EL1',
    ])
      void gic.readSystem(cpu, register);
  }

  compare(): void {
    const { gic } = this.program;
    for (const word of this.words)
      for (const offset of [0x100, 0x200, 0x300]) void gic.read(GICD + offset + 4 * word, 4);
    for (let cpu = 0; cpu < CPUS; cpu++)
      for (const offset of [0x100, 0x200, 0x300]) void gic.read(this.program.sgiFrame(cpu) + offset, 4);
    this.program.comparePending();
  }
}

async function takeInterrupts(program: Program, bothGroups: boolean): Promise<void> {
  const interrupts = new Interrupts(program, bothGroups);
  interrupts.setUp();
  for (let round = 0; round < 60; round++) {
    for (let n = 1 + program.below(3); n > 0; n--) interrupts.cause();
    const cpu = program.below(CPUS);
    const kind = program.below(20);
    if (kind < 10) await interrupts.acknowledge(cpu);
    else if (kind < 16) interrupts.end(cpu);
    else if (kind < 18) interrupts.deactivate(cpu);
    else interrupts.control(cpu);
    interrupts.compare();
  }
}

/** LPIs, SPIs and SGIs of Group 1, acknowledged and ended. */
export function group1Interrupts(program: Program): Promise<void> {
  return takeInterrupts(program, false);
}

/** The same with interrupts of Group 0 between them. */
export function bothGroups(program: Program): Promise<void> {
  return takeInterrupts(program, true);
}
