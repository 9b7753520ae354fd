import { describe, expect, it } from 'vitest';
import { createMachine } from '../../bindings/index.ts';
import { findVectorFiles, readVectorFile } from '../../bindings/vectors/files.ts';
import { machineOptionsOf } from '../../bindings/vectors/machine_options.ts';
import { quirkReasons } from '../../bindings/vectors/quirks.ts';
import { runVector } from '../../bindings/vectors/runner.ts';

const files = findVectorFiles([new URL('../fixtures/vectors', import.meta.url).pathname]);

describe.each(['single', 'shared'] as const)('recorded vectors on the %s build', (build) => {
  it.each(files.map((file) => [file.replace(/^.*\//, ''), file]))('%s', async (_name, file) => {
    const vector = readVectorFile(file);
    const result = runVector(vector, await createMachine(machineOptionsOf(vector), build));
    expect(result.failures).toEqual([]);
    expect(result.passed).toBeGreaterThan(0);
    expect(Object.keys(quirkReasons)).toEqual(expect.arrayContaining(Object.keys(result.skipped)));
  });
});
