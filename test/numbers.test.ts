import { describe, expect, it } from 'vitest';
import * as abi from '../assembly/abi.ts';

/** The choices of a policy count from 0 for each policy. */
const enums = Object.entries(abi).filter(([name, value]) => typeof value === 'object' && name !== 'Choice');

describe('the numbers that both sides of the engine use', () => {
  it.each(enums)('%s gives each name its own number', (_, numbers) => {
    const values = Object.values(numbers).filter((value) => typeof value === 'number');
    expect(new Set(values).size).toBe(values.length);
  });
});
