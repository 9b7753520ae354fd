import { describe, expect, it } from 'vitest';
import { createMachine } from '../../bindings/create_machine.ts';
import type { VirtualOutputs } from '../../bindings/hardware.ts';
import { Frames } from '../../bindings/replay/frames.ts';
import { modelState } from '../../bindings/replay/model_state.ts';
import { replayFile } from '../../bindings/replay/replay.ts';
import type { ReplayReport } from '../../bindings/replay/report.ts';
import { reportLines } from '../../bindings/replay/report_text.ts';
import { capture, distRead, FakeGic, hppi, machine, ppi, replay, wire } from './fake_gic.ts';
import { temporaryFile } from './temporary_file.ts';

const icc = (reg: string, val: string): object => ({ dev: 'cpuif', cpu: 0, op: 'w', reg, val });
const ich = (reg: string, val: string, op: 'r' | 'w' = 'w'): object => ({ dev: 'ich', cpu: 0, op, reg, val });
const gits = (op: 'r' | 'w', off: string, val: string): object => ({ dev: 'its', op, off, size: 8, val });
const dist = (off: string, val: string): object => ({ dev: 'dist', op: 'w', off, size: 4, val });
const redist = (off: string, val: string): object => ({ dev: 'redist', cpu: 0, op: 'w', off, size: 4, val });

/** Group 1 is on, and PPI 27 of priority 0xa0 is enabled at PE 0. */
const setUp = [
  dist('0x0', '0x12'),
  redist('0x14', '0x0'),
  redist('0x10080', '0xffffffff'),
  redist('0x10418', '0xa0000000'),
  redist('0x10100', '0x8000000'),
  icc('ICC_PMR', '0xf8'),
  icc('ICC_IGRPEN1', '0x1'),
];
/** List register 1 holds pending vINTID 34 of Group 1, which the interface of the guest lets through. */
const guest = [
  ich('ICH_HCR_EL2', '0x1'),
  ich('ICH_VMCR_EL2', '0xf8000002'),
  ich('ICH_LR1_EL2', '0x50a0000000000022'),
];

async function replayOnEngine(...lines: object[]): Promise<ReplayReport> {
  const text = lines.map((line, index) => JSON.stringify({ t: index, ...line })).join('\n');
  return replayFile(temporaryFile('state.jsonl', text), { machine: { architecture: 'GICv4.0', cpus: 2 } });
}

describe('the state of the model at a mismatch', () => {
  it('is that of the CPU interface, where no virtual interface is in use', async () => {
    const report = await replayOnEngine(...setUp, ppi(0, 27, 1), hppi(0, 28), wire(0, 1), distRead(8, 0));
    const wrong = report.firstMismatches.find(({ kind }) => kind === 'pending');
    expect(wrong?.state).toEqual([
      'ICC_PMR_EL1 0xf8, ICC_RPR_EL1 0xff, ICC_IGRPEN0_EL1 0x0, ICC_IGRPEN1_EL1 0x1, ICC_AP1R0_EL1 0x0',
      'highest pending: INTID 27, priority 0xa0, Group 1; FIQ 0 IRQ 1',
    ]);
  });

  it('has the virtual interface in use, with list registers that are not empty', async () => {
    const report = await replayOnEngine(...setUp, ...guest, ich('ICH_HCR_EL2', '0x3', 'r'));
    const wrong = report.firstMismatches.find(({ kind }) => kind === 'ICH');
    expect(wrong?.state.slice(1)).toEqual([
      'highest pending: nothing pending; FIQ 0 IRQ 0',
      expect.stringMatching(/^ICH_HCR_EL2 0x1, ICH_VMCR_EL2 0xf8[0-9a-f]{6}$/),
      'ICH_LR1_EL2 0x50a0000000000022',
      'winner list register 1; no VLPI pending; vFIQ 0 vIRQ 1 maintenance 0',
    ]);
  });

  it('names VLPIs, vSGIs and nothing as winner', () => {
    class Guest extends FakeGic {
      constructor(readonly outputs: VirtualOutputs) {
        super();
      }
      virtualOutputs(): VirtualOutputs {
        return this.outputs;
      }
      override readSystemRegister(cpu: number, name: string): bigint {
        if (name === 'ICH_ELRSR_EL2') return 0xffffn;
        return name === 'ICH_HCR_EL2' ? 1n : super.readSystemRegister(cpu, name);
      }
    }
    const idle = { winner: undefined, bestVlpi: undefined, virq: false, vfiq: false, maintenance: true };
    const winnerLine = (outputs: Partial<VirtualOutputs>): string | undefined =>
      modelState(new Frames(new Guest({ ...idle, ...outputs }), machine), 0).at(-1);
    expect(winnerLine({})).toBe('no virtual winner; no VLPI pending; vFIQ 0 vIRQ 0 maintenance 1');
    expect(winnerLine({ winner: 'vsgi' })).toMatch(/^winner a vSGI; /);
    expect(winnerLine({ winner: 'vlpi', bestVlpi: { vIntid: 8196, priority: 0x80 } })).toMatch(
      /^winner the VLPI; best VLPI 8196, priority 0x80; /,
    );
  });

  it('is that of the ITS where no PE is concerned', async () => {
    const report = await replayOnEngine(
      gits('w', '0x80', '0x8000000044220000'),
      gits('w', '0x88', '0x40'),
      gits('r', '0x88', '0x60'),
    );
    expect(report.firstMismatches).toMatchObject([
      { kind: 'GITS', state: ['GITS_CTLR 0x80000000, GITS_CREADR 0x0, GITS_CWRITER 0x40'] },
    ]);
  });

  it('does without what a model lacks: an ITS, a virtual interface', () => {
    const events = capture(distRead(0, 1), ppi(1, 27, 1), distRead(0, 0));
    const { mismatches } = replay(new FakeGic(), events);
    expect(mismatches[0]).toMatchObject({ kind: 'GICD', state: [] });
    expect(mismatches[1]?.state).toHaveLength(2);
  });

  it('stands below the events in the report', async () => {
    const report = await replayOnEngine(...setUp, ich('ICH_VMCR_EL2', '0x12345678', 'r'));
    const lines = reportLines(report);
    const at = lines.findIndex((line) => line.includes('model: ICC_PMR_EL1 0xf8, '));
    expect(lines[at - 1]).toContain(`${setUp.length + 1}: CPU 0 reads ICH_VMCR_EL2`);
    expect(lines[at + 1]).toContain('model: highest pending: nothing pending; FIQ 0 IRQ 0');
  });

  it('is looked at without a trace', async () => {
    const config = { ...machine, architecture: 'GICv4.0', itsCount: 1 } as const;
    const gic = await createMachine(config);
    const frames = new Frames(gic, config);
    gic.writeSystemRegister(0, 'ICH_HCR_EL2', 1);
    gic.writeSystemRegister(0, 'ICH_VMCR_EL2', 0xf800_0002);
    gic.writeSystemRegister(0, 'ICH_LR1_EL2', 0x50a0_0000_0000_0022n);
    gic.recordEvents(true);
    gic.takeDiagnostics();
    gic.takeChangedCpus();
    const before = new Uint8Array(gic.memory.buffer).slice();
    const first = [modelState(frames, 0), modelState(frames, undefined)];
    expect([modelState(frames, 0), modelState(frames, undefined)]).toEqual(first);
    expect(gic.takeDiagnostics()).toEqual([]);
    expect(gic.takeEvents()).toEqual([]);
    expect(gic.takeChangedCpus()).toEqual([]);
    expect(differingBytes(before, new Uint8Array(gic.memory.buffer))).toBeLessThanOrEqual(RESULT_HIGH_BYTES);
  });
});

/** Where the engine returns the upper half of a value. */
const RESULT_HIGH_BYTES = 4;

function differingBytes(before: Uint8Array, after: Uint8Array): number {
  return before.reduce((count, byte, index) => count + Number(byte !== after[index]), 0);
}
