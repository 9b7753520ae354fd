// Programs about EnableLPIs and the LPI tables of the redistributors.
import { CPUS, FIRST_LPI, GICD, GROUP1, type Program, WINDOW_INTIDS } from '../program.ts';

/** LPIs enabled and disabled, tables of different sizes, pending bits that software sets. */
export function lpiTables(program: Program): void {
  program.gic.write(GICD, 4, GROUP1);
  program.openCpuInterfaces();
  const idBits = program.chance(50)
    ? [15, 15, 15, 15]
    : Array.from({ length: CPUS }, () => program.pick([13, 14, 15, 16, 31]));
  program.setUpRedistributors(
    idBits,
    Array.from({ length: CPUS }, () => program.chance(70)),
  );
  program.setUpIts({ queuePages: 1 });
  program.writeConfiguration(program.configurationTable, 80);
  const deviceId = program.below(16);
  program.command({ command: 'MAPD', deviceId, size: 4, ittAddress: program.newItt(), valid: true });
  for (let icid = 0; icid < CPUS; icid++)
    program.command({ command: 'MAPC', icid, rdBase: icid, valid: true });
  for (let eventId = 0; eventId < 24; eventId++) {
    // A MOVI can't take these to a redistributor that has no room for them (Q-MOVI-IDBITS).
    const pIntid = FIRST_LPI + program.below(eventId < 20 ? WINDOW_INTIDS : 0xffff - FIRST_LPI);
    program.command({ command: 'MAPTI', deviceId, eventId, pIntid, icid: program.below(CPUS) });
  }
  program.submit();
  for (let batch = 0; batch < 20; batch++) {
    for (let n = 1 + program.below(10); n > 0; n--) lpiCommand(program, deviceId);
    program.submit();
    changeRedistributor(program);
    program.comparePending();
  }
  program.comparePending(true);
}

function lpiCommand(program: Program, deviceId: number): void {
  const eventId = program.below(25);
  const kind = program.below(20);
  if (kind < 10) return program.command({ command: 'INT', deviceId, eventId });
  if (kind < 13) return program.command({ command: 'CLEAR', deviceId, eventId });
  if (kind < 14) return program.command({ command: 'INV', deviceId, eventId });
  if (kind < 18)
    return program.command({
      command: 'MOVI',
      deviceId,
      eventId: program.below(20),
      icid: program.below(CPUS),
    });
  return program.command({ command: 'MOVALL', rdBase1: program.below(CPUS), rdBase2: program.below(CPUS) });
}

function changeRedistributor(program: Program): void {
  const cpu = program.below(CPUS);
  const at = program.redistributor(cpu);
  switch (program.below(6)) {
    case 0:
    case 1:
      program.gic.write(at, 4, 0);
      break;
    case 2:
    case 3:
      program.gic.write(at, 4, 1);
      break;
    case 4:
      // Software may write the pending table of a redistributor whose LPIs are disabled.
      program.gic.write(at, 4, 0);
      program.gic.write(
        program.pendingTable(cpu) + FIRST_LPI / 8 + program.below(WINDOW_INTIDS / 8),
        1,
        program.below(256),
      );
      program.gic.write(at, 4, 1);
      break;
    default:
      program.gic.write(at, 4, 0);
      program.gic.write(
        at + 0x78,
        8,
        BigInt(program.pendingTable(cpu)) | (program.chance(50) ? 1n << 62n : 0n),
      );
      program.gic.write(at, 4, 1);
      void program.gic.read(at + 0x78, 8);
  }
  void program.gic.read(at, 4);
}
