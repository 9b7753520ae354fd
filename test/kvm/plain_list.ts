/** An interrupt of the plain list: edge-triggered, of one vCPU. */
export interface ListedIrq {
  readonly intid: number;
  priority: number;
  enabled: boolean;
  group: number;
  pending: boolean;
  active: boolean;
  listed: boolean;
}

export interface LoadedIrq {
  readonly irq: ListedIrq;
  pending: boolean;
  active: boolean;
}

/**
 * KVM's ap_list as KVM keeps it: one list in the order of arrival, sorted when there is more on it than list registers.
 * The engine has buckets instead, and must choose the same.
 */
export class PlainList {
  list: ListedIrq[] = [];
  loaded: LoadedIrq[] = [];

  constructor(
    readonly listRegisters: number,
    readonly isNew: boolean,
    readonly groupEnables: number,
  ) {}

  /** vgic_queue_irq_unlock. */
  queue(irq: ListedIrq): void {
    if (irq.listed || !belongs(irq)) return;
    irq.listed = true;
    this.list.push(irq);
  }

  /** vgic_flush_lr_state. */
  flush(): void {
    const counted = this.isNew ? this.list.filter(belongs) : this.list;
    if (counted.length > this.listRegisters) this.#sort();
    this.loaded = this.list
      .filter(belongs)
      .slice(0, this.listRegisters)
      .map((irq) => ({ irq, pending: irq.pending, active: irq.active }));
    for (const { irq } of this.loaded) irq.pending = false;
  }

  /** vgic_fold_lr_state, vgic_prune_ap_list. */
  sync(): void {
    for (const { irq, pending, active } of this.loaded) {
      irq.active = active;
      if (pending) irq.pending = true;
    }
    this.loaded = [];
    for (const irq of this.list) irq.listed = belongs(irq);
    this.list = this.list.filter((irq) => irq.listed);
  }

  /** Array.prototype.sort is stable, as list_sort is. */
  #sort(): void {
    this.list.sort(this.isNew ? (a, b) => this.#compareNew(a, b) : compareOld);
  }

  /** From 6.19 on: what can be delivered, whose group is on, what waits; then by priority. */
  #compareNew(a: ListedIrq, b: ListedIrq): number {
    const groupOn = ({ group }: ListedIrq) => (this.groupEnables >> group) & 1;
    const waits = (irq: ListedIrq) => irq.enabled && irq.pending && !irq.active;
    if (belongs(a) !== belongs(b)) return Number(belongs(b)) - Number(belongs(a));
    if (!belongs(a)) return 0;
    if (groupOn(a) !== groupOn(b)) return groupOn(b) - groupOn(a);
    if (waits(a) !== waits(b)) return Number(waits(b)) - Number(waits(a));
    return a.priority - b.priority;
  }
}

/** vgic_target_oracle, with the distributor on. */
function belongs(irq: ListedIrq): boolean {
  return irq.active || (irq.enabled && irq.pending);
}

/** Up to 6.18: active first, as an active interrupt must have a list register; then what waits, by priority. */
function compareOld(a: ListedIrq, b: ListedIrq): number {
  if (a.active || b.active) return Number(b.active) - Number(a.active);
  const waits = (irq: ListedIrq) => irq.enabled && irq.pending;
  if (!waits(a) || !waits(b)) return Number(waits(b)) - Number(waits(a));
  return a.priority - b.priority;
}
