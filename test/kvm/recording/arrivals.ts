// Which interrupts came in, and when. The recording does not tell when a guest sent an SGI or a device raised a line, only
// what was in the list registers afterwards. As fewer interrupts were on the list than there are list registers, their
// order is the list's, and so the order in which they came.

export const TIMER = 27;
export const FIRST_LPI = 8192;
const FIRST_SPI = 32;

/** A list register as far as it tells what came in. */
export interface Listed {
  readonly intid: number;
  readonly pending: boolean;
  readonly active: boolean;
}

export function listedOf(value: bigint): Listed {
  return {
    intid: Number(value & 0xffff_ffffn),
    pending: ((value >> 62n) & 1n) === 1n,
    active: ((value >> 63n) & 1n) === 1n,
  };
}

export function isSpi(intid: number): boolean {
  return intid >= FIRST_SPI && intid < FIRST_LPI;
}

/** What is known as a guest is left. */
export interface Situation {
  /** What the list registers hold then. */
  readonly left: readonly Listed[];
  /** INTIDs on the list. */
  readonly listed: readonly number[];
  /** What the next entry loads. */
  readonly next: readonly Listed[];
  /** Nothing was loaded, and yet this exit finds something on the list. */
  readonly appears: boolean;
  /** The next entry loads nothing, and its exit finds nothing on the list. */
  readonly vanishes: boolean;
  /** The level of an interrupt's line. */
  readonly isHigh: (intid: number) => boolean;
}

/** When something comes in: before the guest is left, right after its exit, or right before the next entry. */
export type Moment = 'guest' | 'exit' | 'entry';

export interface Arrival {
  readonly moment: Moment;
  readonly intid: number;
  /** A line falls; else one rises, or it is an edge. */
  readonly falls: boolean;
}

/** What comes in between an exit and the next entry, as late as the order of the list permits. */
export function arrivals(now: Situation): Arrival[] {
  const stays = new Set(now.left.filter((lr) => staysListed(lr, now)).map(({ intid }) => intid));
  const found: Arrival[] = [];
  let latest: Moment = 'entry';
  for (const { intid, pending } of now.next.toReversed()) {
    // New ones are appended: in front of what stays on the list is only what was there before it was pruned.
    if (stays.has(intid)) latest = 'guest';
    // The host takes the timer's interrupt after the exit, or finds it when it loads the vCPU.
    else if (intid === TIMER && latest === 'entry') latest = 'exit';
    if (intid === TIMER || !pending || isKnown(intid, now)) continue;
    found.unshift({ moment: stays.has(intid) ? 'entry' : latest, intid, falls: false });
  }
  const [first, ...others] = found;
  const came: Arrival[] =
    first && now.appears && now.listed.length === 0 ? [{ ...first, moment: 'guest' }, ...others] : found;
  return [...came, ...falling(now)];
}

function staysListed({ intid, pending, active }: Listed, { isHigh }: Situation): boolean {
  if (active) return true;
  return isSpi(intid) ? isHigh(intid) : pending && (intid !== TIMER || isHigh(intid));
}

/** Whether an interrupt is pending without anything coming in. */
function isKnown(intid: number, { isHigh, left }: Situation): boolean {
  return isSpi(intid) ? isHigh(intid) : left.some((lr) => lr.intid === intid && lr.pending);
}

/** Lines that are high, and whose interrupts are not loaded next. */
function falling({ listed, next, vanishes, isHigh }: Situation): Arrival[] {
  return listed
    .filter((intid) => isSpi(intid) && isHigh(intid) && !next.some((lr) => lr.intid === intid))
    .map((intid) => ({ moment: vanishes ? 'guest' : 'entry', intid, falls: true }));
}
