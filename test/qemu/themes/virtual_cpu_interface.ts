// Programs of a hypervisor with list registers and directly injected VLPIs, and of its guests that take them.
import { CPUS, FIRST_LPI, GICD_CTLR, GROUP1, type Program, VALID } from '../program.ts';

const LIST_REGISTERS = 4;
const MAINTENANCE_PPI = 25;
/** ICH_HCR_EL2: the enables of the maintenance interrupt but VGrp0DIE (Q-MISR-VGRP0D). */
const MAINTENANCE_ENABLES = 0xde;
const SPURIOUS = 1023;
const DEVICE = 3;
const EVENTS_OF_VPE = 8;

/** ICH_LR<n>_EL2. */
const PRIORITY_AT = 48n;
const PINTID_AT = 32n;
const EOI = 1n << 41n;
const GROUP = 1n << 60n;
const HW = 1n << 61n;
const STATE_AT = 62n;

/** SGIs, PPIs, SPIs, and LPIs that no VLPI has: UNPREDICTABLE in two list registers at once. */
const vIntids = [0, 5, 16, 27, 32, 40, 41, 255, 8300, 8301];

interface Active {
  readonly intid: number;
  readonly group: 0 | 1;
}

class Guest {
  readonly program: Program;
  readonly cpu: number;
  /** What each list register holds. */
  readonly #listed: (number | undefined)[] = Array(LIST_REGISTERS).fill(undefined);
  readonly #active: Active[] = [];
  #eoiMode = false;

  constructor(program: Program, cpu: number) {
    this.program = program;
    this.cpu = cpu;
  }

  setUp(): void {
    this.#hyp('ICH_HCR_EL2', 1);
    this.#guest('ICC_PMR_EL1', this.program.pick([0xff, 0xff, 0xf8, 0xa0]));
    for (const register of ['ICC_IGRPEN0_EL1', 'ICC_IGRPEN1_EL1']) this.#guest(register, 1);
    for (const register of ['ICC_BPR0_EL1', 'ICC_BPR1_EL1']) this.#guest(register, this.program.below(8));
  }

  async act(): Promise<void> {
    const kind = this.program.below(20);
    if (this.program.chance(60)) this.#list();
    if (kind < 10) await this.#acknowledge();
    else if (kind < 17) this.#end();
    else if (kind < 19) this.#control();
    else this.#clear();
    this.#compare();
  }

  /** The hypervisor writes a list register. */
  #list(): void {
    const { program } = this;
    const n = program.below(LIST_REGISTERS);
    const free = vIntids.filter((intid) => !this.#listed.includes(intid) || this.#listed[n] === intid);
    const intid = program.pick(free);
    this.#listed[n] = intid;
    const state = intid < FIRST_LPI ? program.pick([0, 1, 1, 1, 2, 3]) : program.pick([0, 1, 1]);
    const priority = BigInt(program.chance(80) ? program.below(32) << 3 : program.below(256));
    const hardware = intid < FIRST_LPI && program.chance(30);
    const physical = hardware ? HW | (BigInt(program.pick([20, 21, 40, 41])) << PINTID_AT) : 0n;
    const end = !hardware && program.chance(30) ? EOI : 0n;
    const group = program.chance(60) ? GROUP : 0n;
    const value = (BigInt(state) << STATE_AT) | physical | end | group | (priority << PRIORITY_AT);
    this.#hyp(`ICH_LR${n}_EL2`, value | BigInt(intid));
  }

  #clear(): void {
    const n = this.program.below(LIST_REGISTERS);
    this.#listed[n] = undefined;
    this.#hyp(`ICH_LR${n}_EL2`, 0);
  }

  async #acknowledge(): Promise<void> {
    const { gic } = this.program;
    const [best] = await Promise.all([
      gic.readSystem(this.cpu, 'ICC_HPPIR0_EL1', 1),
      gic.readSystem(this.cpu, 'ICC_HPPIR1_EL1', 1),
    ]);
    const likely = Number(best) === SPURIOUS ? 1 : 0;
    const group = this.program.chance(90) ? likely : this.program.pick([0, 1] as const);
    const intid = Number(await gic.readSystem(this.cpu, `ICC_IAR${group}_EL1`, 1));
    if (intid !== SPURIOUS) this.#active.push({ intid, group });
    for (const register of ['ICC_RPR_EL1', 'ICC_AP0R0_EL1', 'ICC_AP1R0_EL1'])
      void gic.readSystem(this.cpu, register, 1);
  }

  /** Ends the latest interrupt or, rarely, another one. */
  #end(): void {
    const { program } = this;
    const latest = this.#active.pop();
    if (!latest) return;
    const intid = program.chance(90) ? latest.intid : program.pick(vIntids);
    this.#guest(`ICC_EOIR${program.chance(95) ? latest.group : 0}_EL1`, intid);
    if (this.#eoiMode && program.chance(70)) this.#guest('ICC_DIR_EL1', latest.intid);
    void program.gic.readSystem(this.cpu, 'ICC_RPR_EL1', 1);
  }

  #control(): void {
    const { program } = this;
    switch (program.below(6)) {
      case 0:
        return this.#guest('ICC_PMR_EL1', program.pick([0xff, 0xff, 0xf8, program.below(256)]));
      case 1:
        return this.#guest(program.pick(['ICC_BPR0_EL1', 'ICC_BPR1_EL1']), program.below(8));
      case 2:
        return this.#guest(program.pick(['ICC_IGRPEN0_EL1', 'ICC_IGRPEN1_EL1']), program.pick([0, 1, 1, 1]));
      case 3:
        this.#eoiMode = program.chance(40);
        return this.#guest('ICC_CTLR_EL1', (this.#eoiMode ? 2 : 0) | (program.chance(20) ? 1 : 0));
      default:
        // Rarely the virtual interrupts are off.
        return this.#hyp(
          'ICH_HCR_EL2',
          (program.word() & MAINTENANCE_ENABLES) | (program.chance(92) ? 1 : 0),
        );
    }
  }

  #compare(): void {
    const { gic } = this.program;
    const frame = this.program.sgiFrame(this.cpu);
    void gic.read(frame + 0x200, 4, { mask: BigInt(2 ** MAINTENANCE_PPI), what: 'maintenance interrupt' });
    void gic.read(frame + 0x300, 4, { what: 'GICR_ISACTIVER0' });
    const names = ['HCR', 'VMCR', 'MISR', 'EISR', 'ELRSR', 'AP0R0', 'AP1R0', 'LR0', 'LR1', 'LR2', 'LR3'];
    for (const name of names) void gic.readSystem(this.cpu, `ICH_${name}_EL2`);
    gic.outputs();
  }

  #hyp(register: string, value: number | bigint): void {
    this.program.gic.writeSystem(this.cpu, register, value);
  }

  #guest(register: string, value: number): void {
    this.program.gic.writeSystem(this.cpu, register, value, 1);
  }
}

/** Guests take what is in list registers and, with GICv4, VLPIs of the vPEs that are resident. */
export async function guestInterrupts(program: Program): Promise<void> {
  program.gic.write(GICD_CTLR, 4, GROUP1);
  const guests = [new Guest(program, 0), new Guest(program, CPUS - 1)];
  for (const guest of guests) guest.setUp();
  if (program.virtual) makeResident(program);
  for (let round = 0; round < 60; round++) {
    const guest = program.pick(guests);
    const frame = program.sgiFrame(guest.cpu);
    if (program.chance(15)) program.gic.write(frame + program.pick([0x300, 0x380]), 4, 3 << 20);
    if (program.virtual && program.chance(60)) injectVlpi(program);
    await guest.act();
  }
  program.comparePending();
}

/** A vPE on each PE, resident, with a few VLPIs. */
function makeResident(program: Program): void {
  program.setUpRedistributors();
  program.setUpIts();
  program.command({ command: 'MAPD', deviceId: DEVICE, size: 4, ittAddress: program.newItt(), valid: true });
  for (let cpu = 0; cpu < CPUS; cpu++) {
    program.writeConfiguration(program.vpeConfigurationTable(cpu), 90);
    program.command({
      command: 'VMAPP',
      layout: '4.0',
      vpeId: cpu,
      rdBase: cpu,
      vptSize: 15,
      vptAddress: program.vpePendingTable(cpu),
      valid: true,
    });
    for (let n = 0; n < EVENTS_OF_VPE; n++) {
      const eventId = cpu * EVENTS_OF_VPE + n;
      const place = { deviceId: DEVICE, eventId, vpeId: cpu };
      program.command({ command: 'VMAPTI', ...place, vIntid: FIRST_LPI + eventId, doorbell: 1023 });
    }
  }
  program.submit();
  for (let cpu = 0; cpu < CPUS; cpu++) {
    const frame = program.vlpiFrame(cpu);
    program.gic.write(frame + 0x70, 8, program.vpeConfigurationTable(cpu) | 15);
    program.gic.write(frame + 0x78, 8, VALID | BigInt(program.vpePendingTable(cpu)));
  }
}

function injectVlpi(program: Program): void {
  const eventId = program.below(CPUS * EVENTS_OF_VPE);
  program.command({ command: program.chance(80) ? 'INT' : 'CLEAR', deviceId: DEVICE, eventId });
  program.submit();
}
