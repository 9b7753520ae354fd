import type { MachineOptions } from '../config.ts';
import type { MakeGic } from './case.ts';
import { DEVICE, FIRST_LPI, perEvent, Rig } from './rig.ts';

const VALID = 1n << 63n;
/** GICR_VPENDBASER.PendingLast, which is written as one when a vPE is made resident. */
const PENDING_LAST = 1n << 61n;
const SPURIOUS = 1023;
/** A doorbell that rings nowhere. */
export const NO_DOORBELL = 1023;

/** A vPE that is mapped, with its virtual pending table. */
export class Vpe {
  readonly pendingTable: number;
  readonly #rig: VirtualRig;
  readonly #propbaser: { readonly address: number; readonly value: bigint };
  readonly #pendbaser: { readonly address: number; readonly in: bigint; readonly out: bigint };

  constructor(
    rig: VirtualRig,
    readonly id: number,
    readonly cpu: number,
  ) {
    const { intidBits } = rig.config;
    const size = intidBits - 1;
    this.#rig = rig;
    this.pendingTable = rig.newPendingTable();
    this.#propbaser = {
      address: rig.gicr(cpu, 'GICR_VPROPBASER'),
      value: BigInt(rig.virtualConfigTable + size),
    };
    const table = BigInt(this.pendingTable);
    this.#pendbaser = {
      address: rig.gicr(cpu, 'GICR_VPENDBASER'),
      in: VALID | PENDING_LAST | table,
      out: table,
    };
    rig.execute([
      {
        command: 'VMAPP',
        layout: '4.0',
        vpeId: id,
        rdBase: cpu,
        vptSize: size,
        vptAddress: this.pendingTable,
        valid: true,
      },
    ]);
  }

  /** Makes the vPE resident on the PE that it is mapped to. */
  scheduleIn(): void {
    this.#rig.gic.write(this.#propbaser.address, 8, this.#propbaser.value);
    this.#rig.gic.write(this.#pendbaser.address, 8, this.#pendbaser.in);
  }

  /** Ends the residency; tells GICR_VPENDBASER.PendingLast. */
  scheduleOut(): boolean {
    this.#rig.gic.write(this.#pendbaser.address, 8, this.#pendbaser.out);
    return (this.#rig.gic.read(this.#pendbaser.address, 8) & PENDING_LAST) !== 0n;
  }

  /** The guest acknowledges and completes its best interrupt; 1023 if there is none. */
  take(): number {
    const { gic } = this.#rig;
    const intid = Number(gic.readSystemRegister(this.cpu, 'ICV_IAR1_EL1'));
    if (intid !== SPURIOUS) gic.writeSystemRegister(this.cpu, 'ICV_EOIR1_EL1', intid);
    return intid;
  }

  /** The guest takes all its interrupts; how many it were. */
  takeAll(): number {
    let taken = 0;
    while (this.take() !== SPURIOUS) taken++;
    return taken;
  }
}

/** A `Rig` with GICv4.0 whose virtual CPU interfaces are open to Group 1. */
export class VirtualRig extends Rig {
  /** The configuration table of the one VM. */
  readonly virtualConfigTable: number;

  constructor(make: MakeGic, options: MachineOptions = {}) {
    super(make, { architecture: 'GICv4.0', ...options });
    this.virtualConfigTable = this.newConfigTable();
    for (let cpu = 0; cpu < this.config.cpus; cpu++) {
      this.gic.writeSystemRegister(cpu, 'ICH_HCR_EL2', 1);
      this.gic.writeSystemRegister(cpu, 'ICV_PMR_EL1', 0xff);
      this.gic.writeSystemRegister(cpu, 'ICV_IGRPEN1_EL1', 1);
    }
  }

  /** Maps events 0 to `count - 1` of DEVICE, in turn, to the VLPIs from 8192 on of a vPE. */
  mapVlpis(count: number, vpe: Vpe, doorbell: (eventId: number) => number = () => NO_DOORBELL): void {
    this.mapDevice(DEVICE);
    this.execute(
      perEvent(count, (eventId) => ({
        command: 'VMAPTI',
        deviceId: DEVICE,
        eventId,
        vpeId: vpe.id,
        vIntid: FIRST_LPI + eventId,
        doorbell: doorbell(eventId),
      })),
    );
  }
}
