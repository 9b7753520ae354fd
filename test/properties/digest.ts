import { createHash } from 'node:crypto';
import {
  implementedRegisters,
  type Machine,
  registerAddress,
  registerName,
  systemRegisters,
} from '../../bindings/index.ts';

/** Reads of these change the state. */
const withSideEffects = /_IAR[01]_EL1$/;

/** A digest of everything that software can see: RAM, all registers, outputs; and of what was counted. */
export function machineDigest(machine: Machine): string {
  const { config } = machine;
  const hash = createHash('sha256').update(machine.readMemory(config.ram.base, config.ram.size));
  const lines: string[] = [];
  for (const definition of implementedRegisters(config)) {
    if (definition.access === 'WO') continue;
    for (let unit = 0; unit < unitsOf(machine, definition.name); unit++) {
      const first = registerAddress(config, registerName(definition), unit) as number;
      const bytes = (definition.width / 8) as 4 | 8;
      for (let element = 0; element < (definition.count ?? 1); element++) {
        const value = machine.read(first + element * bytes, bytes);
        lines.push(`${definition.name} ${unit} ${element} ${value.toString(16)}`);
      }
    }
  }
  for (let cpu = 0; cpu < machine.cpus; cpu++) {
    for (const { name, access } of systemRegisters) {
      if (access === 'WO' || withSideEffects.test(name)) continue;
      lines.push(`${name} ${cpu} ${machine.readSystemRegister(cpu, name).toString(16)}`);
    }
    lines.push(JSON.stringify([machine.highestPending(cpu), machine.irq(cpu), machine.fiq(cpu)]));
    lines.push(JSON.stringify(machine.virtualOutputs(cpu)));
  }
  lines.push(JSON.stringify(machine.counters()));
  return hash.update(lines.join('\n')).digest('hex');
}

function unitsOf({ config }: Machine, name: string): number {
  if (name.startsWith('GICR')) return config.cpus;
  return name.startsWith('GITS') ? config.itsCount : 1;
}
