// GICD_* (section 2).
import { Diagnostic, ExtendedRange, Register } from '../abi';
import { report } from '../diag/diagnostics';
import { machine } from '../memory/machine';
import { Bank, EXTENDED_SPI_SLOT, NO_CPU } from './bank';
import { readBank, writeBank } from './bank_registers';
import { isBanked, slotOf } from './intid';
import { touchAllCpus } from './outputs';
import { setRoute } from './routing';
import { setSpiLevel } from './wires';

export function readDistributor(register: u32, element: u32): u64 {
  const m = machine();
  switch (register) {
    case Register.GICD_CTLR:
      return m.groupEnables | m.noActiveSgis;
    case Register.GICD_STATUSR:
      return m.gicdStatusr;
    case Register.GICD_IROUTER:
      return readRouter(element);
    case Register.GICD_IROUTER_E:
      return readRouter(EXTENDED_SPI_SLOT + element);
    default:
      return readSpiState(register, element);
  }
}

export function writeDistributor(register: u32, element: u32, value: u64): void {
  const m = machine();
  switch (register) {
    case Register.GICD_CTLR:
      return writeCtlr(<u32>value);
    case Register.GICD_STATUSR:
      m.gicdStatusr &= ~(<u32>value);
      return;
    case Register.GICD_SETSPI_NSR:
      return setMessageSpi(<u32>value, true);
    case Register.GICD_CLRSPI_NSR:
      return setMessageSpi(<u32>value, false);
    case Register.GICD_IROUTER:
      return writeRouter(element, element, value);
    case Register.GICD_IROUTER_E:
      return writeRouter(EXTENDED_SPI_SLOT + element, 4096 + element, value);
    default:
      writeSpiState(register, element, <u32>value);
  }
}

const CTLR_NASSGIREQ: u32 = 1 << 8;

/** nASSGIreq (GICv4.1, section 2.2) can change only while both groups were disabled. */
function writeCtlr(value: u32): void {
  const m = machine();
  if (m.groupEnables == 0) m.noActiveSgis = value & CTLR_NASSGIREQ;
  else if ((value ^ m.noActiveSgis) & CTLR_NASSGIREQ) report(Diagnostic.NASSGIREQ_WRITE_WHILE_ENABLED, 0);
  m.groupEnables = value & 3;
  touchAllCpus();
}

export function reportDistributorAccess(status: u32): void {
  machine().gicdStatusr |= status;
}

/** Registers of the Extended range follow in the bank behind those of the basic range. */
function readSpiState(register: u32, element: u32): u32 {
  const bank = changetype<Bank>(machine().spiBank);
  if (register < <u32>Register.IGROUPR_E)
    return ownedByRedistributors(register, element) ? 0 : readBank(bank, register, element);
  return readBank(bank, register - ExtendedRange.STEP, element + extendedElements(register));
}

function writeSpiState(register: u32, element: u32, value: u32): void {
  const bank = changetype<Bank>(machine().spiBank);
  if (register >= <u32>Register.IGROUPR_E) {
    writeBank(bank, register - ExtendedRange.STEP, element + extendedElements(register), value);
  } else if (!ownedByRedistributors(register, element)) writeBank(bank, register, element, value);
}

/** With affinity routing the registers of INTIDs 0-31 are in the redistributors. */
function ownedByRedistributors(register: u32, element: u32): bool {
  return element < 32 / interruptsPerRegister(register);
}

function extendedElements(register: u32): u32 {
  return EXTENDED_SPI_SLOT / interruptsPerRegister(register - ExtendedRange.STEP);
}

function interruptsPerRegister(register: u32): u32 {
  if (register == Register.IPRIORITYR) return 4;
  return register == Register.ICFGR ? 16 : 32;
}

function readRouter(slot: u32): u64 {
  return changetype<Bank>(machine().spiBank).router(slot);
}

function writeRouter(slot: u32, intid: u32, value: u64): void {
  if (slotOf(intid) < 0) return;
  const bank = changetype<Bank>(machine().spiBank);
  setRoute(bank, slot, value);
  bank.update(slot);
  if (bank.target(slot) == NO_CPU)
    report(Diagnostic.NO_PE_WITH_AFFINITY, 0, intid, <u32>value, <u32>(value >> 32));
}

/** GICD_SETSPI_NSR and GICD_CLRSPI_NSR: ignored for an SPI that is pending, or not pending, already (section 2.5). */
function setMessageSpi(intid: u32, level: bool): void {
  const slot = slotOf(intid);
  if (slot < 0 || isBanked(intid)) return;
  const bank = changetype<Bank>(machine().spiBank);
  const pending = ((bank.pendingWord(<u32>slot >> 5) >> (slot & 31)) & 1) != 0;
  if (pending != level) setSpiLevel(intid, level, true);
}
