import type { CaptureEvent } from './events.ts';

/**
 * Where the results of an event stand in the recording.
 * - `result`: it is one itself.
 * - `deferred`: an input that changes no output by itself: memory contents.
 * - `read`: no input at all.
 * - `after`: its results follow it.
 * - `before`: its results precede it.
 * - `open`: its results precede or follow it; which, only the state of the hardware tells.
 * - `note`: it means nothing to the hardware.
 */
export type Order = 'result' | 'deferred' | 'read' | 'after' | 'before' | 'open' | 'note';

/**
 * The order rule of an event. A register write is recorded when it is done; a wire or an MSI when it arrives.
 * @param commandsRun the ITS runs commands; otherwise they wait for the register write that lets it
 */
export function orderOf(event: CaptureEvent, commandsRun = true): Order {
  switch (event.kind) {
    case 'pending':
    case 'wires':
    case 'virtual-pending':
    case 'virtual-wires':
    case 'maintenance':
    case 'sgi-arrival':
    case 'table-write':
      return 'result';
    case 'system-write':
    case 'sgi-request':
    case 'spi-line':
    case 'ppi-line':
    case 'msi':
      return 'after';
    case 'command':
      return commandsRun ? 'after' : 'deferred';
    case 'register-write':
      return 'before';
    case 'acknowledge':
      // A direct vLPI is acknowledged before ICV_IAR is traced, a list register after it.
      return event.interface === 'ICV' ? 'open' : 'before';
    case 'register-read':
    case 'system-read':
    case 'refused-read':
    case 'refused-write':
      return 'read';
    case 'memory-range':
    case 'memory-store':
      return 'deferred';
    case 'message':
      return 'note';
  }
}

/** What playing a recording consists of. */
export interface Stage {
  /** The ITS runs a command as soon as it is in the queue. */
  readonly commandsRun: boolean;
  /** Takes a recorded result down. */
  record(event: CaptureEvent): void;
  /** Plays an input, or compares the value of a read. */
  apply(event: CaptureEvent): void;
  /** Ends the action before: takes down what it changed at the model's outputs. */
  closeAction(): void;
  /** Demands that recorded and produced results since the last time are the same. */
  compare(): void;
}

/**
 * Plays one event in its place. Results between an `after` cause and a following `before` cause may be of either:
 * they are compared as one list, so nothing needs to be guessed.
 */
export function playInOrder(event: CaptureEvent, stage: Stage): void {
  switch (orderOf(event, event.kind !== 'command' || stage.commandsRun)) {
    case 'result':
      stage.record(event);
      break;
    case 'deferred':
    case 'note':
      stage.apply(event);
      break;
    case 'read':
    case 'after':
      stage.closeAction();
      stage.compare();
      stage.apply(event);
      break;
    case 'before':
      stage.closeAction();
      stage.apply(event);
      stage.closeAction();
      stage.compare();
      break;
    case 'open':
      stage.closeAction();
      stage.apply(event);
      break;
  }
}
