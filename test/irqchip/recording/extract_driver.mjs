// Reduces a recording (format: test/fixtures/captures/README.md) to what the ITS driver did to the hardware: every ITS
// command, its writes to GITS_* and GICR_* but for the GITS_CWRITER of each command, its stores into property tables, and
// the physical LPIs that it was interrupted by. Times and queue offsets become zero.
//
//   node test/irqchip/recording/extract_driver.mjs trace.jsonl.gz test/fixtures/irqchip/NAME.jsonl.gz
import { createReadStream, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip, gzipSync } from 'node:zlib';

const GITS_CWRITER = '0x88';
/** GICR_CTLR, WAKER, PROPBASER, PENDBASER, VPROPBASER, VPENDBASER. */
const driverRegisters = new Set(['0x0', '0x14', '0x70', '0x78', '0x20070', '0x20078']);
const FIRST_LPI = 8192;
const propertyTables = new Set(['prop', 'vprop']);

let anyCommand = false;

/** The line that is kept of an event, or undefined. */
function kept(event) {
  switch (event.dev) {
    case 'cmd':
      anyCommand = true;
      return { t: 0, dev: 'cmd', name: event.name, qoff: '0x0', raw: event.raw, f: {} };
    case 'mem':
    case 'range':
      return propertyTables.has(event.tbl) ? { ...event, t: 0 } : undefined;
    case 'its':
      return event.op === 'w' && (event.off !== GITS_CWRITER || !anyCommand) ? { ...event, t: 0 } : undefined;
    case 'cpuif':
      return event.op === 'iar' && Number(event.val) >= FIRST_LPI ? { ...event, t: 0 } : undefined;
    case 'redist':
      return event.op === 'w' && driverRegisters.has(event.off) ? { ...event, t: 0 } : undefined;
    default:
      return undefined;
  }
}

const [input, output] = process.argv.slice(2);
const file = createReadStream(input);
const lines = createInterface({ input: input.endsWith('.gz') ? file.pipe(createGunzip()) : file });
let text = '';
for await (const line of lines) {
  const event = kept(JSON.parse(line));
  if (event) text += `${JSON.stringify(event)}\n`;
}
writeFileSync(output, gzipSync(text, { level: 9 }));
