// Shows that fuzzing finds defects: builds the fuzz module with one defect planted, lets a campaign run until it is
// found, and says how long that took; for each of the defects below, or for those that are named.
//
//   node scripts/planted-bugs.mjs [NAME...]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildEngine } from './engine-builder.mjs';

/** What is changed in the sources, and as what it has to be found. */
export const plantedBugs = {
  'lost-when-moved': {
    text: 'MOVI takes a pending LPI from one PE and does not give it to the other',
    found: ['ledger'],
    patches: [
      {
        file: 'assembly/its/commands.ts',
        find: 'if (!accepted || to.setPending(intid) == Outcome.COALESCED)',
        replace: 'if (!accepted || (intid != 8195 && to.setPending(intid) == Outcome.COALESCED))',
      },
    ],
  },
  'stale-index': {
    text: 'CLEAR leaves an LPI of low priority in the index',
    found: ['index', 'output', 'ledger'],
    patches: [
      {
        file: 'assembly/gic/lpi_set.ts',
        find: '    if ((config & CONFIG_ENABLE) == 0) return;\n    this.best.remove(',
        replace: '    if ((config & CONFIG_ENABLE) == 0 || config >= 0xf0) return;\n    this.best.remove(',
      },
    ],
  },
  'output-not-updated': {
    text: 'an LPI that becomes pending at the second PE does not change what the PE presents',
    found: ['output'],
    patches: [
      {
        file: 'assembly/gic/lpi_set.ts',
        find: '    else touchForLpi(this.cpu, intid, priority);',
        replace: '    else if (this.cpu == 0) touchForLpi(this.cpu, intid, priority);',
      },
    ],
  },
  'uncounted-drop': {
    text: 'an MSI to an event that is not mapped is not counted',
    found: ['counters'],
    patches: [
      {
        file: 'assembly/its/translation.ts',
        find: '  count(Counter.MSI + outcome);',
        replace: '  if (outcome != Outcome.EVENT_UNMAPPED) count(Counter.MSI + outcome);',
      },
    ],
  },
  'end-not-told': {
    text: 'list register 3, empty with HW=1, is in ICH_EISR_EL2',
    found: ['list-registers'],
    patches: [
      {
        file: 'assembly/virt/virtual_cpu_interface.ts',
        find: 'this.ended = lr.isEoi(value) ? this.ended | bit : this.ended & ~bit;',
        replace:
          'this.ended = lr.isEoi(value) || (n == 3 && state == lr.INVALID && lr.isHardware(value)) ? this.ended | bit : this.ended & ~bit;',
      },
    ],
  },
  'hidden-state': {
    text: 'a variable outside of the machine decides what a counter shows',
    found: ['not-deterministic'],
    patches: [
      {
        file: 'assembly/memory/counters.ts',
        find: 'export function count(counter: u32): void {',
        replace:
          'let hidden: u32 = 0;\nexport function count(counter: u32): void {\n  if (counter == 56 && hidden++ & 1) return;',
      },
    ],
  },
  'stray-write': {
    text: 'an ITS that goes on to its next command also writes where no machine is',
    found: ['stray'],
    patches: [
      {
        file: 'assembly/its/queue.ts',
        find: '  its.creadr += COMMAND_BYTES;',
        replace: '  its.creadr += COMMAND_BYTES;\n  store<u8>(0x200 + (its.creadr & 0xe0), 1);',
      },
    ],
  },
  'four-steps': {
    text: 'MOVALL traps with LPI 8193 pending at its source, and 8194 and 8195 but not 8193 at its destination',
    found: ['trap'],
    patches: [
      {
        file: 'assembly/gic/lpi_set.ts',
        find: '    const end = min<u32>(this.end, to.end);',
        replace: `    if (this.isPending(8193)) {
      if (to.isPending(8194)) {
        if (to.isPending(8195)) {
          if (!to.isPending(8193)) unreachable();
        }
      }
    }
    const end = min<u32>(this.end, to.end);`,
      },
    ],
  },
  'endless-queue': {
    text: 'GITS_CWRITER beyond the end of the queue is taken for an offset to reach',
    found: ['hang'],
    patches: [
      {
        file: 'assembly/its/queue.ts',
        find: '    its.creadr < its.queueBytes &&\n    its.cwriter < its.queueBytes\n',
        replace: '    its.creadr < its.queueBytes\n',
      },
    ],
  },
};

const LIMIT_SECONDS = 60;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Builds the fuzz module with a defect; the file. */
export async function plant(name) {
  const bug = plantedBugs[name];
  if (!bug) throw new Error(`${name}: one of ${Object.keys(plantedBugs).join(', ')}`);
  const outFile = join(mkdtempSync(join(tmpdir(), 'gicv4-planted-')), `${name}.wasm`);
  await buildEngine('fuzz', { patches: bug.patches, outFile });
  return outFile;
}

async function search(name) {
  const { Campaign, createFuzzer } = await import(
    pathToFileURL(join(root, 'dist/bindings/fuzz/index.js')).href
  );
  const file = await plant(name);
  const campaign = new Campaign(await createFuzzer(file), { seed: 1 });
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  while (campaign.crashes.length === 0 && seconds() < LIMIT_SECONDS) campaign.run(64);
  rmSync(dirname(file), { recursive: true });
  return { crash: campaign.crashes[0], seconds: seconds() };
}

async function main(names) {
  process.chdir(root);
  for (const name of names.length > 0 ? names : Object.keys(plantedBugs)) {
    const { crash, seconds } = await search(name);
    const right = crash !== undefined && plantedBugs[name].found.includes(crash.kind);
    if (!right) process.exitCode = 1;
    const outcome = crash
      ? `execution ${crash.execution}, ${(crash.input.length - 1) / 8} operations left: ${crash.message}`
      : 'not found';
    process.stdout.write(
      `${name.padEnd(20)} ${right ? 'found' : 'WRONG'} in ${seconds.toFixed(2)} s  ${outcome}\n`,
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
