import { FuzzFault } from '../../assembly/fuzz/abi.ts';

/** How an input failed. */
export type FailureKind =
  /** The engine trapped: an access outside of what it may touch, or an assertion. */
  | 'trap'
  /** The engine does not come to an end. */
  | 'hang'
  /** The same input from the same state led to another state. */
  | 'not-deterministic'
  /** Going back to the kept state did not bring it back. */
  | 'not-restored'
  | FaultKind;

/** What the oracles in the fuzz build find. */
export type FaultKind = 'ledger' | 'index' | 'output' | 'list-registers' | 'counters' | 'outcome' | 'stray';

const faults: Readonly<Record<number, readonly [FaultKind, string]>> = {
  [FuzzFault.LEDGER]: [
    'ledger',
    'a pending interrupt appeared, disappeared or was delivered without a reason',
  ],
  [FuzzFault.INDEX]: ['index', 'the index is not what pending tables and cached configuration make it'],
  [FuzzFault.OUTPUT]: ['output', 'a PE presents something worse than its best pending interrupt, or nothing'],
  [FuzzFault.LIST_REGISTERS]: ['list-registers', 'the status of list registers does not follow from them'],
  [FuzzFault.COUNTERS]: ['counters', 'MSIs and what is counted of them do not add up'],
  [FuzzFault.OUTCOME]: ['outcome', 'an MSI is said to be pending and is not'],
  [FuzzFault.STRAY]: ['stray', "the engine wrote to memory that is not the machine's"],
};

/** An input showed a defect of the engine. */
export class FuzzFailure extends Error {
  override readonly name = 'FuzzFailure';

  /**
   * @param kind what was found
   * @param operation number of the operation after which it showed; of operations, where all had been performed
   */
  constructor(
    readonly kind: FailureKind,
    readonly operation: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`${kind} at operation ${operation}: ${message}`, options);
  }
}

/** The failure of an oracle's finding. */
export function failureOf(fault: number, operation: number): FuzzFailure {
  const found = faults[fault];
  if (!found) throw new Error(`the fuzz build found ${fault}, which has no name`);
  return new FuzzFailure(found[0], operation, found[1]);
}
