import { type MachineConfig, type MachineOptions, resolveConfig } from '../config.ts';
import { createMachine } from '../create_machine.ts';
import { GicError } from '../errors.ts';
import type { GicHardware } from '../hardware.ts';
import { Machine } from '../machine.ts';
import type { CaptureEvent } from './events.ts';
import type { ExclusionId } from './exclusions.ts';
import { FinalMemory } from './final_memory.ts';
import { inferMachine, type MachineOverrides } from './machine_inference.ts';
import { Recording } from './recording.ts';
import { Replayer } from './replayer.ts';
import type { ReplayReport, VirtualCounts } from './report.ts';

/** Events that are held back to infer the machine; operating systems read the identification registers first. */
const INFERENCE_EVENTS = 4000;

/** How a recording is played. */
export interface ReplayOptions {
  /** What the machine is, where the recording does not tell or is to be overridden. */
  readonly machine?: MachineOverrides;
  /** How many mismatches the report has in full. Default 20. */
  readonly limit?: number;
  /** A directory with dumps of the final memory, to compare the tables with; in Node only. */
  readonly finalDirectory?: string;
  /** Line before which the dumps were made; default where a last long pause tells, else the end. */
  readonly finalAt?: number;
  /** Makes the model to replay on. Default the engine's machine. */
  readonly createHardware?: (options: MachineOptions) => Promise<GicHardware>;
  /** Learns how many bytes of how many of the file have been read. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Plays a recording, plain or gzip, on a machine like the recorded one and compares every recorded result. `file` is a
 * path in Node, a URL in a browser, or a blob; a path and a blob are streamed. Throws a `GicError` INVALID_INPUT that
 * names file and line for a file that is no recording.
 */
export async function replayFile(file: string | Blob, options: ReplayOptions = {}): Promise<ReplayReport> {
  const recording = await Recording.open(file);
  const replay = new FileReplay(recording, options);
  for await (const _block of recording.read((event) => replay.play(event))) {
    options.onProgress?.(recording.bytesRead, recording.size);
    if (replay.readyToStart) await replay.start(false);
    if (replay.stopped) break;
  }
  return replay.finish();
}

/** A replay is done by one thread, and the build for one is faster. */
const singleThreaded = (options: MachineOptions): Promise<GicHardware> => createMachine(options, 'single');

/** Lines of a log that are no events of a GIC. */
const foreignLines: ReadonlySet<ExclusionId> = new Set(['plugin-line', 'other-device']);

interface Running {
  readonly hardware: GicHardware;
  readonly replayer: Replayer;
  readonly config: MachineConfig;
  readonly finalMemory: FinalMemory | undefined;
}

/** One recording on its way through a machine. */
class FileReplay {
  readonly #recording: Recording;
  readonly #options: ReplayOptions;
  /** The first events, held back until the machine is known. */
  #heldBack: CaptureEvent[] = [];
  #running: Running | undefined;
  /** An event of a GIC was there: anything else passes for messages in a log. */
  #isRecording = false;
  #lastLine = 0;
  readonly #started = performance.now();

  constructor(recording: Recording, options: ReplayOptions) {
    this.#recording = recording;
    this.#options = options;
  }

  get stopped(): boolean {
    return this.#running?.replayer.stopped !== undefined;
  }

  /** Enough has been read to know the machine. */
  get readyToStart(): boolean {
    return !this.#running && this.#heldBack.length >= INFERENCE_EVENTS;
  }

  play(event: CaptureEvent): void {
    this.#isRecording ||= event.kind !== 'message';
    if (this.#running) this.#feed(this.#running, event);
    else this.#heldBack.push(event);
  }

  async finish(): Promise<ReplayReport> {
    if (!this.#isRecording) {
      const { file } = this.#recording;
      throw new GicError(
        'INVALID_INPUT',
        file,
        'no event of a GIC',
        'a capture, or a log of QEMU with -trace gicv3_*',
      );
    }
    const { hardware, replayer, config, finalMemory } = this.#running ?? (await this.start(true));
    replayer.finish();
    if (!replayer.stopped) finalMemory?.finish(this.#lastLine, (found) => replayer.report(found));
    const { tally, mismatches, stopped } = replayer;
    const seconds = (performance.now() - this.#started) / 1000;
    for (const [reason, count] of this.#recording.skipped) {
      tally.skip(reason, count);
      if (!foreignLines.has(reason)) tally.events += count;
    }
    return {
      file: this.#recording.file,
      events: tally.events,
      checked: tally.checked,
      mismatches: tally.mismatches,
      skipped: tally.skipped,
      seconds,
      eventsPerSecond: seconds > 0 ? Math.round(tally.events / seconds) : 0,
      machine: machineText(config),
      commands: tally.commands,
      msis: tally.msis,
      interrupts: tally.interrupts,
      ...virtualCounts(hardware),
      checkedByKind: tally.checkedByKind,
      firstMismatches: mismatches,
      ...(stopped && { stopped }),
    };
  }

  /** Makes the machine and plays what was held back. `complete`: there is nothing beyond. */
  async start(complete: boolean): Promise<Running> {
    const { file, format } = this.#recording;
    const { machine, limit, finalDirectory, finalAt, createHardware = singleThreaded } = this.#options;
    const memoryUnknown = format === 'qemu-log';
    const options = inferMachine(this.#heldBack, { complete, memoryUnknown }, machine);
    const config = resolveConfig(options);
    const hardware = await createHardware(options);
    const replayer = new Replayer(hardware, config, {
      file,
      memoryUnknown,
      ...(limit !== undefined && { limit }),
    });
    const finalMemory =
      finalDirectory === undefined
        ? undefined
        : new FinalMemory(hardware, replayer.tally, finalDirectory, {
            propertiesUnknown: memoryUnknown,
            ...(finalAt !== undefined && { finalAt }),
          });
    const running = { hardware, replayer, config, finalMemory };
    this.#running = running;
    for (const event of this.#heldBack) this.#feed(running, event);
    this.#heldBack = [];
    return running;
  }

  #feed({ replayer, finalMemory }: Running, event: CaptureEvent): void {
    finalMemory?.approach(event);
    replayer.feed(event);
    this.#lastLine = event.line;
  }
}

/** What the engine's machine counted of direct injection, where any happened. */
function virtualCounts(hardware: GicHardware): { virtual?: VirtualCounts } {
  if (!(hardware instanceof Machine)) return {};
  const { vlpis, doorbells, virtualAcknowledged, residency } = hardware.counters();
  if (residency.scheduledIn === 0 && virtualAcknowledged.listRegister === 0) return {};
  return {
    virtual: {
      direct: vlpis.direct,
      waiting: vlpis.waiting,
      doorbells: doorbells.rung + doorbells.coalesced,
      fromListRegisters: virtualAcknowledged.listRegister,
      directlyAcknowledged: virtualAcknowledged.vlpi,
      scheduledIn: residency.scheduledIn,
    },
  };
}

function machineText({ architecture, cpus, itsCount, ram }: MachineConfig): string {
  const its = itsCount === 0 ? 'no ITS' : itsCount === 1 ? 'an ITS' : `${itsCount} ITSs`;
  const mebibytes = ram.size / 2 ** 20;
  return `${architecture}, ${cpus} ${cpus === 1 ? 'PE' : 'PEs'}, ${its}, ${mebibytes} MiB RAM window at 0x${ram.base.toString(16)}`;
}
