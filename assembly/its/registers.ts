// GITS_* (section 5).
import { Choice, Counter, Diagnostic, Feature, Outcome, Policy, Register } from '../abi';
import { report } from '../diag/diagnostics';
import { count } from '../memory/counters';
import { machine, policy } from '../memory/machine';
import { ramAt } from '../memory/ram';
import { closeGate, openGate } from '../threads/gate';
import { COLLECTION_TABLE, DEVICE_TABLE, Its, itsOf } from './its';
import { processAtOnce } from './queue';
import { attachTable, isValid } from './tables';
import { sendVsgi } from './vsgi_commands';

const CTLR_ENABLED: u32 = 1;
const CTLR_QUIESCENT: u64 = 1 << 31;
const QUEUE_ADDRESS: u64 = 0x000fffffffff0000;
const QUEUE_OFFSET: u32 = 0xfffe0;
const CWRITER_RETRY: u32 = 1;

export function readIts(number: u32, register: u32, element: u32): u64 {
  const its = itsOf(number);
  switch (register) {
    case Register.GITS_TYPER:
      return its.isVirtual ? machine().itsVirtualType : 0;
    case Register.GITS_CTLR:
      if (!its.enabled) return CTLR_QUIESCENT | itsNumber(its);
      return CTLR_ENABLED | itsNumber(its) | (policy(Policy.quiescentWhileEnabled) ? CTLR_QUIESCENT : 0);
    case Register.GITS_STATUSR:
      return its.statusr;
    case Register.GITS_UMSIR:
      return its.umsir;
    case Register.GITS_CBASER:
      return its.cbaser;
    case Register.GITS_CWRITER:
      return its.cwriter;
    case Register.GITS_CREADR:
      return its.creadr | its.stalledShown;
    case Register.GITS_BASER:
      return its.table(element).baser;
    default:
      return 0;
  }
}

/** GITS_CTLR.ITS_Number: where VMOVP takes several ITSs, ITSList names them by it (section 5.2). */
function itsNumber(its: Its): u64 {
  const named = its.isVirtual && !machine().has(Feature.VMOVP_ON_ANY_ITS);
  return named ? (<u64>its.listNumber) << 4 : 0;
}

export function writeIts(number: u32, register: u32, element: u32, value: u64): void {
  const its = itsOf(number);
  switch (register) {
    case Register.GITS_CTLR:
      return writeCtlr(its, (<u32>value & CTLR_ENABLED) != 0);
    case Register.GITS_STATUSR:
      its.statusr &= ~(<u32>value);
      return;
    case Register.GITS_CBASER:
      return writeCbaser(its, value);
    case Register.GITS_CWRITER:
      return writeCwriter(its, <u32>value);
    case Register.GITS_CREADR:
      restartAt(its, <u32>value & QUEUE_OFFSET);
      return;
    case Register.GITS_BASER:
      if (tableWritable(its, register, element)) changeTable(its, element, value);
      return;
    // A PE has no DeviceID: its store translates nothing. Devices come by `translateMsi`.
    case Register.GITS_TRANSLATER:
      count(Counter.MSI + Outcome.NO_DEVICE_ID);
      report(Diagnostic.MSI_DROPPED, number, 0, <u32>value, Outcome.NO_DEVICE_ID);
      return;
    case Register.GITS_SGIR:
      return sendVsgi(its, <u32>(value >> 32) & 0xffff, <u32>value & 0xf);
    default:
  }
}

export function reportItsAccess(number: u32, status: u32): void {
  itsOf(number).statusr |= status;
}

function writeCtlr(its: Its, enable: bool): void {
  if (enable && !its.enabled && !tablesValid(its)) {
    report(Diagnostic.ENABLED_WITH_INVALID_TABLES, its.number);
    if (policy(Policy.enableWithInvalidTables) == Choice.INVALID_TABLES_REFUSE) return;
  }
  closeGate();
  its.enabled = enable ? 1 : 0;
  openGate();
  if (enable) processAtOnce(its);
}

/** Only an ITS that is enabled against the rules has translations going on. */
function changeTable(its: Its, n: u32, baser: u64): void {
  closeGate();
  attachTable(its, n, baser);
  openGate();
}

function tablesValid(its: Its): bool {
  const collections = isValid(its.table(COLLECTION_TABLE).baser) || machine().hardwareCollections != 0;
  return isValid(its.cbaser) && isValid(its.table(DEVICE_TABLE).baser) && collections;
}

/** A write sets GITS_CREADR to zero; GITS_CWRITER keeps its value (section 5.7). */
function writeCbaser(its: Its, value: u64): void {
  if (!tableWritable(its, Register.GITS_CBASER, 0)) return;
  its.cbaser = value;
  its.queueBytes = ((<u32>value & 0xff) + 1) << 12;
  its.queue = ramAt(value & QUEUE_ADDRESS, its.queueBytes);
  restartAt(its, 0);
  processAtOnce(its);
}

/** The command at GITS_CREADR is another one: what the ITS was waiting for with the old one is over. */
function restartAt(its: Its, offset: u32): void {
  its.creadr = offset;
  its.stalled = 0;
  its.stalledShown = 0;
  its.moving = 0;
  its.moved = 0;
}

/** Queue and tables written while the ITS is enabled: UNPREDICTABLE (sections 5.7, 5.9). */
function tableWritable(its: Its, register: u32, element: u32): bool {
  if (!its.enabled) return true;
  report(Diagnostic.TABLE_WRITE_WHILE_ENABLED, its.number, register, element);
  return policy(Policy.tableWriteWhileEnabled) == Choice.TABLE_WRITE_ACCEPT;
}

function writeCwriter(its: Its, value: u32): void {
  its.cwriter = value & QUEUE_OFFSET;
  if (its.cwriter >= its.queueBytes && its.queueBytes) {
    report(Diagnostic.CWRITER_OUT_OF_RANGE, its.number, its.cwriter, its.queueBytes);
  }
  if (value & CWRITER_RETRY || policy(Policy.retry) == Choice.RETRY_ANY_WRITE) its.stalled = 0;
  processAtOnce(its);
}
