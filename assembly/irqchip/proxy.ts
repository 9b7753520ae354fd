// The proxy device: without DirectLPI a doorbell needs an event so that INV, INT and CLEAR can reach it. Slots are a
// ring; a vPE that needs one evicts the next victim.
import { sendMapti, sendMovi, sendProxy } from './commands';
import { beginUndo, endUndo } from './queue';
import { chip, Device, deviceOf, NONE, proxySlotAt, Vpe, vpeOf } from './state';

const DISCARD: u64 = 0x0f;
const INV: u64 = 0x0c;
const INT: u64 = 0x03;
const CLEAR: u64 = 0x04;

function proxy(): Device {
  return deviceOf(chip().proxyDevice);
}

function holder(slot: u32): u32 {
  return load<u32>(proxySlotAt(slot));
}

/** The number of a vPE by its record. */
function numberOf(vpe: Vpe): u32 {
  const first = changetype<usize>(vpeOf(0));
  return <u32>((changetype<usize>(vpe) - first) / offsetof<Vpe>());
}

/** Gives a vPE's doorbell a slot. */
function mapSlot(vpe: Vpe): i32 {
  const self = chip();
  if (vpe.proxySlot != NONE) return 0;
  const slot = self.proxyNextVictim;
  if (holder(slot) != NONE) {
    const failed = unmapSlot(vpeOf(holder(slot)));
    if (failed) return failed;
  }
  const failed = sendMapti(proxy(), slot, vpe.doorbell, vpe.cpu);
  if (failed) {
    if (beginUndo()) {
      sendProxy(DISCARD, proxy(), slot, vpe.cpu);
      endUndo();
    }
    return failed;
  }
  vpe.proxyCpu = vpe.cpu;
  store<u32>(proxySlotAt(slot), numberOf(vpe));
  vpe.proxySlot = slot;
  self.proxyNextVictim = (slot + 1) & (self.proxySlots - 1);
  return 0;
}

/** Takes a vPE's slot away. */
export function unmapSlot(vpe: Vpe): i32 {
  if (vpe.proxySlot == NONE) return 0;
  const slot = vpe.proxySlot;
  const failed = sendProxy(DISCARD, proxy(), slot, vpe.proxyCpu);
  if (failed) {
    if (beginUndo()) {
      sendMapti(proxy(), slot, vpe.doorbell, vpe.proxyCpu);
      endUndo();
    }
    return failed;
  }
  store<u32>(proxySlotAt(slot), NONE);
  if (holder(chip().proxyNextVictim) != NONE) chip().proxyNextVictim = slot;
  vpe.proxySlot = NONE;
  return 0;
}

function onSlot(vpe: Vpe, command: u64): i32 {
  const failed = mapSlot(vpe);
  return failed ? failed : sendProxy(command, proxy(), vpe.proxySlot, vpe.proxyCpu);
}

export function invalidateProxy(vpe: Vpe): i32 {
  return onSlot(vpe, INV);
}

export function raiseProxy(vpe: Vpe): i32 {
  return onSlot(vpe, INT);
}

export function clearProxy(vpe: Vpe): i32 {
  return onSlot(vpe, CLEAR);
}

/** The vPE has moved: its doorbell's event follows. A doorbell without a slot gets one at the new PE first. */
export function moveProxy(vpe: Vpe): i32 {
  const failed = mapSlot(vpe);
  if (failed) return failed;
  const moved = sendMovi(proxy(), vpe.proxySlot, vpe.proxyCpu, vpe.cpu);
  if (moved == 0) vpe.proxyCpu = vpe.cpu;
  else if (beginUndo()) {
    sendMovi(proxy(), vpe.proxySlot, vpe.cpu, vpe.proxyCpu);
    endUndo();
  }
  return moved;
}
