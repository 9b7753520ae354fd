/**
 * `NOT_INSTALLED`: there is no QEMU, or one too old. `ENDED`: QEMU went away. `TIMEOUT`: QEMU or one of its PEs did not
 * do what it was told in time. `REFUSED`: QEMU answered a command with an error. `EXCEPTION`: a PE took an exception
 * instead of accessing a system register.
 */
export type QemuErrorCode = 'NOT_INSTALLED' | 'ENDED' | 'TIMEOUT' | 'REFUSED' | 'EXCEPTION';

/** What is wrong with QEMU or the talk with it, as opposed to what its GIC does. */
export class QemuError extends Error {
  override readonly name = 'QemuError';
  readonly code: QemuErrorCode;

  constructor(code: QemuErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
