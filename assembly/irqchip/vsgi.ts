// GICv4.1: sixteen virtual SGI interrupts per vPE.
import { writeBus } from '../gic/bus';
import { sendVsgi } from './commands';
import { findIrqs, freeIrqs } from './device';
import { EINVAL, ENOMEM, ENOSYS, ENXIO } from './errno';
import { LOG_ITS_WRITE, log } from './log';
import { beginUndo, endUndo, itsAddress } from './queue';
import { queryVsgis } from './redistributor';
import { chip, Irq, irqOf, KIND_SGI, NONE, Vpe, vpeOf } from './state';
import { firstV4Its } from './vpe';

const SGIS: u32 = 16;
const CONFIG_ENABLED: u32 = 1;
const CONFIG_GROUP1: u32 = 2;
const GITS_SGIR: u64 = 0x20020;

/** Makes the vSGI irqs of a vPE; the first of them, or an errno. */
export function allocateSgis(vpe: Vpe, number: u32): i32 {
  if (!chip().hasRvpeid) return ENOSYS;
  if (vpe.firstSgiIrq != NONE) return EINVAL;
  const first = findIrqs(SGIS);
  if (first == NONE) return ENOMEM;
  for (let sgi: u32 = 0; sgi < SGIS; sgi++) {
    const irq = irqOf(first + sgi);
    irq.kind = KIND_SGI;
    irq.owner = number;
    irq.event = sgi;
    irq.activated = 0;
    irq.masked = 1;
    irq.forwarded = 0;
    vpe.setSgiConfig(sgi, 0);
  }
  vpe.firstSgiIrq = first;
  return <i32>first;
}

export function freeSgis(vpe: Vpe): void {
  if (vpe.firstSgiIrq != NONE) freeIrqs(vpe.firstSgiIrq, SGIS);
  vpe.firstSgiIrq = NONE;
}

function configure(irq: Irq, config: u32): i32 {
  const vpe = vpeOf(irq.owner);
  const old = vpe.sgiConfig(irq.event);
  const failed = sendVsgi(firstV4Its(), vpe, irq.event, config, false);
  if (failed == 0) vpe.setSgiConfig(irq.event, config);
  else if (beginUndo()) {
    sendVsgi(firstV4Its(), vpe, irq.event, old, false);
    endUndo();
  }
  return failed;
}

function configOf(irq: Irq): u32 {
  return vpeOf(irq.owner).sgiConfig(irq.event);
}

/** Its vPE is mapped: only then do the ITS and redistributors know its vSGIs. */
function isReachable(irq: Irq): bool {
  return vpeOf(irq.owner).vmapps != 0;
}

export function activateSgi(irq: Irq): i32 {
  if (irq.activated || !isReachable(irq)) return EINVAL;
  const failed = configure(irq, configOf(irq));
  if (failed == 0) irq.activated = 1;
  return failed;
}

/** Disabled first, then cleared: one command cannot do both. */
export function deactivateSgi(irq: Irq): i32 {
  if (!irq.activated || !isReachable(irq)) return EINVAL;
  const failed = configure(irq, configOf(irq) & ~CONFIG_ENABLED);
  if (failed) return failed;
  irq.activated = 0;
  return sendVsgi(firstV4Its(), vpeOf(irq.owner), irq.event, 0, true);
}

export function setSgiMasked(irq: Irq, masked: bool): i32 {
  if (!irq.activated || !isReachable(irq)) return EINVAL;
  const kept = configOf(irq) & ~CONFIG_ENABLED;
  const failed = configure(irq, masked ? kept : kept | CONFIG_ENABLED);
  if (failed == 0) irq.masked = masked ? 1 : 0;
  return failed;
}

/** Setting is a register write, clearing a command. */
export function setSgiPending(irq: Irq, pending: bool): i32 {
  if (!irq.activated || !isReachable(irq)) return EINVAL;
  const vpe = vpeOf(irq.owner);
  if (!pending) return sendVsgi(firstV4Its(), vpe, irq.event, 0, true);
  const value = ((<u64>vpe.vpeId) << 32) | irq.event;
  log(LOG_ITS_WRITE, firstV4Its(), GITS_SGIR, value);
  writeBus(itsAddress(firstV4Its()) + GITS_SGIR, 8, value);
  return 0;
}

/** 0 or 1, or an errno. */
export function isSgiPending(irq: Irq): i32 {
  const vpe = vpeOf(irq.owner);
  const pending = queryVsgis(vpe.cpu, vpe.vpeId);
  return pending < 0 ? ENXIO : (pending >> irq.event) & 1;
}

/** PROP_UPDATE_VSGI. */
export function updateSgi(irq: Irq, priority: u32, group: u32): i32 {
  if (!irq.activated || !isReachable(irq)) return EINVAL;
  const kept = configOf(irq) & CONFIG_ENABLED;
  return configure(irq, kept | (group ? CONFIG_GROUP1 : 0) | (priority & 0xf0));
}
