/**
 * Bytes of each build that the package has, as they are and compressed.
 *
 *     npm run bench:sizes -- [--json]
 */
import { readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { root } from './player/engines.ts';
import { runSection } from './section.ts';

const KIB = 1024;

await runSection(1, () => {
  const rows = ['single', 'shared', 'fuzz'].map((build) => {
    const bytes = readFileSync(`${root}/build/gic.${build}.wasm`);
    return {
      name: `gic.${build}.wasm, gzip -9`,
      value: gzipSync(bytes, { level: 9 }).length / KIB,
      unit: 'KiB',
      beside: { 'as it is KiB': bytes.length / KIB, 'brotli KiB': brotliCompressSync(bytes).length / KIB },
      target: { atMost: 64 },
    };
  });
  return { section: 'sizes', rows };
});
