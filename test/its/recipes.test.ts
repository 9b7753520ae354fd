import { describe } from 'vitest';
import { createMachine } from '../../bindings/index.ts';
import { recipes } from '../recipes.ts';

describe.each(['single', 'shared'] as const)('section 10, the %s build', (build) => {
  recipes((options) => createMachine(options, build));
});
