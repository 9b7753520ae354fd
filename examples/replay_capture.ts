// A recorded boot of Linux is played again, and every recorded result compared.
//
// Linux 6.1 ran on QEMU's GIC. It is played once more on a GIC that behaves a little differently, to show what mismatches
// look like. Recordings of yours are played the same way, or by `npx gicv4 replay FILE`: logs of QEMU's -trace 'gicv3_*'.
import { fileURLToPath } from 'node:url';
import { type ReplayReport, replayFile } from 'gicv4/trace';

// The package has two recordings with it.
const captures = new URL('test/fixtures/captures/', import.meta.resolve('gicv4/package.json'));
const boot = fileURLToPath(new URL('linux-6.1-boot.jsonl.gz', captures));

const show = ({ machine, events, checked, mismatches, msis, interrupts }: ReplayReport): void => {
  console.log(`${machine}: ${events} events`);
  console.log(`${msis} MSIs; ${interrupts.lpi} LPIs and ${interrupts.sgi} SGIs taken`);
  console.log(`${checked} results compared, ${mismatches} mismatches`);
};

// The identification registers, which Linux reads first, tell what the machine was.
show(await replayFile(boot));

// Of several pending interrupts of one priority QEMU's GIC presents the lowest INTID. Another GIC may not.
const other = await replayFile(boot, { machine: { policy: { tieBreak: 'highest-intid' } }, limit: 1 });
show(other);
for (const { line, cpu, expected, got, context } of other.firstMismatches) {
  console.log(`line ${line}, PE ${cpu}: recorded ${expected}, got ${got}; after`);
  for (const event of context.slice(-4)) console.log(`  ${event}`);
}

/* Prints:
GICv3, 4 PEs, an ITS, 1024 MiB RAM window at 0x40000000: 213962 events
3960 MSIs; 3959 LPIs and 4323 SGIs taken
140181 results compared, 0 mismatches
GICv3, 4 PEs, an ITS, 1024 MiB RAM window at 0x40000000: 213962 events
3960 MSIs; 3959 LPIs and 4323 SGIs taken
145280 results compared, 41080 mismatches
line 1004, PE 0: recorded no change, got INTID 27, priority 0xa0, Group 1; after
  1001: CPU 0 gets SGI 1
  1002: CPU 0 result: INTID 1, priority 0xa0, Group 1
  1003: CPU 0 result: FIQ 0 IRQ 1
  1004: CPU 0 wire of PPI 27 = 1
*/
