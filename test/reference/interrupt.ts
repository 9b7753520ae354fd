/** An SGI, PPI or SPI: sections 1.2 and 2.5. */
export class Interrupt {
  enabled = false;
  /** Pending by an edge, by ISPENDR or by an SGI register. */
  latch = false;
  /** The input wire, or for a level-sensitive SPI what SETSPI and CLRSPI made of it. */
  line = false;
  active = false;
  group: 0 | 1 = 0;
  priority = 0;
  edge: boolean;

  constructor(edge: boolean) {
    this.edge = edge;
  }

  get pending(): boolean {
    return this.latch || (!this.edge && this.line);
  }

  /** Pending, enabled and not active: it waits for a PE to take it (section 1.3 items 1 and 2). */
  get waiting(): boolean {
    return this.pending && this.enabled && !this.active;
  }

  /** Drives the input wire. */
  drive(level: boolean): void {
    if (this.edge && level && !this.line) this.latch = true;
    this.line = level;
  }

  /** @param hasActive an SGI can do without the active state (section 2.2, nASSGIreq) */
  acknowledge(hasActive = true): void {
    this.latch = false;
    this.active = hasActive;
  }
}

/** Interrupts by INTID. */
export class InterruptBank {
  readonly #interrupts = new Map<number, Interrupt>();

  /** Adds `count` interrupts from INTID `first` on. */
  add(first: number, count: number, edge = false): void {
    for (let intid = first; intid < first + count; intid++) this.#interrupts.set(intid, new Interrupt(edge));
  }

  get(intid: number): Interrupt | undefined {
    return this.#interrupts.get(intid);
  }

  entries(): IterableIterator<[number, Interrupt]> {
    return this.#interrupts.entries();
  }
}
