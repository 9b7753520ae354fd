import { setTimeout } from 'node:timers/promises';
import type { BenchCase } from '../../bindings/bench/case.ts';
import type { Engine } from '../../bindings/engine.ts';
import { Machine } from '../../bindings/machine.ts';
import { Qemu } from '../../test/qemu/qemu.ts';
import { Player } from './player.ts';
import { RecordingGic } from './recording_gic.ts';

/** What one operation of a case costs in QEMU, in nanoseconds: medians over the runs. */
export interface QemuMeasurement {
  readonly ops: number;
  /** Without the socket's part. */
  readonly nsPerOp: number;
  /** What QEMU does to receive the accesses and to answer. */
  readonly socketNsPerOp: number;
}

/** How often to do a case. */
export interface QemuEffort {
  /** The least number of timed runs. */
  readonly runs: number;
  /** The most. */
  readonly runsMax: number;
  /** Milliseconds after which there are no more runs than the least, untimed parts included. */
  readonly time: number;
  /** Operations in a run, where the case is free. */
  readonly batch: number;
}

/** Operations of a short run, and how many times as many of those there are. */
const SHORT = 64;
const MORE = 16;

/**
 * Does a case on a machine of the engine, and all that it did there on QEMU. Throws a `CheckError` if QEMU answers
 * anything otherwise, or if in the end something else is pending.
 */
export async function measureOnQemu(
  benchCase: BenchCase,
  engine: Engine,
  effort: QemuEffort,
): Promise<QemuMeasurement> {
  let gic: RecordingGic | undefined;
  const work = benchCase.prepare((options) => {
    gic = new RecordingGic(new Machine(engine, options));
    return gic;
  }, effort.batch);
  if (!gic) throw new Error(`${benchCase.name}: no machine was made`);
  const { machine } = gic;
  const gicVersion = benchCase.needs === 'GICv3' ? 3 : 4;
  // Rigs have their RAM above the first GiB.
  using qemu = await Qemu.start({ gicVersion, cpus: machine.cpus, memoryMiB: 2048 });
  const player = new Player(qemu, machine);
  await player.play(gic.take());
  await qemu.pause();
  const timed: number[] = [];
  const socket: number[] = [];
  // Where a run is short, the socket's part of it is large, and it takes many runs to tell the rest.
  const more = work.ops < SHORT ? MORE : 1;
  const end = performance.now() + effort.time * more;
  while (timed.length < effort.runs || (timed.length < effort.runsMax * more && performance.now() < end)) {
    work.reset?.();
    await player.play(gic.take());
    work.run();
    const accesses = gic.take();
    timed.push(await timeOf(qemu, () => player.play(accesses)));
    socket.push(await timeOf(qemu, () => player.playOnRam(accesses)));
  }
  await qemu.resume();
  await player.compareState();
  const socketNsPerOp = median(socket) / work.ops;
  const ops = timed.length * work.ops;
  return { ops, socketNsPerOp, nsPerOp: Math.max(median(timed) / work.ops - socketNsPerOp, 0) };
}

/** CPU time of QEMU, which other work on the host does not lengthen, or the time that goes by where it is not known. */
async function timeOf(qemu: Qemu, run: () => Promise<void>): Promise<number> {
  const before = qemu.cpuTime();
  const start = process.hrtime.bigint();
  await run();
  const elapsed = Number(process.hrtime.bigint() - start);
  if (before === undefined) return elapsed;
  // The CPU time is up to date once QEMU waits again.
  await setTimeout(1);
  return (qemu.cpuTime() ?? before) - before;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}
