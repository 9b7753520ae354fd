import { type MachineConfig, redistributorStride } from '../../bindings/config.ts';
import { field, numberField } from './bits.ts';

/** The PE with affinity Aff3.Aff2.Aff1.Aff0 (Aff3 in [31:24]); undefined if there is none. */
export function cpuOfAffinity(config: MachineConfig, affinity: number): number | undefined {
  const cpu = config.affinities.indexOf(affinity);
  return cpu < 0 ? undefined : cpu;
}

/** The PE that an IROUTER value names with Interrupt_Routing_Mode=0: section 2.6. */
export function cpuOfRouter(config: MachineConfig, router: bigint): number | undefined {
  return cpuOfAffinity(config, numberField(router, 39, 32) * 2 ** 24 + numberField(router, 23, 0));
}

/**
 * The PE that the RDbase field of a command's doubleword names (section 6.0): a processor number, or the address
 * of the redistributor where GITS_TYPER.PTA=1.
 */
export function cpuOfRdbase(config: MachineConfig, doubleword: bigint): number | undefined {
  const rdbase = numberField(doubleword, 51, 16);
  const cpu = config.physicalTargetAddresses
    ? (rdbase * 0x1_0000 - config.addressMap.gicr) / redistributorStride(config)
    : rdbase;
  return Number.isInteger(cpu) && cpu >= 0 && cpu < config.cpus ? cpu : undefined;
}

/**
 * The PEs that a write of ICC_SGI<n>R_EL1 by `sender` addresses: section 8.2. Without range selection the RS field
 * is reserved and taken as zero.
 */
export function sgiTargets(config: MachineConfig, sender: number, value: bigint): number[] {
  if (field(value, 40) === 1n) return config.affinities.map((_, cpu) => cpu).filter((cpu) => cpu !== sender);
  const cluster =
    numberField(value, 55, 48) * 2 ** 24 +
    numberField(value, 39, 32) * 2 ** 16 +
    numberField(value, 23, 16) * 2 ** 8;
  const range = config.rangeSelector ? 16 * numberField(value, 47, 44) : 0;
  const targets: number[] = [];
  for (let i = 0; i < 16; i++) {
    if (field(value, i) === 0n) continue;
    const cpu = cpuOfAffinity(config, cluster + range + i);
    if (cpu !== undefined) targets.push(cpu);
  }
  return targets;
}
