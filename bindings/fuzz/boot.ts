import { FuzzArea, FuzzMachine } from '../../assembly/fuzz/abi.ts';
import type { Architecture, MachineOptions } from '../config.ts';
import type { Machine } from '../machine.ts';
import { implementedRegisters, registerAddress, registerName } from '../registers/index.ts';

const AREA = 0x1_0000;
const VALID = 1n << 63n;
/** Bits of an INTID - 1. */
const ID_BITS = 13n;
/** Events that each device has. */
const EVENTS = 4;

/** The machine that is fuzzed: small, with two of everything. */
export function fuzzMachineOptions(architecture: Architecture): MachineOptions {
  return {
    architecture,
    cpus: FuzzMachine.CPUS,
    itsCount: FuzzMachine.ITSES,
    intidBits: 14,
    spis: 64,
    eventCapacity: 64,
    layers: 'irqchip',
    ram: { base: 0x8000_0000, size: FuzzArea.COUNT * AREA },
  };
}

/** Brings the machine into use, as drivers do, so that inputs begin where there is something to break. */
export function boot(machine: Machine): void {
  machine.write(machine.config.addressMap.gicd, 4, 3);
  for (let cpu = 0; cpu < machine.cpus; cpu++) bootPe(machine, cpu);
  fillConfiguration(machine, FuzzArea.CONFIG);
  fillConfiguration(machine, FuzzArea.VIRTUAL_CONFIG);
  for (let its = 0; its < machine.config.itsCount; its++) bootIts(machine, its);
}

function area(machine: Machine, n: number): number {
  return machine.config.ram.base + n * AREA;
}

/** All enabled, with a few priorities. */
function fillConfiguration(machine: Machine, n: number): void {
  const table = machine.ram(area(machine, n), 2 ** Number(ID_BITS));
  for (let lpi = 0; lpi < table.length; lpi++) table[lpi] = 3 | (((lpi * 5) & 0x1f) << 3);
}

function bootPe(machine: Machine, cpu: number): void {
  const rd = machine.redistributor(cpu);
  const pe = machine.cpu(cpu);
  rd.write('GICR_WAKER', 0);
  rd.write('GICR_PROPBASER', BigInt(area(machine, FuzzArea.CONFIG)) | ID_BITS);
  rd.write('GICR_PENDBASER', BigInt(area(machine, FuzzArea.PENDING + cpu)));
  rd.write('GICR_CTLR', 1);
  if (machine.config.architecture === 'GICv4.0') {
    rd.write('GICR_VPROPBASER', BigInt(area(machine, FuzzArea.VIRTUAL_CONFIG)) | ID_BITS);
  } else if (machine.config.architecture === 'GICv4.1') {
    // The vPE Configuration table that ITS 0 uses, of one page of 64 KiB.
    rd.write('GICR_VPROPBASER', VALID | (2n << 53n) | BigInt(area(machine, FuzzArea.VPES)));
  }
  pe.write('ICC_PMR_EL1', 0xff);
  pe.write('ICC_IGRPEN0_EL1', 1);
  pe.write('ICC_IGRPEN1_EL1', 1);
  pe.write('ICH_HCR_EL2', 1);
  pe.write('ICH_VMCR_EL2', 0xff00_0003);
  machine.write(machine.config.addressMap.gicd + 0x0104, 4, 0xffff_ffff);
}

function bootIts(machine: Machine, number: number): void {
  const its = machine.its(number);
  const { architecture } = machine.config;
  const table = (n: number): bigint => VALID | (2n << 8n) | BigInt(area(machine, n));
  its.write('GITS_CBASER', VALID | BigInt(area(machine, FuzzArea.QUEUE + number)));
  its.write('GITS_BASER0', table(FuzzArea.DEVICES + number));
  its.write('GITS_BASER1', table(FuzzArea.COLLECTIONS + number));
  // ITSs of GICv4.1 share the table with each other and with the redistributors.
  const vpes = FuzzArea.VPES + (architecture === 'GICv4.1' ? 0 : number);
  if (architecture !== 'GICv3') its.write('GITS_BASER2', table(vpes));
  its.write('GITS_CTLR', 1);
  for (let cpu = 0; cpu < machine.cpus; cpu++) {
    its.command({ command: 'MAPC', icid: cpu, rdBase: cpu, valid: true });
  }
  if (architecture !== 'GICv3') mapVpes(machine, number);
  for (let deviceId = 0; deviceId < 4; deviceId++) mapDevice(machine, number, deviceId);
}

function mapVpes(machine: Machine, number: number): void {
  const vconfAddress = area(machine, FuzzArea.VIRTUAL_CONFIG);
  for (let vpeId = 0; vpeId < FuzzMachine.VPES; vpeId++) {
    const mapping = {
      command: 'VMAPP',
      vpeId,
      rdBase: vpeId & 1,
      valid: true,
      vptAddress: area(machine, FuzzArea.VIRTUAL_PENDING + vpeId),
      vptSize: Number(ID_BITS),
    } as const;
    const further = { alloc: number === 0, ptz: true, vconfAddress, defaultDoorbell: 1023 };
    if (machine.config.architecture === 'GICv4.0') machine.its(number).command({ ...mapping, layout: '4.0' });
    else machine.its(number).command({ ...mapping, layout: '4.1', ...further });
  }
}

/** Devices 0 and 1 have LPIs, the others VLPIs where there are any. */
function mapDevice(machine: Machine, number: number, deviceId: number): void {
  const its = machine.its(number);
  const n = 4 * number + deviceId;
  const ittAddress = area(machine, FuzzArea.ITTS + n) + 256 * (n + 1);
  its.command({ command: 'MAPD', deviceId, size: 4, ittAddress, valid: true });
  for (let eventId = 0; eventId < EVENTS; eventId++) {
    const intid = 8192 + deviceId * EVENTS + eventId;
    const isVirtual = deviceId >= 2 && machine.config.architecture !== 'GICv3';
    if (isVirtual) {
      its.command({ command: 'VMAPTI', deviceId, eventId, vpeId: eventId, vIntid: intid, doorbell: 1023 });
    } else its.command({ command: 'MAPTI', deviceId, eventId, pIntid: intid, icid: eventId & 1 });
  }
}

/** Registers that hold the state of SGIs, PPIs and SPIs: they can be written with anything at any time. */
const harmless = /^GIC[DR]_(IGROUPR|I[SC]ENABLER|I[SC]PENDR|I[SC]ACTIVER|IPRIORITYR|ICFGR)/;

/**
 * The registers that inputs name by number, for a harness of one's own, which tells `fuzzRegisters` how many there are:
 * `addresses`, of which the first `harmless` hold the state of SGIs, PPIs and SPIs, so that any value at any time is right.
 */
export function registerList({ config }: Machine): {
  /** Physical addresses. */
  addresses: number[];
  /** How many of the first ones can be written at any time. */
  harmless: number;
} {
  const all = implementedRegisters(config).flatMap((definition) => {
    const isRedistributor = definition.name.startsWith('GICR');
    const units = isRedistributor ? config.cpus : definition.name.startsWith('GITS') ? config.itsCount : 1;
    const { count = 1, width, name } = definition;
    return Array.from({ length: units }, (_, unit) => {
      const first = registerAddress(config, registerName(definition), unit) as number;
      return Array.from({ length: count }, (_, n) => ({ name, address: first + (n * width) / 8 }));
    }).flat();
  });
  const first = all.filter(({ name }) => harmless.test(name));
  const rest = all.filter(({ name }) => !harmless.test(name));
  return { addresses: [...first, ...rest].map(({ address }) => address), harmless: first.length };
}
