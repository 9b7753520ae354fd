import { defineConfig } from 'vitest/config';

/** The tests that need QEMU, which `npm test` leaves out. */
export default defineConfig({
  test: {
    include: ['test/qemu/*.live.ts'],
    testTimeout: 600_000,
    // QEMU and the engine take turns, so more processes would only make each other late.
    fileParallelism: false,
  },
});
