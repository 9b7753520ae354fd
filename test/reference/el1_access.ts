import { GicError } from '../../bindings/errors.ts';
import { field, ones } from './bits.ts';

const GROUP0 = /^ICC_(IAR0|EOIR0|HPPIR0|BPR0|AP0R[0-3]|IGRPEN0)_EL1$/;
const GROUP1 = /^ICC_(IAR1|EOIR1|HPPIR1|BPR1|AP1R[0-3]|IGRPEN1)_EL1$/;
const COMMON = /^ICC_(PMR|RPR|CTLR|DIR)_EL1$/;
const SGI = /^ICC_A?SGI[01]R_EL1$/;

const TDIR = ones(14);
const TALL1 = ones(12);
const TALL0 = ones(11);
const TC = ones(10);

/**
 * The register that an access from EL1 reaches: section 8.1. Throws the error of an access that traps to EL2
 * (section 8.4); SGI registers have no virtual form and trap where interrupts are routed to EL2.
 *
 * @param hcr HCR_EL2: FMO in bit 3, IMO in bit 4
 * @param traps ICH_HCR_EL2.TDIR, TALL1, TALL0 and TC, in place
 */
export function routeFromEl1(name: string, hcr: bigint, traps: bigint): string {
  const fmo = field(hcr, 3) === 1n;
  const imo = field(hcr, 4) === 1n;
  const trapped =
    (GROUP0.test(name) && traps & TALL0) ||
    (GROUP1.test(name) && traps & TALL1) ||
    ((COMMON.test(name) || SGI.test(name)) && traps & TC) ||
    (name === 'ICC_DIR_EL1' && traps & TDIR) ||
    (SGI.test(name) && (fmo || imo));
  if (trapped) throw new GicError('TRAPPED', 'name', name, 'an access that EL2 does not trap (ICH_HCR_EL2)');
  const virtual =
    (GROUP0.test(name) && fmo) || (GROUP1.test(name) && imo) || (COMMON.test(name) && (fmo || imo));
  return virtual ? name.replace('ICC_', 'ICV_') : name;
}
