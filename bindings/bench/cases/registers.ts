import type { GicHardware } from '../../hardware.ts';
import type { BenchCase } from '../case.ts';
import { expectEqual } from '../check.ts';
import { Rig } from '../rig.ts';

const readEnable: BenchCase = {
  name: 'read GICD_ISENABLER1',
  needs: 'GICv3',
  prepare(make, batch) {
    const rig = new Rig(make);
    const { gic } = rig;
    const address = rig.gicd('GICD_ISENABLER1');
    const enabled = 0x5a5a;
    gic.write(address, 4, enabled);
    let sum = 0;
    return {
      ops: batch,
      run() {
        sum = 0;
        for (let n = 0; n < batch; n++) sum += gic.read(address, 4);
      },
      verify: () => expectEqual('sum of what was read', sum, enabled * batch),
    };
  },
};

/** SPIs enabled and disabled again, one by one. */
const writeEnable: BenchCase = {
  name: 'write GICD_ISENABLER1 and GICD_ICENABLER1 in turn',
  needs: 'GICv3',
  prepare(make, batch) {
    const rig = new Rig(make);
    const { gic } = rig;
    const enable = rig.gicd('GICD_ISENABLER1');
    const disable = rig.gicd('GICD_ICENABLER1');
    const pairs = Math.floor(batch / 2);
    return {
      ops: 2 * pairs,
      run() {
        for (let n = 0; n < pairs; n++) {
          const bit = (1 << (n & 31)) >>> 0;
          gic.write(enable, 4, bit);
          gic.write(disable, 4, bit);
        }
      },
      verify() {
        expectEqual('GICD_ISENABLER1', gic.read(enable, 4), 0);
        gic.write(enable, 4, 0xff);
        expectEqual('GICD_ISENABLER1 with SPIs enabled', gic.read(enable, 4), 0xff);
        gic.write(disable, 4, 0xff);
      },
    };
  },
};

const readCreadr: BenchCase = {
  name: 'read GITS_CREADR',
  needs: 'GICv3',
  prepare(make, batch) {
    const rig = new Rig(make);
    const { gic } = rig;
    const address = rig.gits('GITS_CREADR');
    const commands = 5;
    rig.execute(Array.from({ length: commands }, () => ({ command: 'SYNC', rdBase: 0 }) as const));
    let same = 0;
    return {
      ops: batch,
      run() {
        same = 0;
        for (let n = 0; n < batch; n++) if (gic.read(address, 8) === BigInt(commands * 32)) same++;
      },
      verify: () => expectEqual('reads that gave the offset', same, batch),
    };
  },
};

const creation: BenchCase = {
  name: 'machine with 8 CPUs and 1 GiB of RAM made',
  needs: 'GICv3',
  prepare(make) {
    const ram = { base: 0x8000_0000, size: 2 ** 30 };
    let last: GicHardware | undefined;
    return {
      ops: 1,
      run() {
        last = make({ cpus: 8, ram });
      },
      verify() {
        expectEqual('PEs', last?.cpus, 8);
        const end = ram.base + ram.size - 4;
        last?.write(end, 4, 1);
        expectEqual('last word of RAM', last?.read(end, 4), 1);
      },
    };
  },
};

export const registerCases: readonly BenchCase[] = [readEnable, writeEnable, readCreadr, creation];
