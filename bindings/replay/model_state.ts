import type { GicHardware, VirtualOutputs } from '../hardware.ts';
import { hex, pendingText, wiresText } from './event_text.ts';
import { type Frames, GITS_CREADR, GITS_CTLR, GITS_CWRITER } from './frames.ts';

const ICH_HCR_EN = 1n;
const ICH_VTR_LIST_REGISTERS = 0x1fn;

/** What decides whether a pending interrupt is signalled. */
const cpuInterfaceRegisters = [
  'ICC_PMR_EL1',
  'ICC_RPR_EL1',
  'ICC_IGRPEN0_EL1',
  'ICC_IGRPEN1_EL1',
  'ICC_AP1R0_EL1',
];

/**
 * The state of a PE's interfaces, or of the ITS where no PE is given, in lines for people. Only of reads that change
 * nothing: the replay goes on as if nobody had looked.
 */
export function modelState(frames: Frames, cpu: number | undefined): string[] {
  return cpu === undefined ? itsState(frames) : cpuState(frames.hardware, cpu);
}

function itsState(frames: Frames): string[] {
  if (frames.machine.itsCount === 0) return [];
  const control = frames.readWord('GITS', 0, GITS_CTLR);
  const reader = frames.readDoubleword('GITS', 0, GITS_CREADR);
  const writer = frames.readDoubleword('GITS', 0, GITS_CWRITER);
  return [`GITS_CTLR ${hex(control)}, GITS_CREADR ${hex(reader)}, GITS_CWRITER ${hex(writer)}`];
}

function cpuState(hardware: GicHardware, cpu: number): string[] {
  const pending = hardware.highestPending(cpu);
  const wires = wiresText({ fiq: hardware.fiq(cpu), irq: hardware.irq(cpu) });
  return [
    registers(hardware, cpu, cpuInterfaceRegisters),
    `highest pending: ${pending ? pendingText(pending) : 'nothing pending'}; ${wires}`,
    ...virtualState(hardware, cpu),
  ];
}

function virtualState(hardware: GicHardware, cpu: number): string[] {
  if (!hardware.virtualOutputs) return [];
  if ((hardware.readSystemRegister(cpu, 'ICH_HCR_EL2') & ICH_HCR_EN) === 0n) return [];
  return [
    registers(hardware, cpu, ['ICH_HCR_EL2', 'ICH_VMCR_EL2']),
    ...listRegisters(hardware, cpu),
    virtualOutputsText(hardware.virtualOutputs(cpu)),
  ];
}

/** One line for each list register that is not empty. */
function listRegisters(hardware: GicHardware, cpu: number): string[] {
  // A model may diagnose, or refuse, accesses to list registers that it does not have.
  const count = Number(hardware.readSystemRegister(cpu, 'ICH_VTR_EL2') & ICH_VTR_LIST_REGISTERS) + 1;
  const empty = Number(hardware.readSystemRegister(cpu, 'ICH_ELRSR_EL2'));
  return Array.from({ length: count }, (_, index) => index)
    .filter((index) => ((empty >> index) & 1) === 0)
    .map((index) => registers(hardware, cpu, [`ICH_LR${index}_EL2`]));
}

function virtualOutputsText({ winner, bestVlpi, virq, vfiq, maintenance }: VirtualOutputs): string {
  const best = bestVlpi
    ? `best VLPI ${bestVlpi.vIntid}, priority ${hex(bestVlpi.priority)}`
    : 'no VLPI pending';
  const wires = `vFIQ ${Number(vfiq)} vIRQ ${Number(virq)} maintenance ${Number(maintenance)}`;
  return `${winnerText(winner)}; ${best}; ${wires}`;
}

function winnerText(winner: VirtualOutputs['winner']): string {
  if (winner === undefined) return 'no virtual winner';
  if (winner === 'vlpi') return 'winner the VLPI';
  return winner === 'vsgi' ? 'winner a vSGI' : `winner list register ${winner}`;
}

function registers(hardware: GicHardware, cpu: number, names: readonly string[]): string {
  return names.map((name) => `${name} ${hex(hardware.readSystemRegister(cpu, name))}`).join(', ');
}
