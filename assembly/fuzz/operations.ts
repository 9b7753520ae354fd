// What each operation of an input does. Those of the first kinds keep to the rules, in any order and number.
import { Register, SystemRegister } from '../abi';
import { readBus, writeBus } from '../gic/bus';
import { acknowledge, endOfInterrupt, resetCpuInterface } from '../gic/cpu_interface';
import { settle } from '../gic/outputs';
import { readPhysicalRegister, writePhysicalRegister } from '../gic/system_registers';
import { setPpiLevel, setSpiLevel } from '../gic/wires';
import { itsOf } from '../its/its';
import { writeIts } from '../its/registers';
import { translateMsi } from '../its/translation';
import { machine } from '../memory/machine';
import { readTimerRegister, writeTimerRegister } from '../timer/system_registers';
import { setCounter } from '../timer/timers';
import { readVirtualRegister, writeVirtualRegister } from '../virt/system_registers';
import { virtualInterfaceOf, WINNER_VLPI } from '../virt/virtual_cpu_interface';
import { INPUT, REGISTERS } from './areas';
import { ADDS, commandOf, effectOf, isVirtualMachine, KEEPS, queueCommand } from './commands';
import { fuzzTakeCoverage } from './coverage';
import { fuzzRestore, fuzzStrayed } from './dirty';
import { AREAS, area, areaAt, CONFIG, ITSES, QUEUE, VIRTUAL_CONFIG, VIRTUAL_PENDING } from './layout';
import {
  balances,
  balancesAcknowledged,
  balancesVirtualAcknowledged,
  openLedger,
  pendingWordOf,
  residentWord,
} from './ledger';
import { a, b, bits, c, decode, OPERATION_BYTES, shaped } from './operand';
import { arrived, countedMsis, examine, FINE, LEDGER, OUTCOME, STRAY } from './oracles';

/** Registers in the host's list; the first of them can be written with anything at any time. */
let registers: u32 = 0;
let harmless: u32 = 0;
let virtualMachine: bool = false;

/** INTIDs acknowledged last, for the end of interrupt. */
let last0: u32 = 1023;
let last1: u32 = 1023;
let msis: u64 = 0;
let operation: u32 = 0;

/** The host has listed the machine's registers. */
export function fuzzRegisters(total: u32, first: u32): void {
  registers = total;
  harmless = first;
  virtualMachine = isVirtualMachine();
}

/** Number of the operation that was performed last, when one failed. */
export function fuzzOperation(): u32 {
  return operation;
}

/** Performs the input of `bytes` bytes; what an oracle found, or 0. */
export function fuzzRun(bytes: u32): u32 {
  const found = runInput(bytes);
  return fuzzStrayed() ? STRAY : found;
}

/** Performs the input and goes back: what `fuzzTakeCoverage` says, or 4 times what an oracle found, before going back. */
export function fuzzTry(bytes: u32, edges: u32): u32 {
  const found = fuzzRun(bytes);
  if (found) return found << 2;
  const novelty = fuzzTakeCoverage(edges);
  fuzzRestore();
  return novelty;
}

function runInput(bytes: u32): u32 {
  last0 = 1023;
  last1 = 1023;
  operation = 0;
  const orderly = bytes > 0 && (load<u8>(INPUT) & 0x80) != 0;
  if (orderly) {
    msis = countedMsis();
    openLedger();
  }
  for (let at: u32 = 1; at + OPERATION_BYTES <= bytes; at += OPERATION_BYTES) {
    const kind = decode(INPUT + at);
    const found = orderly ? performed(kind % ORDERLY_KINDS, true) : performed(kind % KINDS, false);
    if (found) return found;
    operation++;
  }
  return examine(orderly, msis);
}

const ORDERLY_KINDS: u32 = 16;
const KINDS: u32 = 26;

/** One operation; LEDGER or OUTCOME where an orderly one did what it must not. */
function performed(kind: u32, orderly: bool): u32 {
  const cpu = a & 1;
  switch (kind) {
    case 0:
    case 1:
      return msi(orderly);
    case 2:
    case 3:
    case 4:
      return command(orderly);
    case 5:
      return take(cpu, orderly);
    case 6:
      return takeVirtual(cpu, orderly);
    case 7:
      wire(cpu);
      break;
    case 8:
      writePhysicalRegister(cpu, interfaceRegister(b), c & 0xff);
      break;
    case 9:
      writeVirtualRegister(cpu, SystemRegister.ICH_LR0_EL2 + (b & 3), listRegister());
      break;
    case 10:
      store<u8>(areaAt(c & 0x100 ? VIRTUAL_CONFIG : CONFIG) + (b & 63), <u8>c);
      break;
    case 11:
      if (harmless) writeBus(load<u32>(REGISTERS + ((b % harmless) << 2)), 4, c);
      break;
    case 12:
      if (virtualMachine) schedule(cpu);
      break;
    case 13:
      writeVirtualRegister(cpu, virtualRegister(b), c);
      break;
    case 14:
      setCounter(machine().counter + (c & 0xffff));
      break;
    case 15:
      if (orderly || b & 1) readBus(load<u32>(REGISTERS + ((b % registers) << 2)), 4);
      else writeTimerRegister(cpu, SystemRegister.CNTFRQ_EL0 + (b % 19), c);
      break;
    // From here on against the rules.
    case 16:
    case 17:
    case 18:
      writeBus(load<u32>(REGISTERS + ((b % registers) << 2)), a & 8 ? 8 : 4, value());
      break;
    case 19:
      writeBus(anywhere(), 1 << (a >> 6), value());
      break;
    case 20:
      readBus(anywhere(), 1 << (a >> 6));
      break;
    case 21:
      scribble(value());
      break;
    case 22:
      moveWriter(a % ITSES);
      break;
    case 23:
      writeAnySystemRegister(cpu, b & 127, value());
      break;
    case 24:
      readAnySystemRegister(cpu, b & 127);
      break;
    default:
      rare(cpu);
  }
  settle();
  return orderly && !balances(KEEPS) ? LEDGER : FINE;
}

function value(): u64 {
  return shaped(machine().ramBase, machine().ramSize);
}

function msi(orderly: bool): u32 {
  const its = a % ITSES;
  const wild = !orderly && c >> 28 == 0;
  const deviceId: u32 = wild ? c : b & 3;
  const eventId: u32 = wild ? b : c & 7;
  const outcome = translateMsi(its, deviceId, eventId);
  msis++;
  settle();
  if (!orderly) return FINE;
  if (!arrived(its, deviceId, eventId, outcome)) return OUTCOME;
  return balances(outcome == 0 ? ADDS : KEEPS) ? FINE : LEDGER;
}

function command(orderly: bool): u32 {
  const its = a % ITSES;
  const number = commandOf(virtualMachine, orderly);
  const writer = queueCommand(its, number, orderly);
  writeIts(its, Register.GITS_CWRITER, 0, writer);
  settle();
  return orderly && !balances(effectOf(number)) ? LEDGER : FINE;
}

function itsFrame(its: u32): u64 {
  return machine().gitsBase + <u64>its * machine().gitsStride;
}

function redistributorFrame(cpu: u32): u64 {
  return machine().gicrBase + <u64>cpu * machine().gicrStride;
}

/** Acknowledges an interrupt; mostly ends it, or one that was acknowledged before. */
function take(cpu: u32, orderly: bool): u32 {
  const word = pendingWordOf(cpu);
  const group: u32 = b & 3 ? 1 : 0;
  const intid = acknowledge(cpu, group);
  settle();
  const right = !orderly || balancesAcknowledged(cpu, intid, word);
  if (b & 4) endOfInterrupt(cpu, group, cpu ? last1 : last0);
  else if (b & 24) endOfInterrupt(cpu, group, intid);
  if (intid != 1023) {
    if (cpu) last1 = intid;
    else last0 = intid;
  }
  settle();
  if (orderly) openLedger();
  return right ? FINE : LEDGER;
}

/** The same by the guest on a PE. */
function takeVirtual(cpu: u32, orderly: bool): u32 {
  const word = residentWord(cpu);
  const self = virtualInterfaceOf(cpu);
  const isVlpi = self.winner == WINNER_VLPI;
  const register = b & 3 ? SystemRegister.ICV_IAR1_EL1 : SystemRegister.ICV_IAR0_EL1;
  const intid = <u32>readVirtualRegister(cpu, register);
  settle();
  const right = !orderly || balancesVirtualAcknowledged(cpu, intid, word, isVlpi && intid != 1023);
  if (b & 24) {
    const end = b & 3 ? SystemRegister.ICV_EOIR1_EL1 : SystemRegister.ICV_EOIR0_EL1;
    writeVirtualRegister(cpu, end, intid);
  }
  settle();
  if (orderly) openLedger();
  return right ? FINE : LEDGER;
}

function wire(cpu: u32): void {
  if (c & 0x100 && machine().spiSlots > 32)
    setSpiLevel(32 + (b % (machine().spiSlots - 32)), (c & 1) != 0, false);
  else setPpiLevel(cpu, 16 + (b & 15), (c & 1) != 0);
}

/** PMR, BPR, CTLR, group enables, SGIs, the ends of interrupts. */
function interfaceRegister(choice: u32): u32 {
  switch (choice & 7) {
    case 0:
      return SystemRegister.ICC_PMR_EL1;
    case 1:
      return SystemRegister.ICC_BPR0_EL1;
    case 2:
      return SystemRegister.ICC_BPR1_EL1;
    case 3:
      return SystemRegister.ICC_CTLR_EL1;
    case 4:
      return SystemRegister.ICC_IGRPEN0_EL1;
    case 5:
      return SystemRegister.ICC_IGRPEN1_EL1;
    case 6:
      return SystemRegister.ICC_SGI1R_EL1;
    default:
      return SystemRegister.ICC_DIR_EL1;
  }
}

function virtualRegister(choice: u32): u32 {
  switch (choice & 3) {
    case 0:
      return SystemRegister.ICH_HCR_EL2;
    case 1:
      return SystemRegister.ICH_VMCR_EL2;
    case 2:
      return SystemRegister.ICV_DIR_EL1;
    default:
      return SystemRegister.ICV_CTLR_EL1;
  }
}

/** A list register with few INTIDs, of which some stand for physical PPIs. */
function listRegister(): u64 {
  const high = (bits(0, 5) << 27) | (bits(5, 8) << 16) | bits(13, 4) | (bits(17, 1) << 9);
  return ((<u64>high) << 32) | (b >> 8);
}

/** Makes one of the two vPEs of a PE resident, or none. */
function schedule(cpu: u32): void {
  const vpe = cpu | (b & 2);
  const valid: u64 = c & 3 ? 0x8000000000000000 : 0;
  const isWide = machine().gicrStride != 0 && (machine().ichVtr & (1 << 18)) != 0;
  const value: u64 = isWide ? ((<u64>3) << 58) | vpe : area(VIRTUAL_PENDING + vpe);
  writeBus(redistributorFrame(cpu) + 0x2_0078, 8, valid | value);
}

/** GITS_CWRITER moves on over a few commands of before, or beyond the end of the queue. */
function moveWriter(its: u32): void {
  const writer = itsOf(its).cwriter & 0xfe0;
  writeBus(itsFrame(its) + 0x88, 8, b & 15 ? (writer + ((c & 3) << 5)) & 0xfe0 : c | 0x1000 | writer);
}

/** An address in one of the register frames, or wherever c says. */
function anywhere(): u64 {
  const m = machine();
  switch (b & 7) {
    case 0:
      return m.gicdBase + (c & 0xffff);
    case 1:
    case 2:
      return redistributorFrame(a & 1) + (c & 0x3ffff);
    case 3:
    case 4:
      return itsFrame(a % ITSES) + (c & 0x3ffff);
    case 5:
      return m.ramBase + (c % <u32>m.ramSize);
    case 6:
      return m.ramBase + m.ramSize - (c & 15);
    default:
      return (<u64>c) << 8;
  }
}

/** Overwrites what stands in tables, queues and pending bits. */
function scribble(value: u64): void {
  const at = areaAt(b % AREAS) + (b & 0x8000 ? c & 0xfff8 : (c & 0x1f) << 3);
  store<u64>(at, value);
}

function writeAnySystemRegister(cpu: u32, register: u32, value: u64): void {
  if (register >= <u32>SystemRegister.CNTFRQ_EL0) writeTimerRegister(cpu, register, value);
  else if (register >= <u32>SystemRegister.HCR_EL2) writeVirtualRegister(cpu, register, value);
  else writePhysicalRegister(cpu, register, value);
}

function readAnySystemRegister(cpu: u32, register: u32): void {
  if (register >= <u32>SystemRegister.CNTFRQ_EL0) readTimerRegister(cpu, register);
  else if (register >= <u32>SystemRegister.HCR_EL2) readVirtualRegister(cpu, register);
  else readPhysicalRegister(cpu, register);
}

/** A PE is reset, or a command queue stands elsewhere. */
function rare(cpu: u32): void {
  if (b & 1) {
    resetCpuInterface(cpu);
    return;
  }
  const its = a % ITSES;
  writeBus(itsFrame(its), 4, 0);
  writeBus(itsFrame(its) + 0x80, 8, ((<u64>1) << 63) | area(QUEUE + its));
  writeBus(itsFrame(its) + 0x88, 8, 0);
  writeBus(itsFrame(its), 4, 1);
}
