import type { ListRegister } from './list_register.ts';
import type { VcpuTimer } from './timer.ts';
import type { Vcpu } from './vcpu.ts';
import type { VirtualIrq } from './virtual_irq.ts';

function nameOf(intid: number): string {
  if (intid < 16) return `SGI ${intid}`;
  if (intid < 32) return `PPI ${intid}`;
  return intid < 8192 ? `SPI ${intid}` : `LPI ${intid}`;
}

function drawIrq(irq: VirtualIrq): string {
  const marks = [
    irq.pending ? 'pending' : '',
    irq.active ? 'active' : '',
    irq.enabled ? '' : 'disabled',
    irq.trigger === 'level' ? `line ${irq.lineLevel ? 'high' : 'low'}` : '',
    irq.hw ? `hw ${irq.hwIntid}` : '',
  ].filter((mark) => mark !== '');
  return `${nameOf(irq.intid).padEnd(10)} priority 0x${irq.priority.toString(16).padStart(2, '0')}  ${marks.join(', ')}`;
}

function drawListRegister(lr: ListRegister): string {
  const link = lr.hw ? `  hw ${lr.pIntid}` : lr.eoi ? '  tells its end' : '';
  return `LR${lr.index} ${nameOf(lr.vIntid).padEnd(10)} priority 0x${lr.priority.toString(16).padStart(2, '0')}  ${lr.state}${link}`;
}

function drawTimer({ name, masked, compare, line }: VcpuTimer): string {
  return `${name.padEnd(10)} at ${compare}, line ${line ? 'high' : 'low'}${masked ? ', masked' : ''}`;
}

function section(title: string, lines: readonly string[]): string[] {
  return [`  ${title}`, ...(lines.length ? lines : ['-']).map((line) => `    ${line}`)];
}

/** A vCPU's interrupt state in some lines of text. */
export function drawVcpu(vcpu: Vcpu): string {
  const { vpe, cpu } = vcpu;
  const where = cpu === undefined ? '' : ` on PE ${cpu}`;
  const lines = [`vCPU ${vcpu.index}: ${vcpu.state}${where}`];
  if (vpe) {
    const hints = [
      vpe.resident ? `resident on PE ${vpe.cpu}` : 'not resident',
      vpe.pendingLast ? 'PendingLast' : '',
      vpe.doorbell.masked ? 'doorbell masked' : 'doorbell armed',
    ];
    lines.push(`  vPE ${vpe.vpeId}: ${hints.filter((hint) => hint !== '').join(', ')}`);
  }
  lines.push(...section('timers', vcpu.timers.filter(({ enabled }) => enabled).map(drawTimer)));
  lines.push(...section('list', vcpu.apList.map(drawIrq)));
  lines.push(...section('list registers', vcpu.listRegisters.map(drawListRegister)));
  return lines.join('\n');
}
