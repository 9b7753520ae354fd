import type { Vector } from './vector.ts';

/** The vector uses virtual LPIs or the virtual CPU interface: vPE commands, VPENDBASER, or accesses at EL1. */
export function needsVirtualLpis(vector: Vector): boolean {
  return vector.steps.some((step) => {
    if (step.op === 'write') return step.commands.some((command) => command.startsWith('V'));
    if ('el' in step) return step.el === 1 || step.register.startsWith('ICH_');
    return 'what' in step && /^v(lpi|pendbaser)/.test(step.what ?? '');
  });
}
