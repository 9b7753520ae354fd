import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DriverAction, ItsCommand, KernelEra } from '../../../bindings/index.ts';
import { type AnySystem, eras, moreSystems, scenario } from '../scenario.ts';
import { randomSteps, runRandomly } from './random_operations.ts';

const names = Object.keys(moreSystems) as AnySystem[];

/** What an event is mapped to: a collection, which is that of a PE, and while it is a VLPI a vPE. */
interface Mapping {
  collection: number;
  vpeId?: number | undefined;
}

/** Follows the commands of one ITS, and tells of each which sync command must follow. */
class SyncRule {
  readonly #events = new Map<string, Mapping>();

  constructor(readonly kvm: KernelEra) {}

  /** The command that must follow; undefined where none may. */
  after(command: ItsCommand): string | undefined {
    switch (command.command) {
      case 'MAPD':
        return undefined;
      // Since 5.16 with a SYNC.
      case 'INVALL':
        return this.kvm === '2017' ? undefined : `SYNC ${command.icid}`;
      case 'MAPC':
        return `SYNC ${command.icid}`;
      case 'MAPTI':
        this.#events.set(key(command), { collection: command.icid });
        return `SYNC ${command.icid}`;
      case 'MOVI':
        return this.#move(command.icid, this.#mapping(command));
      case 'VMAPTI':
      case 'VMOVI':
        this.#mapping(command).vpeId = command.vpeId;
        return `VSYNC ${command.vpeId}`;
      case 'DISCARD':
        return this.#discard(command);
      case 'INV':
      case 'INT':
      case 'CLEAR':
        return this.#onEvent(this.#mapping(command));
      case 'VMAPP':
        return !command.valid && command.layout === '4.1' ? undefined : `VSYNC ${command.vpeId}`;
      case 'VMOVP':
      case 'VINVALL':
      case 'INVDB':
      case 'VSGI':
        return `VSYNC ${command.vpeId}`;
      default:
        throw new Error(`the driver never sends ${command.command}`);
    }
  }

  #mapping(event: { deviceId: number; eventId: number }): Mapping {
    const mapping = this.#events.get(key(event));
    if (!mapping) throw new Error(`event ${key(event)} is not mapped`);
    return mapping;
  }

  #move(to: number, mapping: Mapping): string {
    const from = mapping.collection;
    mapping.collection = to;
    return `SYNC ${from}`;
  }

  /** The event keeps its physical collection: it is unmapped only to be mapped otherwise, or for good. */
  #discard(event: { deviceId: number; eventId: number }): string {
    const mapping = this.#mapping(event);
    mapping.vpeId = undefined;
    return `SYNC ${mapping.collection}`;
  }

  #onEvent({ collection, vpeId }: Mapping): string {
    return vpeId === undefined || this.kvm === '2017' ? `SYNC ${collection}` : `VSYNC ${vpeId}`;
  }
}

const key = ({ deviceId, eventId }: { deviceId: number; eventId: number }) => `${deviceId}/${eventId}`;

/** A sync command as text; undefined for any other. */
function syncOf(command: ItsCommand): string | undefined {
  if (command.command === 'SYNC') return `SYNC ${command.rdBase}`;
  return command.command === 'VSYNC' ? `VSYNC ${command.vpeId}` : undefined;
}

/** Checks that each command of a log has the sync command that belongs to it behind it, and no sync is without one. */
function check(log: readonly DriverAction[], kvm: KernelEra): number {
  const rules = new Map<number, SyncRule>();
  const awaited = new Map<number, string>();
  let commands = 0;
  for (const action of log) {
    if (action.kind !== 'command') continue;
    const { its, command } = action;
    const sync = syncOf(command);
    expect(sync, `ITS${its}: ${action.text}`).toBe(awaited.get(its));
    awaited.delete(its);
    if (sync) continue;
    commands++;
    const rule = rules.get(its) ?? new SyncRule(kvm);
    rules.set(its, rule);
    const next = rule.after(command);
    if (next) awaited.set(its, next);
  }
  expect([...awaited]).toEqual([]);
  return commands;
}

describe('33: basic documentation', () => {
  for (const name of names) {
    for (const kvm of eras) {
      it(`whatever is done, each command has its sync command behind it: ${name}, ${kvm}`, async () => {
        let commands = 0;
        await fc.assert(
          fc.asyncProperty(randomSteps, async (list) => {
            commands += check(await runRandomly(name, kvm, list), kvm);
          }),
          { numRuns: 15, seed: 59 },
        );
        expect(commands).toBeGreaterThan(200);
      });
    }
  }

  it('the physical collection of an event that was moved is the one that SYNC names', async () => {
    const s = await scenario('v4');
    s.irq.setAffinity(2);
    s.forward();
    expect(s.trace(() => s.irq.unmapVlpi()).slice(0, 2)).toEqual([
      'ITS0: DISCARD d=0x10 e=3; SYNC rd=2',
      'ITS0: MAPTI d=0x10 e=3 p=lpi c=2; SYNC rd=2',
    ]);
  });
});
