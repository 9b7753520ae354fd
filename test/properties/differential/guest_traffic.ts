import type { MachineConfig } from '../../../bindings/index.ts';
import { OPEN_VMCR } from '../../support/vpe_driver.ts';
import type { Dice } from './dice.ts';
import type { Step } from './pair.ts';
import { hex, type Kinds } from './register_steps.ts';
import type { Group } from './side.ts';

/** What a guest can read without side effects. */
const readable = [
  'PMR',
  'BPR0',
  'BPR1',
  'CTLR',
  'IGRPEN0',
  'IGRPEN1',
  'RPR',
  'HPPIR0',
  'HPPIR1',
  'AP0R0',
  'AP1R0',
];
/** What it can access from EL1, with side effects and without. */
const fromEl1 = [...readable, 'IAR0', 'IAR1', 'DIR', 'EOIR1', 'SGI1R', 'ASGI1R', 'AP1R3', 'SRE'];
/** HCR_EL2.FMO and IMO. */
const BOTH = 0x18;

/** The virtual CPU interfaces: list registers and ICH_* of the hypervisor, ICV_* of the guest; and the timers. */
export class GuestTraffic {
  readonly #dice: Dice;
  readonly #config: MachineConfig;

  constructor(dice: Dice, config: MachineConfig) {
    this.#dice = dice;
    this.#config = config;
  }

  /** Guests routed to the virtual interface, and the virtual interface open. */
  setUp(): Step {
    const offset = this.#dice.pick([0, 0, 500]);
    return {
      text: `all guests open, CNTVOFF_EL2 ${offset}`,
      run: ({ model }) => {
        for (let cpu = 0; cpu < this.#config.cpus; cpu++) {
          model.writeSystemRegister(cpu, 'HCR_EL2', BOTH);
          model.writeSystemRegister(cpu, 'CNTVOFF_EL2', offset);
          model.writeSystemRegister(cpu, 'ICH_HCR_EL2', 1);
          model.writeSystemRegister(cpu, 'ICH_VMCR_EL2', OPEN_VMCR);
        }
      },
    };
  }

  usual(): Kinds {
    return [
      [10, () => this.#listRegister()],
      [4, () => this.#pendAgain()],
      [10, () => this.#acknowledge()],
      [9, () => this.#end()],
      [4, () => this.#deactivate()],
      [5, () => this.#guestControl()],
      [4, () => this.#hcr()],
      [2, () => this.#read()],
      [5, () => this.#timer()],
      [2, () => this.#advance()],
    ];
  }

  disruptive(): Kinds {
    return [
      [3, () => this.#vmcr()],
      [3, () => this.#activePriorities()],
      [4, () => this.#endAny()],
      [3, () => this.#anyListRegister()],
      [2, () => this.#routing()],
      [4, () => this.#fromEl1()],
      [1, () => this.#anyHcr()],
    ];
  }

  #cpu(): number {
    return this.#dice.below(this.#config.cpus);
  }

  #set(cpu: number, name: string, value: number | bigint): Step {
    return {
      text: `PE ${cpu} ${name} = ${hex(value)}`,
      run: ({ model }) => model.writeSystemRegister(cpu, name, value),
    };
  }

  #vIntid(): number {
    const dice = this.#dice;
    const odd = dice.pick([0, 15, 16, 1019, 1020, 1023, 8191, 8192, 8193, 0xffff]);
    return dice.chance(8) ? odd : dice.pick([dice.below(3), 32 + dice.below(4), 32 + dice.below(4)]);
  }

  /** An interrupt as a hypervisor injects it: pending, sometimes linked to a physical one. */
  #listRegister(): Step {
    const dice = this.#dice;
    const n = dice.below(Math.min(this.#config.listRegisters, 4));
    const state = BigInt(dice.pick([1, 1, 1, 1, 0, 2, 3]));
    const group = BigInt(dice.pick([1, 1, 0]));
    const priority = BigInt(dice.pick([0xa0, 0x80, dice.below(256)]));
    const pIntid = BigInt(dice.pick([32 + dice.below(10), 16 + dice.below(16), dice.below(16), 1020, 4096]));
    const link = dice.chance(3) ? (1n << 61n) | (pIntid << 32n) : dice.chance(3) ? 1n << 41n : 0n;
    const value = (state << 62n) | (group << 60n) | (priority << 48n) | link | BigInt(this.#vIntid());
    return this.#set(this.#cpu(), `ICH_LR${n}_EL2`, value);
  }

  /** An interrupt comes again while the guest handles it: the list register becomes pending and active. */
  #pendAgain(): Step {
    const cpu = this.#cpu();
    return {
      text: `PE ${cpu}: active list registers become pending and active`,
      run: ({ model }) => {
        for (let n = 0; n < Math.min(this.#config.listRegisters, 4); n++) {
          const value = model.readSystemRegister(cpu, `ICH_LR${n}_EL2`);
          if (value >> 62n === 2n) model.writeSystemRegister(cpu, `ICH_LR${n}_EL2`, value | (1n << 62n));
        }
      },
    };
  }

  #anyListRegister(): Step {
    const value = this.#dice.pick([0n, this.#dice.doubleword()]);
    return this.#set(this.#cpu(), `ICH_LR${this.#dice.below(16)}_EL2`, value);
  }

  #acknowledge(): Step {
    const cpu = this.#cpu();
    const group: Group = this.#dice.pick([0, 1, 1]);
    return {
      text: `the guest on PE ${cpu} acknowledges in Group ${group}`,
      run: (side) => side.guestAcknowledge(cpu, group),
    };
  }

  #end(): Step {
    const cpu = this.#cpu();
    return { text: `the guest on PE ${cpu} ends what it took last`, run: (side) => side.guestEnd(cpu) };
  }

  #deactivate(): Step {
    const cpu = this.#cpu();
    return {
      text: `the guest on PE ${cpu} deactivates what it ended last`,
      run: (side) => side.guestDeactivate(cpu),
    };
  }

  #endAny(): Step {
    const name = this.#dice.pick(['ICV_EOIR0_EL1', 'ICV_EOIR1_EL1', 'ICV_EOIR1_EL1', 'ICV_DIR_EL1']);
    return this.#set(this.#cpu(), name, this.#vIntid());
  }

  #guestControl(): Step {
    const [cpu, dice] = [this.#cpu(), this.#dice];
    switch (dice.below(5)) {
      case 0:
        return this.#set(cpu, 'ICV_PMR_EL1', dice.pick([0xff, 0xff, 0xf0, 0xa0, dice.word()]));
      case 1:
        return this.#set(cpu, `ICV_IGRPEN${dice.below(2)}_EL1`, dice.pick([1, 1, 1, 0]));
      case 2:
        return this.#set(cpu, `ICV_BPR${dice.below(2)}_EL1`, dice.below(8));
      case 3:
        return this.#set(cpu, 'ICV_CTLR_EL1', dice.pick([0, 1, 2, 3, dice.word()]));
      default:
        return this.setUpOne(cpu);
    }
  }

  setUpOne(cpu: number): Step {
    return this.#set(cpu, 'ICH_VMCR_EL2', OPEN_VMCR);
  }

  #vmcr(): Step {
    return this.#set(this.#cpu(), 'ICH_VMCR_EL2', this.#dice.pick([0, this.#dice.word()]));
  }

  /** Mostly open, with some conditions for the maintenance interrupt. */
  #hcr(): Step {
    const conditions = this.#dice.pick([0, 0, this.#dice.below(256)]) & 0xfe;
    const direct = this.#dice.chance(6) ? 2 ** this.#dice.pick([8, 15]) : 0;
    return this.#set(this.#cpu(), 'ICH_HCR_EL2', conditions + direct + (this.#dice.chance(8) ? 0 : 1));
  }

  #anyHcr(): Step {
    return this.#set(this.#cpu(), 'ICH_HCR_EL2', this.#dice.doubleword());
  }

  #activePriorities(): Step {
    const name = `ICH_AP${this.#dice.below(2)}R${this.#dice.below(4)}_EL2`;
    return this.#set(this.#cpu(), name, this.#dice.pick([0, 0, this.#dice.bits()]));
  }

  #read(): Step {
    const cpu = this.#cpu();
    const name = `ICV_${this.#dice.pick(readable)}_EL1`;
    return { text: `PE ${cpu} reads ${name}`, run: ({ model }) => model.readSystemRegister(cpu, name) };
  }

  #routing(): Step {
    return this.#set(this.#cpu(), 'HCR_EL2', this.#dice.pick([BOTH, BOTH, 0, 8, 16]));
  }

  /** Goes to the physical or the virtual interface, or traps. */
  #fromEl1(): Step {
    const cpu = this.#cpu();
    const name = `ICC_${this.#dice.pick(fromEl1)}_EL1`;
    const value = this.#dice.below(256);
    const writes = this.#dice.chance(2);
    return {
      text: `PE ${cpu} at EL1 ${writes ? `writes ${hex(value)} to` : 'reads'} ${name}`,
      run: ({ model }) =>
        writes ? model.writeSystemRegister(cpu, name, value, 1) : model.readSystemRegister(cpu, name, 1),
    };
  }

  #timer(): Step {
    const dice = this.#dice;
    const cpu = this.#cpu();
    const timer = dice.pick(['CNTV', 'CNTP', 'CNTHP', 'CNTHV']);
    const el = timer.startsWith('CNTH') ? 2 : 0;
    const soon = dice.pick([dice.below(1000), dice.word(), 0]);
    if (dice.chance(5)) return this.#set(cpu, 'CNTVOFF_EL2', dice.pick([0n, 500n, dice.doubleword()]));
    if (dice.chance(3)) return this.#set(cpu, `${timer}_CTL_EL${el}`, dice.below(8));
    const register = `${timer}_${dice.pick(['CVAL', 'TVAL'])}_EL${el}`;
    return {
      text: `PE ${cpu} ${register} = ${hex(soon)}, timer on`,
      run: ({ model }) => {
        model.writeSystemRegister(cpu, register, soon);
        model.writeSystemRegister(cpu, `${timer}_CTL_EL${el}`, 1);
        return model.readSystemRegister(cpu, `${timer}_TVAL_EL${el}`);
      },
    };
  }

  #advance(): Step {
    const ticks = BigInt(this.#dice.pick([1, 100, 1000, 1000, 5000]));
    return {
      text: `${ticks} ticks pass`,
      run: ({ model }) => {
        model.advanceCounter(model.counter + ticks);
        return model.nextTimerDeadline() ?? 'none';
      },
    };
  }
}
