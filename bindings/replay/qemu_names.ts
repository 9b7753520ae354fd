/** The architectural name of a system register that QEMU names without its exception level. */
export function architecturalName(register: string): string {
  const known = names.get(register);
  if (known !== undefined) return known;
  const name = withLevel(register);
  if (names.size < CACHED) names.set(register, name);
  return name;
}

/**
 * The number of a PE that QEMU's trace tells by its affinity (Aff1 in [15:8], Aff0 in [7:0]): machines with GICv3
 * have sixteen PEs in a cluster. Up to sixteen PEs, number and affinity are the same.
 */
export function cpuOfTrace(affinity: number): number {
  return affinity < 0x100 ? affinity : (affinity >> 8) * 16 + (affinity & 0xff);
}

const CACHED = 256;
const names = new Map<string, string>();

function withLevel(register: string): string {
  // AArch32 has two 32-bit registers, ICH_LR<n> and ICH_LRC<n>, for one 64-bit ICH_LR<n>_EL2.
  if (/_EL[0-3]$/.test(register) || /^ICH_LRC?\d+$/.test(register)) return register;
  return `${register}_${register.startsWith('ICH_') ? 'EL2' : 'EL1'}`;
}
