import type { LiveStep } from './recorder.ts';

/** A step in words, one line. */
export function stepText(step: LiveStep): string {
  switch (step.op) {
    case 'writeb':
    case 'writel':
    case 'writeq':
      return `${step.op} ${hex(step.address)} ${hex(step.value)}`;
    case 'readb':
    case 'readl':
    case 'readq':
      return `${step.op} ${hex(step.address)}`;
    case 'write':
      return `write ${hex(step.address)} ${contents(step.bytes, step.commands)}`;
    case 'memset':
      return `memset ${hex(step.address)} ${step.size} bytes of ${hex(step.value)}`;
    case 'read':
      return `read ${hex(step.address)} ${step.expect.length} bytes: ${step.what ?? ''}`;
    case 'msi':
      return `MSI of device ${hex(step.deviceId)}, event ${hex(step.eventId)}`;
    case 'spi_line':
      return `wire of SPI ${step.intid} ${step.level ? 'high' : 'low'}`;
    case 'ppi_line':
      return `wire of PPI ${step.intid} of PE ${step.cpu} ${step.level ? 'high' : 'low'}`;
    case 'sysreg_write':
      return `PE ${step.cpu} at EL${step.el}: ${step.register} = ${hex(step.value)}`;
    case 'sysreg_read':
      return `PE ${step.cpu} at EL${step.el}: read ${step.register}`;
    case 'outputs':
      return 'look at the interrupt outputs';
    case 'note':
      return step.text;
  }
}

function contents(bytes: Uint8Array, commands: readonly string[] | undefined): string {
  if (commands && commands.length > 0) return `commands ${commands.join(' | ')}`;
  const text = Buffer.from(bytes).toString('hex');
  return text.length > 64 ? `${bytes.length} bytes ${text.slice(0, 64)}...` : text;
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
