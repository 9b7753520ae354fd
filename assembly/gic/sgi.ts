// Software generated interrupts: ICC_SGI1R_EL1, ICC_SGI0R_EL1, ICC_ASGI1R_EL1 (section 8.2).
import { Counter, Diagnostic, Event, Feature } from '../abi';
import { report } from '../diag/diagnostics';
import { emit } from '../diag/events';
import { count } from '../memory/counters';
import { machine } from '../memory/machine';
import { Bank, BankField } from './bank';
import { redistributorOf } from './redistributor';
import { affinityAt, affinityLowerBound, cpuAt } from './routing';

const IRM: u64 = 1 << 40;

/** Sends the SGI that a register write asks for. It reaches the targets that have it configured in `group`. */
export function generateSgi(sender: u32, value: u64, group: u32): void {
  const intid = <u32>(value >> 24) & 15;
  if (value & IRM) {
    for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) {
      if (cpu != sender) sendSgi(cpu, intid, group);
    }
    return;
  }
  let range = <u32>(value >> 44) & 15;
  if (range != 0 && !machine().has(Feature.RANGE_SELECTOR)) {
    report(Diagnostic.SGI_RANGE_NOT_SUPPORTED, sender, range, intid);
    range = 0;
  }
  const cluster =
    (<u32>(value >> 24) & 0xff000000) | (<u32>(value >> 16) & 0xff0000) | (<u32>(value >> 8) & 0xff00);
  const first = cluster | (range << 4);
  const targets = <u32>value & 0xffff;
  for (let entry = affinityLowerBound(first); entry < machine().cpuCount; entry++) {
    const affinity = affinityAt(entry);
    if (affinity - first > 15) return;
    if ((targets >> (affinity - first)) & 1) sendSgi(cpuAt(entry), intid, group);
  }
}

function sendSgi(cpu: u32, intid: u32, group: u32): void {
  const bank = changetype<Bank>(redistributorOf(cpu).bank);
  if (bank.bit(BankField.GROUP, intid) != (group == 1)) return;
  count(bank.bit(BankField.LATCH, intid) ? Counter.SGIS_COALESCED : Counter.SGIS_SENT);
  emit(Event.SGI_SENT, cpu, intid, group);
  bank.setBit(BankField.LATCH, intid, true);
  bank.update(intid);
}
