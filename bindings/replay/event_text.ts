import { Frame } from '../../assembly/abi.ts';
import { registerDefinitions, registerName } from '../registers/index.ts';
import type { CaptureEvent, RegisterBlock, Value } from './events.ts';

/** A value as the manuals write it. */
export function hex(value: Value): string {
  return `0x${value.toString(16)}`;
}

/** The name of the register at an offset of a block, such as `GICD_ISENABLER2`, or the offset where there is none. */
export function registerAt(block: RegisterBlock, offset: number): string {
  const frame = frameOf(block, offset);
  const inFrame = offset & 0xffff;
  for (const definition of registerDefinitions) {
    if (definition.frame !== frame) continue;
    const bytes = definition.width / 8;
    const element = Math.floor((inFrame - definition.offset) / bytes);
    if (element < 0 || element >= (definition.count ?? 1)) continue;
    const within = (inFrame - definition.offset) % bytes;
    return `${registerName(definition, element)}${within === 0 ? '' : `+${within}`}`;
  }
  return `${block}+${hex(offset)}`;
}

function frameOf(block: RegisterBlock, offset: number): Frame | undefined {
  if (block === 'GICD') return Frame.GICD;
  if (block === 'GITS') return Frame.GITS;
  return [Frame.GICR_RD, Frame.GICR_SGI][offset >> 16];
}

/** An event on one line: `469: CPU 0 reads ICC_IAR1_EL1: 0x1b`. */
export function eventText(event: CaptureEvent): string {
  return `${event.line}: ${textOf(event)}`;
}

function textOf(event: CaptureEvent): string {
  switch (event.kind) {
    case 'register-read':
      return `${reader(event)} ${registerAt(event.block, event.offset)}: ${hex(event.value)}`;
    case 'refused-read':
      return `${reader(event)} ${registerAt(event.block, event.offset)}, refused`;
    case 'register-write':
      return `${writer(event)} ${registerAt(event.block, event.offset)} = ${hex(event.value)}`;
    case 'refused-write':
      return `${writer(event)} ${registerAt(event.block, event.offset)} = ${hex(event.value)}, refused`;
    case 'system-read':
    case 'acknowledge':
      return `CPU ${event.cpu} reads ${event.register}: ${hex(event.value)}`;
    case 'system-write':
      return `CPU ${event.cpu} writes ${event.register} = ${hex(event.value)}`;
    case 'sgi-request':
      return `CPU ${event.cpu} sends SGI ${event.intid} to ${sgiTargets(event)}`;
    case 'sgi-arrival':
      return `CPU ${event.cpu} gets SGI ${event.intid}`;
    case 'spi-line':
      return `wire of SPI ${event.intid} = ${Number(event.level)}`;
    case 'ppi-line':
      return `CPU ${event.cpu} wire of PPI ${event.intid} = ${Number(event.level)}`;
    case 'msi':
      return `MSI of DeviceID ${hex(event.deviceId)}, EventID ${hex(event.eventId)}`;
    case 'command':
      return `ITS command ${event.name} at ${hex(event.offset)} ${fieldsText(event.fields)}`.trimEnd();
    case 'memory-range':
      return `table ${event.table} at ${hex(event.address)}, ${event.length} bytes`;
    case 'memory-store':
      return `CPU ${event.cpu} stores ${hex(event.value)} at ${hex(event.address)} (${event.table})`;
    case 'pending':
      return `CPU ${event.cpu} result: ${pendingText(event)}`;
    case 'wires':
      return `CPU ${event.cpu} result: ${wiresText(event)}`;
    case 'virtual-pending':
      return `CPU ${event.cpu} result: ${virtualPendingText(event)}`;
    case 'virtual-wires':
      return `CPU ${event.cpu} result: virtual ${wiresText(event)}`;
    case 'maintenance':
      return `CPU ${event.cpu} result: maintenance interrupt = ${Number(event.level)}`;
    case 'table-write':
      return `ITS writes the ${event.table} table: ${fieldsText(event.fields)}`;
    case 'message':
      return event.text;
  }
}

/** `INTID 27, priority 0xa0, Group 1`, or `nothing pending`. */
export function pendingText({
  intid,
  priority,
  group,
}: {
  intid: number;
  priority: number;
  group: 0 | 1;
}): string {
  return priority === 255 ? 'nothing pending' : `INTID ${intid}, priority ${hex(priority)}, Group ${group}`;
}

/** `winner list register 0; best VLPI 8196, priority 0xa0`. */
export function virtualPendingText({
  winner,
  vlpi,
  priority,
}: {
  winner: number;
  vlpi: number;
  priority: number;
}): string {
  const best = priority === 255 ? 'no VLPI pending' : `best VLPI ${vlpi}, priority ${hex(priority)}`;
  if (winner < 0) return `no virtual winner; ${best}`;
  return `winner ${winner < 16 ? `list register ${winner}` : 'the VLPI'}; ${best}`;
}

export function wiresText({ fiq, irq }: { fiq: boolean; irq: boolean }): string {
  return `FIQ ${Number(fiq)} IRQ ${Number(irq)}`;
}

type Access = Extract<CaptureEvent, { block: RegisterBlock }>;

function reader({ block, cpu }: Access): string {
  return block === 'GICR' ? `CPU ${cpu}: read of` : 'read of';
}

function writer({ block, cpu }: Access): string {
  return block === 'GICR' ? `CPU ${cpu}: write of` : 'write of';
}

function sgiTargets(event: Extract<CaptureEvent, { kind: 'sgi-request' }>): string {
  return event.allOthers ? 'all others' : `list ${hex(event.targetList)} of cluster ${hex(event.cluster)}`;
}

function fieldsText(fields: Readonly<Record<string, number>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name} ${hex(value)}`)
    .join(', ');
}
