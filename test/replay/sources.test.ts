import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { replayFile } from '../../bindings/replay/index.ts';

const path = join(import.meta.dirname, '../fixtures/captures/kut-ipi.jsonl.gz');
const compressed = new Uint8Array(readFileSync(path));

describe('a recording from a blob', () => {
  it.each([
    ['compressed', compressed],
    ['plain', new Uint8Array(gunzipSync(compressed))],
  ])('%s, replays as from a file', async (_, bytes) => {
    const steps: number[] = [];
    const fromFile = await replayFile(path);
    const fromBlob = await replayFile(new Blob([bytes]), {
      onProgress: (done, total) => {
        steps.push(done);
        expect(total).toBe(bytes.length);
      },
    });
    const { file: _file, seconds: _seconds, eventsPerSecond: _eventsPerSecond, ...expected } = fromFile;
    expect(fromBlob).toMatchObject({ ...expected, file: 'recording' });
    expect(fromBlob.checked).toBeGreaterThan(0);
    expect(steps.at(-1)).toBe(bytes.length);
  });

  it('that is cut off is refused by its name', async () => {
    const file = new File([compressed.subarray(0, compressed.length - 100)], 'half.gz');
    await expect(replayFile(file)).rejects.toMatchObject({ code: 'INVALID_INPUT', field: 'half.gz' });
  });
});
