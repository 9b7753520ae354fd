import type { Machine } from '../machine.ts';

/** An architected timer of a vCPU as its guest sees it, in the hardware or in memory. */
export interface VcpuTimer {
  /** CNTV or CNTP. */
  readonly name: 'virtual' | 'physical';
  /** CNT*_CTL.ENABLE. */
  readonly enabled: boolean;
  /** CNT*_CTL.IMASK. */
  readonly masked: boolean;
  /** CNT*_CVAL: the count of the guest at which it fires. */
  readonly compare: bigint;
  /** The line to its PPI. */
  readonly line: boolean;
}

const names = ['virtual', 'physical'] as const;

export function readTimers(machine: Machine, vcpu: number): VcpuTimer[] {
  const { engine } = machine;
  return names.map((name, n) => {
    const control = engine.kvmTimerControl(vcpu, n);
    return {
      name,
      enabled: (control & 1) !== 0,
      masked: (control & 2) !== 0,
      compare: machine.wide(engine.kvmTimerCompare(vcpu, n)),
      line: engine.kvmTimerLine(vcpu, n) > 0,
    };
  });
}
