// MSIs that lead nowhere: the diagnostic record, GITS_STATUSR.UMSI and GITS_UMSIR (section 5.6).
import { Diagnostic, Feature, Outcome } from '../abi';
import { report } from '../diag/diagnostics';
import { machine } from '../memory/machine';
import { Its } from './its';

const STATUSR_UMSI: u32 = 1 << 4;
const STATUSR_OVERFLOW: u32 = 1 << 5;
const STATUSR_SYNDROME_SHIFT: u32 = 6;
const STATUSR_SYNDROME: u32 = 0xf << 6;

export function reportDropped(its: Its, deviceId: u32, eventId: u32, outcome: Outcome): void {
  report(Diagnostic.MSI_DROPPED, its.number, deviceId, eventId, outcome);
  if (machine().has(Feature.UNMAPPED_MSI_REPORTING)) reportUnmapped(its, deviceId, eventId, outcome);
}

/** More MSIs were dropped than there was room to tell of. */
export function reportOverflow(its: Its): void {
  if (its.statusr & STATUSR_UMSI) its.statusr |= STATUSR_OVERFLOW;
}

/** The first MSI without a mapping is kept, later ones overflow. */
function reportUnmapped(its: Its, deviceId: u32, eventId: u32, outcome: Outcome): void {
  const syndrome = syndromeOf(outcome);
  if (syndrome == 0) return;
  if (its.statusr & STATUSR_UMSI) {
    its.statusr |= STATUSR_OVERFLOW;
    return;
  }
  its.statusr = (its.statusr & ~STATUSR_SYNDROME) | STATUSR_UMSI | (syndrome << STATUSR_SYNDROME_SHIFT);
  its.umsir = ((<u64>deviceId) << 32) | eventId;
}

function syndromeOf(outcome: Outcome): u32 {
  switch (outcome) {
    case Outcome.DEVICE_OUT_OF_RANGE:
      return 2;
    case Outcome.DEVICE_UNMAPPED:
      return 3;
    case Outcome.EVENT_OUT_OF_RANGE:
      return 4;
    case Outcome.EVENT_UNMAPPED:
      return 5;
    case Outcome.COLLECTION_UNMAPPED:
      return 7;
    case Outcome.VPE_UNMAPPED:
      return 9;
    default:
      return 0;
  }
}
