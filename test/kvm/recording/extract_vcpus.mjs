// Reduces a recording (format: test/fixtures/captures/README.md) to what KVM and a guest did with the virtual CPU
// interface: every ICH_* and ICV_* access but the reads of ICH_VTR_EL2, the host's writes of GICR_ISACTIVER0,
// GICR_ICACTIVER0 and GICR_VPENDBASER, and the virtual timer's PPI: its line, and when the host acknowledges it. The format
// is explained in test/fixtures/kvm/README.md.
//
//   node test/kvm/recording/extract_vcpus.mjs trace.jsonl.gz test/fixtures/kvm/NAME.txt.gz
import { createReadStream, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip, gzipSync } from 'node:zlib';

const TIMER_PPI = 27;
const redistributorRegisters = new Map([
  ['0x10300', 'GICR_ISACTIVER0'],
  ['0x10380', 'GICR_ICACTIVER0'],
  ['0x20078', 'GICR_VPENDBASER'],
]);
/** QEMU leaves the exception level out where there is no doubt. */
const architecturalName = (name) =>
  /_EL\d$/.test(name) ? name : `${name}_EL${name.startsWith('ICH') ? 2 : 1}`;

/** What is kept of an event, or undefined. */
function kept({ dev, op, reg, off, val, irq, level }) {
  switch (dev) {
    case 'ich':
    case 'icv':
      if (reg === 'ICH_VTR') return undefined;
      return `${op === 'r' || op === 'iar' ? 'r' : 'w'} ${architecturalName(reg)} ${val}`;
    case 'redist':
      if (op === 'line') return irq === TIMER_PPI ? `line ${level}` : undefined;
      return op === 'w' && redistributorRegisters.has(off)
        ? `w ${redistributorRegisters.get(off)} ${val}`
        : undefined;
    case 'cpuif':
      return op === 'iar' && Number(val) === TIMER_PPI ? `r ${architecturalName(reg)} ${val}` : undefined;
    default:
      return undefined;
  }
}

const [input, output] = process.argv.slice(2);
const file = createReadStream(input);
const lines = createInterface({ input: input.endsWith('.gz') ? file.pipe(createGunzip()) : file });
let text = '';
for await (const line of lines) {
  const event = JSON.parse(line);
  const rest = kept(event);
  if (rest) text += `${event.cpu} ${rest}\n`;
}
writeFileSync(output, gzipSync(text, { level: 9 }));
