// VMOVP: sends the VLPIs of a vPE to another redistributor from now on; its pending table stays where it is
// (section 6.19). A doorbell that is pending on the old redistributor stays there.
import { Diagnostic, Feature, Outcome } from '../abi';
import { report } from '../diag/diagnostics';
import { NO_CPU } from '../gic/bank';
import { redistributorOf } from '../gic/redistributor';
import { VpeConfiguration } from '../gicv4/vpe_configuration';
import { configurationAt } from '../gicv4/vpe_table';
import { machine } from '../memory/machine';
import { closeGate, openGate } from '../threads/gate';
import { COMMAND_FAULT, COMMAND_WAITS, error } from './command_errors';
import * as decode from './decode';
import { Command, ErrorReason } from './decode';
import { Its, itsOf } from './its';
import { foundConfiguration, foundVpe, foundVpeAt, lookupVpe, lookupVpeEntry } from './lookup';
import { FAULT, UNMAPPED, vpeCpu, withVpeCpu } from './tables';
import { isDoorbell, reportResident, requireVpe } from './vpe_commands';

const ALL: u32 = 0xffff;

/** Nothing changes before the move is complete: an ITS that waits comes here again with the same command. */
export function vmovp(its: Its, at: usize): u32 {
  if (its.moved) {
    its.moved = 0;
    return 0;
  }
  const vpeId = decode.vpeId(at);
  const failed = requireVpe(its, vpeId, Command.VMOVP);
  if (failed) return failed;
  const cpu = decode.vpeTarget(at);
  if (cpu == NO_CPU) return error(Command.VMOVP, ErrorReason.SIZE_OUT_OF_RANGE);
  if (machine().has(Feature.GICV4_1)) {
    const refused = checkConfiguration(at, vpeId, cpu);
    if (refused) return refused;
  }
  if (!machine().has(Feature.VMOVP_ON_ANY_ITS)) return moveTogether(its, at, vpeId, cpu);
  move(its, at, vpeId, cpu, ALL);
  return 0;
}

/**
 * The protocol of several ITSs: each one waits with the command until all ITSs of the ITSList have reached the
 * VMOVP with the same SequenceNumber, then all perform it, as the last one has it.
 */
function moveTogether(its: Its, at: usize, vpeId: u32, cpu: u32): u32 {
  const key = decode.moveKey(at);
  its.moving = 1;
  its.moveKey = key;
  its.moveVpe = vpeId;
  its.moveCpu = cpu;
  const list = itsesOf((key & 0xffff) | ((<u32>1) << its.listNumber));
  // A listed ITS that does not exist never comes.
  if (list == 0) return COMMAND_WAITS;
  for (let n: u32 = 0; n < machine().itsCount; n++) {
    if (((list >> n) & 1) == 0 || n == its.number) continue;
    const partner = itsOf(n);
    if (!partner.moving) return COMMAND_WAITS;
    if (partner.moveKey == key && partner.moveVpe == vpeId && partner.moveCpu == cpu) continue;
    // A partner that waits for other ITSs first will come to this command; one that waits for this ITS can't.
    if ((partner.moveKey >> its.listNumber) & 1)
      report(Diagnostic.VMOVP_MISMATCH, its.number, n, key, partner.moveKey, vpeId);
    return COMMAND_WAITS;
  }
  move(its, at, vpeId, cpu, list);
  for (let n: u32 = 0; n < machine().itsCount; n++) {
    if (((list >> n) & 1) == 0) continue;
    const partner = itsOf(n);
    partner.moving = 0;
    if (n != its.number) partner.moved = 1;
  }
  return 0;
}

/** The ITSs, a bit for each, that an ITSList names; 0 where it names one that does not exist. */
function itsesOf(itsList: u32): u32 {
  let found: u32 = 0;
  let list: u32 = 0;
  for (let n: u32 = 0; n < machine().itsCount; n++) {
    const bit = (<u32>1) << itsOf(n).listNumber;
    if ((itsList & bit) == 0) continue;
    found |= bit;
    list |= (<u32>1) << n;
  }
  return found == itsList ? list : 0;
}

/** Moves a vPE in the ITSs of a list that have it mapped. */
function move(its: Its, at: usize, vpeId: u32, cpu: u32, list: u32): void {
  closeGate();
  if (machine().has(Feature.GICV4_1)) moveConfiguration(its, at, vpeId, cpu);
  for (let n: u32 = 0; n < machine().itsCount; n++) {
    if ((list >> n) & 1) moveEntry(itsOf(n), vpeId, cpu);
  }
  openGate();
}

function moveEntry(its: Its, vpeId: u32, cpu: u32): void {
  if (lookupVpeEntry(its, vpeId) != Outcome.PENDING) return;
  if (vpeCpu(foundVpe) != cpu && !machine().has(Feature.GICV4_1)) {
    reportResident(Diagnostic.VPE_MOVED_WHILE_RESIDENT, its, vpeId, foundVpe, foundConfiguration);
  }
  store<u64>(foundVpeAt, withVpeCpu(foundVpe, cpu));
}

/** GICv4.1: the new redistributor must have room for the vPE, and DB=1 must give a doorbell. */
function checkConfiguration(at: usize, vpeId: u32, cpu: u32): u32 {
  if (decode.replacesDefaultDoorbell(at) && !isDoorbell(decode.movedDefaultDoorbell(at))) {
    return error(Command.VMOVP, ErrorReason.DOORBELL_OUT_OF_RANGE);
  }
  const to = configurationAt(redistributorOf(cpu), vpeId);
  if (to == FAULT) return COMMAND_FAULT;
  return to == UNMAPPED ? error(Command.VMOVP, ErrorReason.VPE_OUT_OF_RANGE) : 0;
}

/**
 * GICv4.1: a PE of another group has another vPE Configuration table, which takes the vPE's entry over with all its
 * state. A vPE that is resident meanwhile, which is UNPREDICTABLE, stays so with its new entry.
 */
function moveConfiguration(its: Its, at: usize, vpeId: u32, cpu: u32): void {
  if (lookupVpe(its, vpeId) != Outcome.PENDING) return;
  const from = foundConfiguration;
  const to = changetype<VpeConfiguration>(configurationAt(redistributorOf(cpu), vpeId));
  const resident = from.residentCpu(vpeId);
  if (resident != NO_CPU && vpeCpu(from.mapping) != cpu) {
    report(Diagnostic.VPE_MOVED_WHILE_RESIDENT, its.number, vpeId, resident);
  }
  if (changetype<usize>(to) != changetype<usize>(from)) {
    memory.copy(changetype<usize>(to), changetype<usize>(from), offsetof<VpeConfiguration>());
    from.forget();
    if (resident != NO_CPU) redistributorOf(resident).residentEntry = changetype<usize>(to);
  }
  to.mapping = withVpeCpu(to.mapping, cpu);
  if (decode.replacesDefaultDoorbell(at)) to.defaultDoorbell = decode.movedDefaultDoorbell(at);
}
