import { describe, expect, it } from 'vitest';
import { eras, golden, scenario } from '../scenario.ts';
import { EVERY, operation } from './operation.ts';

const on = ['v4Proxy'] as const;

describe('the proxy device', () => {
  operation('map_locked: the next slot', {
    on,
    vpes: 2,
    before: (s) => s.vpe(0).doorbell.unmask(),
    run: (s) => s.vpe(1).doorbell.setPending(true),
    logs: [
      [
        on,
        EVERY,
        `
        ITS0: MAPTI d=0xffff e=1 p=db1 c=0; SYNC rd=0
        ITS0: INT d=0xffff e=1; SYNC rd=0`,
      ],
    ],
  });

  operation('map_locked of a vPE with a slot: nothing', {
    on,
    before: (s) => s.vpe().doorbell.unmask(),
    run: (s) => s.vpe().doorbell.setPending(true),
    logs: [[on, EVERY, 'ITS0: INT d=0xffff e=0; SYNC rd=0']],
  });

  operation('more vPEs than slots: the victim is discarded where its event is', {
    on,
    vpes: 5,
    before: (s) => {
      for (const { doorbell } of s.vm.vpes.slice(0, 4)) doorbell.unmask();
      s.vpe(0).doorbell.setAffinity(3);
      s.vpe(4).doorbell.setAffinity(1);
    },
    run: (s) => [s.vpe(0).doorbell.unmask(), s.vpe(1).doorbell.mask()],
    logs: [
      [
        on,
        EVERY,
        `
        PCFG[db0]=0xa3
        ITS0: DISCARD d=0xffff e=1; SYNC rd=0
        ITS0: MAPTI d=0xffff e=1 p=db0 c=3; SYNC rd=3
        ITS0: INV d=0xffff e=1; SYNC rd=3
        PCFG[db1]=0xa2
        ITS0: DISCARD d=0xffff e=2; SYNC rd=0
        ITS0: MAPTI d=0xffff e=2 p=db1 c=0; SYNC rd=0
        ITS0: INV d=0xffff e=2; SYNC rd=0`,
      ],
    ],
  });

  operation('move of a vPE without slot', {
    on,
    run: (s) => s.vpe().doorbell.setAffinity(2),
    logs: [
      [
        on,
        EVERY,
        `
        ITS0: VMOVP vpe=0 rd=2 seq=0 list=0x0 DB=0 default=0; VSYNC vpe=0
        ITS0: MAPTI d=0xffff e=0 p=db0 c=2; SYNC rd=2
        ITS0: MOVI d=0xffff e=0 c=2; SYNC rd=2`,
      ],
    ],
  });

  operation('move of a vPE with a slot', {
    on,
    before: (s) => s.vpe().doorbell.unmask(),
    run: (s) => [s.vpe().doorbell.setAffinity(2), s.vpe().doorbell.mask()],
    logs: [
      [
        on,
        EVERY,
        `
        ITS0: VMOVP vpe=0 rd=2 seq=0 list=0x0 DB=0 default=0; VSYNC vpe=0
        ITS0: MOVI d=0xffff e=0 c=2; SYNC rd=0
        PCFG[db0]=0xa2
        ITS0: INV d=0xffff e=0; SYNC rd=2`,
      ],
    ],
  });

  operation('a device with the DeviceID of the proxy device', {
    on,
    run: (s) => s.system.chip.createDevice({ deviceId: 0xffff, events: 2 }),
    logs: [[on, EVERY, '-> EINVAL']],
  });

  for (const kvm of eras) {
    it(`unmap_locked: a slot that is given back is the next to be taken, where the next one is not free: ${kvm}`, async () => {
      const s = await scenario('v4Proxy', kvm, { vpes: 2 });
      const other = s.system.vm(2);
      for (const { doorbell } of [...s.vm.vpes, ...other.vpes]) doorbell.unmask();
      for (const { doorbell } of other.vpes) doorbell.deactivate();
      expect(s.trace(() => other.free())).toEqual(
        golden(`
          ITS0: DISCARD d=0xffff e=2; SYNC rd=0
          ITS0: DISCARD d=0xffff e=3; SYNC rd=0
        `),
      );
      const third = s.system.vm(1);
      s.names.set(third.vpes[0]?.doorbell.intid ?? 0, 'db');
      expect(s.trace(() => third.vpes[0]?.doorbell.setPending(true))).toEqual(
        golden(`
          ITS0: MAPTI d=0xffff e=2 p=db c=0; SYNC rd=0
          ITS0: INT d=0xffff e=2; SYNC rd=0
        `),
      );
    });
  }
});
