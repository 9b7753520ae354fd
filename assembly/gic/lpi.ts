// Physical LPIs of a redistributor: GICR_CTLR.EnableLPIs and the tables of GICR_PROPBASER and GICR_PENDBASER
// (sections 3.2, 3.5-3.8, 4.1, 4.2).
import { Choice, Diagnostic, Outcome, Policy } from '../abi';
import { report } from '../diag/diagnostics';
import { machine, policy } from '../memory/machine';
import { ramAt } from '../memory/ram';
import { FIRST_LPI } from './intid';
import { Redistributor } from './redistributor';

const CONFIG_ADDRESS: u64 = 0x000ffffffffff000;
const PENDING_ADDRESS: u64 = 0x000fffffffff0000;

/** GICR_CTLR.EnableLPIs 0 -> 1: section 3.2. */
export function enableLpis(rd: Redistributor): void {
  const end = tableEnd(rd.propbaser);
  rd.lpisEnabled = 1;
  const configTable = end > FIRST_LPI ? ramAt(rd.propbaser & CONFIG_ADDRESS, end - FIRST_LPI) : 0;
  const pendingTable = end > FIRST_LPI ? ramAt(rd.pendbaser & PENDING_ADDRESS, end >> 3) : 0;
  if (end > FIRST_LPI && (configTable == 0 || pendingTable == 0))
    report(Diagnostic.LPI_TABLE_OUTSIDE_RAM, rd.cpu);
  const honoured = policy(Policy.pendingTableZero) != Choice.PENDING_TABLE_ZERO_IGNORE;
  if (honoured && rd.pendingTableZero && pendingTable) takeTableForZero(rd, pendingTable, end);
  // The promise was about the table as software left it, not about what is pending when LPIs are enabled again.
  rd.pendingTableZero = 0;
  rd.physicalLpis.attach(end, configTable, pendingTable);
}

/** GICR_CTLR.EnableLPIs 1 -> 0. The pending table is current already. */
export function disableLpis(rd: Redistributor): void {
  rd.lpisEnabled = 0;
  rd.physicalLpis.detach();
}

/** GICR_PROPBASER or GICR_PENDBASER accepted while EnableLPIs=1: the new tables count from now on. */
export function reloadLpiTables(rd: Redistributor): void {
  disableLpis(rd);
  enableLpis(rd);
}

/** Makes an LPI pending at a redistributor, which ignores it while EnableLPIs=0. */
export function setPendingLpi(rd: Redistributor, intid: u32): Outcome {
  return rd.lpisEnabled ? rd.physicalLpis.setPending(intid) : Outcome.LPIS_DISABLED;
}

/** The first INTID beyond the LPIs that an IDbits field and GICD_TYPER.IDbits allow; 0 where there are none. */
export function tableEnd(baser: u64): u32 {
  const bits = min<u32>((<u32>baser & 31) + 1, machine().intidBits);
  return bits < 14 ? 0 : (<u32>1) << bits;
}

/** GICR_PENDBASER.PTZ promised an all-zero table; what is there all the same is not looked at and gets lost. */
function takeTableForZero(rd: Redistributor, pendingTable: usize, end: u32): void {
  for (let at = pendingTable + (FIRST_LPI >> 3); at < pendingTable + (end >> 3); at += 8) {
    if (load<u64>(at) == 0) continue;
    report(Diagnostic.PENDING_TABLE_NOT_ZERO, rd.cpu);
    memory.fill(pendingTable + (FIRST_LPI >> 3), 0, (end - FIRST_LPI) >> 3);
    return;
  }
}
