/// <reference lib="esnext.disposable" preserve="true" />
import type { LpiRequestCounts } from '../counters.ts';
import { readMsiCounts } from '../counters.ts';
import { type EngineExports, instantiate } from '../engine.ts';
import { GicError, requireInteger } from '../errors.ts';
import { requireIts, requireMsis } from '../machine_arguments.ts';
import { disposed } from '../machine_view.ts';
import { type MsiOutcome, msiOutcomes } from '../outcomes.ts';
import type { SharedMachine } from '../shared_machine.ts';

/** MSIs that go to the engine in one call. */
const BATCH = 1024;

/**
 * Injects MSIs into a machine that another thread owns. Any number of threads may do so at the same time (64 at once),
 * while the owner runs commands: each MSI is translated by what the tables say at that moment, and is pending when the
 * call returns. The owner takes it in with its next action, or when it calls `Machine.takeArrivals`.
 *
 * What is dropped is counted at once; the diagnostic follows when the owner takes it in, for the first 16 of a thread
 * each time. Events are not recorded for MSIs of other threads.
 */
export class Injector {
  /** Which of the machine's lanes for threads this is: what `Machine.releaseInjector` wants. */
  readonly lane: number;
  readonly #itsCount: number;
  readonly #counters: number;
  #engine: EngineExports;
  #batch: Uint32Array;
  #memory: WebAssembly.Memory;
  #isDisposed = false;
  /** What earlier users of the lane had counted. */
  readonly #before: LpiRequestCounts;

  /**
   * `machine` is `Machine.shared` or `WorkerMachine.shared`. Throws a `GicError`: INVALID_ARGUMENT for anything else,
   * INVALID_STATE where 64 threads inject already.
   */
  constructor(machine: SharedMachine) {
    if (!machine?.engine?.module || !machine.shape || !(machine.memory instanceof WebAssembly.Memory)) {
      throw new GicError('INVALID_ARGUMENT', 'machine', machine, 'the value of Machine.shared');
    }
    const { engine, shape, memory } = machine;
    const exports = instantiate(engine, memory);
    const lane = exports.openInjector();
    if (lane < 0) {
      throw new GicError('INVALID_STATE', 'machine', '64 injectors', 'at most 64 that are not disposed');
    }
    const { layout, records, offsets } = shape;
    const at = layout.threads + offsets.lanes + lane * records.lane;
    this.lane = lane;
    this.#itsCount = shape.config.itsCount;
    this.#counters = at + offsets.laneCounters;
    this.#engine = exports;
    this.#memory = memory;
    this.#batch = new Uint32Array(memory.buffer, at + offsets.laneBatch, 2 * BATCH);
    this.#before = readMsiCounts(memory.buffer, this.#counters);
  }

  /** A device's MSI; tells what became of it. Throws a `GicError` DISPOSED where the owner has given this thread up. */
  sendMsi(deviceId: number, eventId: number, its = 0): MsiOutcome {
    requireInteger('INVALID_ARGUMENT', 'deviceId', deviceId, 0, 0xffff_ffff);
    requireInteger('INVALID_ARGUMENT', 'eventId', eventId, 0, 0xffff_ffff);
    requireIts(its, this.#itsCount);
    return msiOutcomes[this.#checked(this.#engine.injectMsi(its, deviceId, eventId))] as MsiOutcome;
  }

  /**
   * Sends many MSIs: `msis` holds a DeviceID and an EventID for each. Returns how many were not dropped; `counters` tells
   * what became of them. Throws as `sendMsi` does.
   */
  sendMsis(msis: Uint32Array, its = 0): number {
    requireMsis(msis);
    requireIts(its, this.#itsCount);
    let taken = 0;
    for (let from = 0; from < msis.length; from += 2 * BATCH) {
      const part = msis.subarray(from, from + 2 * BATCH);
      this.#batch.set(part);
      taken += this.#checked(this.#engine.injectMsis(its, part.length / 2));
    }
    return taken;
  }

  /** What became of the MSIs of this injector. They are part of `Machine.counters().msi`. */
  counters(): LpiRequestCounts {
    return subtract(readMsiCounts(this.#memory.buffer, this.#counters), this.#before);
  }

  /** Frees the lane for another thread. Every later use throws a `GicError` DISPOSED; another `dispose` does nothing. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#engine.closeInjector(this.lane);
    this.#engine = disposed();
    this.#batch = disposed();
    this.#memory = disposed();
  }

  /** `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #checked(result: number): number {
    if (result >= 0) return result;
    throw new GicError('DISPOSED', 'lane', this.lane, 'a thread that the owner of the machine waits for');
  }
}

function subtract(now: LpiRequestCounts, before: LpiRequestCounts): LpiRequestCounts {
  const dropped = Object.entries(now.dropped).map(([reason, count]) => [
    reason,
    count - (before.dropped[reason] ?? 0),
  ]);
  return {
    total: now.total - before.total,
    pending: now.pending - before.pending,
    coalesced: now.coalesced - before.coalesced,
    dropped: Object.fromEntries(dropped.filter(([, count]) => count !== 0)),
  };
}
