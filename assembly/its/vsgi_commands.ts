// GICv4.1 virtual SGIs at the ITS: the VSGI command and GITS_SGIR (sections 6.22, 5.12).
import { Counter, Diagnostic, Outcome } from '../abi';
import { report } from '../diag/diagnostics';
import { clearPendingVsgi, configureVsgi, setPendingVsgi } from '../gicv4/vsgi';
import { count } from '../memory/counters';
import * as decode from './decode';
import { Command } from './decode';
import { Its } from './its';
import { foundConfiguration, lookupVpe } from './lookup';
import { requireVpe } from './vpe_commands';

/** 6.22: Clear=1 clears the pending state only, Clear=0 writes the configuration only. */
export function vsgi(its: Its, at: usize): u32 {
  const vpeId = decode.vpeId(at);
  const failed = requireVpe(its, vpeId, Command.VSGI);
  if (failed) return failed;
  const intid = decode.vsgiIntid(at);
  if (decode.vsgiClears(at)) {
    clearPendingVsgi(foundConfiguration, vpeId, intid);
    return 0;
  }
  const enable = decode.vsgiEnable(at);
  const group = decode.vsgiGroup(at);
  configureVsgi(foundConfiguration, vpeId, intid, enable, group, decode.vsgiPriority(at));
  return 0;
}

/** GITS_SGIR: as a write of GITS_TRANSLATER it does nothing while the ITS is disabled, or for a vPE without mapping. */
export function sendVsgi(its: Its, vpeId: u32, intid: u32): void {
  if (its.enabled && lookupVpe(its, vpeId) == Outcome.PENDING) {
    setPendingVsgi(foundConfiguration, vpeId, intid);
    return;
  }
  count(Counter.VSGIS_DROPPED);
  report(Diagnostic.VSGI_DROPPED, its.number, vpeId, intid);
}
