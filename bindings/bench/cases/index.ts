import type { BenchCase } from '../case.ts';
import { deliveryCases, scaleCases, virtualDeliveryCases } from './delivery.ts';
import { lpiInjectionCases, vlpiInjectionCases } from './injection.ts';
import { irqchipCases } from './irqchip.ts';
import { lpiCommandCases } from './lpi_commands.ts';
import { passthroughCases } from './passthrough.ts';
import { registerCases } from './registers.ts';
import { residencyCases } from './residency.ts';
import { simulationCases } from './simulation.ts';
import { vgicCases } from './vgic.ts';

/** All benchmark cases, in the order in which they are shown. */
export const benchCases: readonly BenchCase[] = [
  ...lpiInjectionCases,
  ...lpiCommandCases,
  ...deliveryCases,
  ...registerCases,
  ...vlpiInjectionCases,
  ...virtualDeliveryCases,
  ...residencyCases,
  ...vgicCases,
  ...passthroughCases,
  ...irqchipCases,
  ...simulationCases,
  ...scaleCases,
];
