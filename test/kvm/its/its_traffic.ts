import fc from 'fast-check';
import { expect } from 'vitest';
import type { AssignedInterrupt, DeviceIrq, ItsCommand } from '../../../bindings/index.ts';
import type { GuestIts } from '../guest_its.ts';

const GUEST_DEVICES = [3, 4];
const EVENTS = 6;
const LPIS = 8;
const FIRST = 8200;
const COLLECTIONS = 4;
const HOST_DEVICE = 0x10;

/** One thing that a guest, its user space or a device does. */
export type ItsAction =
  | { readonly kind: 'command'; readonly command: ItsCommand }
  | { readonly kind: 'msi'; readonly device: number; readonly event: number }
  | { readonly kind: 'property'; readonly lpi: number; readonly byte: number }
  | { readonly kind: 'lpis'; readonly vcpu: number; readonly on: boolean }
  | { readonly kind: 'its'; readonly on: boolean }
  | { readonly kind: 'assign'; readonly irq: number; readonly on: boolean }
  | { readonly kind: 'reroute'; readonly irq: number; readonly device: number; readonly event: number }
  | { readonly kind: 'device'; readonly irq: number }
  | { readonly kind: 'run'; readonly vcpu: number; readonly cpu: number }
  | { readonly kind: 'stop'; readonly vcpu: number }
  | { readonly kind: 'ack'; readonly vcpu: number }
  | { readonly kind: 'exit'; readonly vcpu: number };

const deviceId = fc.constantFrom(...GUEST_DEVICES);
const eventId = fc.nat(EVENTS);
const icid = fc.nat(COLLECTIONS - 1);
const rdBase = fc.nat(2);
const pIntid = fc.integer({ min: FIRST, max: FIRST + LPIS - 1 });
const vcpu = fc.nat(1);
const irq = fc.nat(EVENTS - 1);

const mapping: fc.Arbitrary<ItsCommand> = fc.record({
  command: fc.constant('MAPTI' as const),
  deviceId,
  eventId,
  pIntid,
  icid,
});

const command: fc.Arbitrary<ItsCommand> = fc.oneof(
  { arbitrary: mapping, weight: 6 },
  fc.record({
    command: fc.constant('MAPD' as const),
    deviceId,
    size: fc.constant(2),
    ittAddress: fc.constantFrom(0x4020_0000, 0x4020_1000),
    valid: fc.boolean(),
  }),
  fc.record({ command: fc.constant('MAPC' as const), icid, rdBase, valid: fc.nat(4).map((n) => n > 0) }),
  fc.record({ command: fc.constant('MOVI' as const), deviceId, eventId, icid }),
  fc.record({ command: fc.constant('MOVALL' as const), rdBase1: rdBase, rdBase2: rdBase }),
  fc.record({
    command: fc.constantFrom('DISCARD' as const, 'INT' as const, 'CLEAR' as const),
    deviceId,
    eventId,
  }),
  fc.record({ command: fc.constant('INV' as const), deviceId, eventId }),
  fc.record({ command: fc.constant('INVALL' as const), icid }),
);

export const itsAction: fc.Arbitrary<ItsAction> = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant('command' as const), command }), weight: 8 },
  {
    arbitrary: fc.record({ kind: fc.constant('msi' as const), device: deviceId, event: eventId }),
    weight: 4,
  },
  fc.record({ kind: fc.constant('property' as const), lpi: pIntid, byte: fc.nat(255) }),
  fc.record({ kind: fc.constant('lpis' as const), vcpu, on: fc.nat(3).map((n) => n > 0) }),
  fc.record({ kind: fc.constant('its' as const), on: fc.nat(3).map((n) => n > 0) }),
  {
    arbitrary: fc.record({ kind: fc.constant('assign' as const), irq, on: fc.nat(3).map((n) => n > 0) }),
    weight: 3,
  },
  fc.record({ kind: fc.constant('reroute' as const), irq, device: deviceId, event: eventId }),
  { arbitrary: fc.record({ kind: fc.constant('device' as const), irq }), weight: 2 },
  fc.record({ kind: fc.constant('run' as const), vcpu, cpu: fc.nat(3) }),
  fc.record({ kind: fc.constant('stop' as const), vcpu }),
  { arbitrary: fc.record({ kind: fc.constant('ack' as const), vcpu }), weight: 2 },
  fc.record({ kind: fc.constant('exit' as const), vcpu }),
);

/** A guest with a host device of which each event is assigned, that takes any action; and what must always hold. */
export class ItsTraffic {
  readonly #guest: GuestIts;
  readonly #irqs: readonly DeviceIrq[];
  readonly #assigned: readonly AssignedInterrupt[];
  /** Property bytes that the guest has told to look at since they changed, by LPI. */
  readonly #told = new Map<number, number>();

  /** Forwarding an LPI writes its property byte, which the driver of 2017 left to the next INV. */
  readonly #writesAtMap: boolean;

  constructor(guest: GuestIts, writesAtMap = true) {
    this.#guest = guest;
    this.#writesAtMap = writesAtMap;
    for (const device of GUEST_DEVICES) guest.mapDevice(device, 3);
    this.#irqs = guest.hostDevice(HOST_DEVICE).irqs.slice(0, EVENTS);
    this.#assigned = this.#irqs.map((each, n) => guest.assign(each, GUEST_DEVICES[0] as number, n));
    for (const each of this.#irqs) {
      each.activate(0);
      each.unmask();
    }
    for (const { index } of guest.vm.vcpus) {
      const { guest: code } = guest.vm.vcpus[index]!.run(index);
      code.writeRegister('ICC_PMR_EL1', 0xf8);
      code.writeRegister('ICC_IGRPEN1_EL1', 1);
    }
  }

  act(action: ItsAction): void {
    const { its, chip, kvm } = this.#guest;
    switch (action.kind) {
      case 'command':
        if (its.read('GITS_CTLR') !== 0x8000_0001) return;
        its.command(action.command);
        this.#tell(action.command);
        break;
      case 'msi':
        this.#guest.msi(action.device, action.event);
        break;
      case 'property':
        this.#guest.setProperty(action.lpi, action.byte);
        this.#told.delete(action.lpi);
        break;
      case 'lpis':
        this.#guest.enableLpis(action.vcpu, action.on);
        break;
      case 'its':
        its.write('GITS_CTLR', action.on ? 1 : 0);
        break;
      case 'assign':
        if (action.on) this.#assigned[action.irq]!.irqfd.addProducer(this.#irqs[action.irq]!);
        else this.#assigned[action.irq]!.irqfd.removeProducer();
        break;
      case 'reroute':
        this.#assigned[action.irq]!.reroute({
          address: its.translater,
          data: action.event,
          deviceId: action.device,
        });
        break;
      case 'device':
        chip.machine.sendMsi(HOST_DEVICE, action.irq);
        kvm.serve();
        break;
      default:
        this.#move(action);
    }
  }

  #move(action: ItsAction & { readonly kind: 'run' | 'stop' | 'ack' | 'exit' }): void {
    const { vm } = this.#guest;
    const target = vm.vcpus[action.vcpu]!;
    if (action.kind === 'run') {
      const free = vm.vcpus.every(({ cpu }) => cpu !== action.cpu);
      if (target.state === 'outside' && free) target.run(action.cpu);
      return;
    }
    if (target.state !== 'in-guest') return;
    if (action.kind === 'stop') target.stop();
    else if (action.kind === 'exit') target.guest.hvc();
    else {
      const intid = target.guest.ack();
      if (intid < 1020 || intid >= 8192) target.guest.eoi(intid);
    }
  }

  /** INV and INVALL: from now on the byte counts. */
  #tell(given: ItsCommand): void {
    const { its, vm } = this.#guest;
    const tell = (intid: number) =>
      this.#told.set(intid, vm.memory(0x4003_0000 + intid - 8192, 1)[0] as number);
    if (given.command === 'INV') {
      const event = its.event(given.deviceId, given.eventId);
      if (event) tell(event.intid);
    } else if (given.command === 'INVALL' && its.lastOutcome === 'DONE') {
      const target = its.collection(given.icid);
      for (const intid of this.#lpis()) if (vm.lpi(intid)?.target === target) tell(intid);
    }
  }

  #lpis(): number[] {
    return Array.from({ length: LPIS }, (_, n) => FIRST + n).filter((intid) => this.#guest.vm.lpi(intid));
  }

  /** The invariants, by their names. */
  check(): void {
    for (const intid of this.#told.keys()) {
      const irq = this.#guest.vm.lpi(intid);
      if (!irq || !(irq.hw || this.#writesAtMap)) this.#told.delete(intid);
    }
    this.#checkReferences();
    this.#checkForwarding();
    const { its } = this.#guest;
    if (its.read('GITS_CTLR') !== 0 && its.read('GITS_CTLR') !== 0x8000_0000) {
      expect(its.read('GITS_CREADR'), 'I10').toBe(its.read('GITS_CWRITER'));
    }
  }

  /** I9: the references of an LPI are its events, its cached translations and the list. */
  #checkReferences(): void {
    const { its, vm } = this.#guest;
    const events = new Map<number, number>();
    for (const device of GUEST_DEVICES) {
      for (let event = 0; event <= EVENTS; event++) {
        const intid = its.event(device, event)?.intid;
        if (intid !== undefined) events.set(intid, (events.get(intid) ?? 0) + 1);
      }
    }
    let cached = 0;
    for (const intid of this.#lpis()) {
      const irq = this.#guest.lpi(intid);
      const others = (events.get(intid) ?? 0) + (irq.onListOf === undefined ? 0 : 1);
      expect(irq.references, `I9: LPI ${intid}`).toBeGreaterThanOrEqual(others);
      cached += irq.references - others;
      events.delete(intid);
    }
    expect(cached, 'I9: cached translations').toBe(its.cache.entries);
    expect([...events], 'I9: an event whose LPI is gone').toEqual([]);
    // I5
    for (const { index, apList } of vm.vcpus)
      for (const irq of apList) expect(irq.onListOf, 'I5').toBe(index);
  }

  #checkForwarding(): void {
    const { vm, chip } = this.#guest;
    const { engine } = chip.machine;
    const forwarded = this.#lpis().filter((intid) => this.#guest.lpi(intid).hw);
    for (const { index, number } of vm.vcpus) {
      const targeting = forwarded.filter((intid) => this.#guest.lpi(intid).target === index);
      expect(engine.kvmVlpis(number), `I4: vCPU ${index}`).toBe(targeting.length);
    }
    const maps = this.#irqs.flatMap((each, n) => {
      const map = each.getVlpi();
      this.#checkRow(n, map?.vIntid);
      return map ? [map] : [];
    });
    expect(maps.map(({ vIntid }) => vIntid).sort(), 'I4: VLPIs of the host').toEqual(forwarded);
    for (const { vIntid, vpe } of maps) {
      expect(vpe.index, "a VLPI is of its target's vPE").toBe(
        vm.vcpus[this.#guest.lpi(vIntid).target ?? -1]?.vpe?.index,
      );
      const told = this.#told.get(vIntid);
      if (told !== undefined) expect(this.#virtualByte(vIntid), `I11: VLPI ${vIntid}`).toBe(told | 2);
    }
  }

  /** I1: the host's ITS has the event as an LPI or as a VLPI, whichever the driver says. */
  #checkRow(event: number, vIntid: number | undefined): void {
    const { chip } = this.#guest;
    const entry = chip.machine.interruptEntry(0, HOST_DEVICE, event);
    const irq = this.#irqs[event]!;
    if (vIntid === undefined) expect(entry, 'I1').toMatchObject({ kind: 'physical', pIntid: irq.intid });
    else expect(entry, 'I1').toMatchObject({ kind: 'virtual', vIntid });
  }

  #virtualByte(vIntid: number): number {
    const { machine } = this.#guest.chip;
    return machine.ram(machine.engine.irqchipVmTable(0) + vIntid - 8192, 1)[0] as number;
  }
}
