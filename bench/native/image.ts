import { closeSync, openSync, writeSync } from 'node:fs';
import { AccessList } from '../../assembly/bench/abi.ts';
import { PAGE_BYTES } from '../../bindings/engine.ts';
import type { Machine } from '../../bindings/machine.ts';
import { STATE_PAGE } from '../../bindings/snapshot/snapshot.ts';
import type { Recording } from '../player/recording.ts';

/** Writes a machine of the bench build, with a recording placed in it, for the driver. */
export function writeImage(path: string, { run, reset }: Recording, machine: Machine): void {
  const bytes = new Uint8Array(machine.memory.buffer);
  const lists = [
    [AccessList.RUN_AT, run.byteLength],
    [AccessList.RESET_AT, reset.byteLength],
  ] as const;
  const pieces = [
    ...lists.map(([at, length]) => [at / STATE_PAGE, Math.ceil(length / STATE_PAGE)] as const),
    ...machine
      .snapshot()
      .runs.map(({ firstPage, bytes: { length } }) => [firstPage, length / STATE_PAGE] as const),
  ];
  const { WORDS, RUN_AT, RESET_AT } = AccessList;
  const counts = [run.length / WORDS, reset.length / WORDS];
  const file = openSync(path, 'w');
  const words = (values: readonly number[]) =>
    writeSync(file, new Uint8Array(Uint32Array.from(values).buffer));
  words([bytes.length / PAGE_BYTES, ...counts, RUN_AT, RESET_AT, pieces.length]);
  for (const [page, pages] of pieces) {
    words([page, pages]);
    writeSync(file, bytes, page * STATE_PAGE, pages * STATE_PAGE);
  }
  closeSync(file);
}
