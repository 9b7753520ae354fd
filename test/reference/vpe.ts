import type { Residency } from './residency.ts';
import type { Residency41 } from './residency41.ts';

/** A virtual SGI: section 6.22. */
export interface Vsgi {
  enabled: boolean;
  group: 0 | 1;
  priority: number;
  pending: boolean;
}

/** Sixteen virtual SGIs as a new vPE has them: disabled, Group 0, priority 0, not pending. */
export function newVsgis(): Vsgi[] {
  return Array.from({ length: 16 }, () => ({ enabled: false, group: 0, priority: 0, pending: false }));
}

/** A vPE that an ITS has mapped. */
export interface Vpe {
  /** The PE of its RDbase, whose redistributor its doorbells ring. */
  cpu: number;
  /** Address of the virtual pending table. */
  readonly vpt: number;
  /** INTID bits less one. */
  readonly size: number;
}

/** A vPE of GICv4.1, as the vPE Configuration table has it: sections 6.15 and 7.6. */
export interface ConfiguredVpe extends Vpe {
  /** Address of the VM's configuration table. */
  readonly configTable: number;
  /** 1023 for none. */
  defaultDoorbell: number;
  readonly vsgis: Vsgi[];
  /** Where it is resident. */
  residence: Residency41 | undefined;
  /** A default doorbell is wanted for the next enabled interrupt of one of these groups. */
  request: readonly [group0: boolean, group1: boolean] | undefined;
}

export const NO_DOORBELL = 1023;

/** What VMAPP with V=1 says; the last four are GICv4.1's. */
export interface VpeMapping extends Vpe {
  readonly configTable: number;
  readonly defaultDoorbell: number;
  readonly alloc: boolean;
  /** The VPT is all zero. */
  readonly pendingTableZero: boolean;
}

/** The vPEs that ITSs have mapped, of GICv4.0 or of GICv4.1. Tables outside RAM throw a `TableFault`. */
export interface Vpes {
  /** Whether the ITS's vPE table has room for a vPEID. In two levels, it may still be without an entry. */
  inRange(its: number, vpeId: number): boolean;
  /** Undefined where the ITS has not mapped it. */
  find(its: number, vpeId: number): Vpe | undefined;
  /** VMAPP with V=1. False, and nothing was done, where a table has no entry for the vPEID. */
  map(its: number, vpeId: number, mapping: VpeMapping): boolean;
  /** VMAPP with V=0. */
  unmap(its: number, vpeId: number, alloc: boolean): void;
  /** Whether VMOVP can move a vPE to a PE: false where a table has no entry for the vPEID. */
  canMove(vpeId: number, cpu: number): boolean;
  /** VMOVP, for those of the ITSs that have mapped it; `doorbell` replaces the default doorbell if given. */
  move(itses: readonly number[], vpeId: number, cpu: number, doorbell: number | undefined): void;
  /** The redistributor that a vPE is resident on. */
  residence(vpe: Vpe): Residency | undefined;
}
