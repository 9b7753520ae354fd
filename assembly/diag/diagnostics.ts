import { Diagnostic, Event } from '../abi';
import { Machine, machine } from '../memory/machine';
import { emit } from './events';
import { publishCount } from './ring';

/** One thing that software or a device did and that an engineer would want to know about. */
@unmanaged
export class DiagnosticRecord {
  code: u32;
  /** The PE or ITS that it happened at. */
  unit: u32;
  /** Operands; what they are depends on the code. */
  a: u32;
  b: u32;
  c: u32;
  d: u32;
}

/** Adds a record to the ring. The oldest record gives way when the ring is full; the count stays exact. */
export function report(code: Diagnostic, unit: u32, a: u32 = 0, b: u32 = 0, c: u32 = 0, d: u32 = 0): void {
  const m = machine();
  const slot = m.diagnosticCount % m.diagnosticCapacity;
  const record = changetype<DiagnosticRecord>(m.diagnostics + <usize>slot * offsetof<DiagnosticRecord>());
  record.code = code;
  record.unit = unit;
  record.a = a;
  record.b = b;
  record.c = c;
  record.d = d;
  publishCount(changetype<usize>(m) + offsetof<Machine>('diagnosticCount'), m.diagnosticCount + 1);
  emit(Event.DIAGNOSTIC, unit, code);
}
