// The prices of the irqchip layer and of this one are in one table.
export { Cost, spend, tally } from '../irqchip/costs';
