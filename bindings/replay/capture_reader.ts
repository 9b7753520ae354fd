import type { Doublewords } from '../commands/command.ts';
import { ByteCursor, latin1, NEWLINE, stirred, Words } from './byte_cursor.ts';
import type {
  AccessSize,
  CaptureEvent,
  QemuFields,
  RegisterBlock,
  SystemInterface,
  Value,
} from './events.ts';
import { malformedLine } from './format_error.ts';
import { architecturalName, cpuOfTrace } from './qemu_names.ts';

// A line of the capture format is one flat JSON object, but for a few kinds. A scanner for just that takes a fifth
// of the time of JSON.parse, which would dominate a replay. Whatever it does not expect goes through JSON.parse.

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const ZERO = 0x30;
const LOWER_X = 0x78;
const MINUS = 0x2d;
const NINE = 0x39;

/** The last four characters of a key, as the scanner gathers them. */
function keyCode(key: string): number {
  let code = 0;
  for (let i = 0; i < key.length; i++) code = (code << 8) | key.charCodeAt(i);
  return code;
}

const KEY_T = keyCode('t');
const KEY_DEV = keyCode('dev');
const KEY_OP = keyCode('op');
const KEY_CPU = keyCode('cpu');
const KEY_OFF = keyCode('off');
const KEY_SIZE = keyCode('size');
const KEY_VAL = keyCode('val');
const KEY_REG = keyCode('reg');
const KEY_IRQ = keyCode('irq');
const KEY_LEVEL = keyCode('level');
const KEY_GRP = keyCode('grp');
const KEY_PRIO = keyCode('prio');
const KEY_FIQ = keyCode('fiq');
const KEY_DEVID = keyCode('devid');
const KEY_LR = keyCode('lr');
const KEY_VLPI = keyCode('vlpi');
const KEY_IRM = keyCode('irm');
const KEY_AFF = keyCode('aff');
const KEY_LIST = keyCode('list');
const KEY_TBL = keyCode('tbl');
const KEY_PA = keyCode('pa');

/** Numbers that a line may give; the others are read for their kind of line only. */
type NumberKey = 't' | 'cpu' | 'size' | 'irq' | 'level' | 'grp' | 'prio' | 'fiq' | 'lr' | 'vlpi' | 'irm';
/** Hexadecimal strings. */
type HexKey = 'off' | 'val' | 'devid' | 'aff' | 'list' | 'pa';
type WordKey = 'dev' | 'op' | 'reg' | 'tbl';

const numberKeys: readonly NumberKey[] = [
  ...(['t', 'cpu', 'size', 'irq', 'level', 'grp', 'prio', 'fiq', 'lr', 'vlpi', 'irm'] as const),
];
const hexKeys: readonly HexKey[] = ['off', 'val', 'devid', 'aff', 'list', 'pa'];
const wordKeys: readonly WordKey[] = ['dev', 'op', 'reg', 'tbl'];

/** Not given by this line. */
const MISSING = -1;
/** In a field that -1 is a value of. */
const NO_INTEGER = Number.MIN_SAFE_INTEGER;
const NONE = '';

const words = new Words([
  ...['its', 'dist', 'redist', 'translate', 'cmd', 'tbl', 'cpuif', 'ich', 'icv', 'range', 'mem', 'qemulog'],
  ...['hppi', 'wire', 'vhppi', 'vwire', 'maint'],
  ...['r', 'w', 'badr', 'badw', 'line', 'sgipend', 'iar', 'eoi', 'dir', 'sgi'],
  ...['prop', 'vprop', 'vpend', 'cmdq', 'baser0', 'baser1', 'baser2', 'pend0', 'pend1', 'pend2', 'pend3'],
  ...['ICC_IAR1', 'ICC_EOIR1', 'ICC_DIR', 'ICC_PMR', 'ICC_CTLR', 'ICV_IAR1', 'ICV_EOIR1', 'ICH_HCR_EL2'],
  ...['ICH_VMCR_EL2', 'ICH_VTR', 'ICH_ELRSR', 'ICH_AP0R0', 'ICH_AP1R0', 'ICH_LR0_EL2', 'ICH_LR1_EL2'],
]);

const systemInterfaces = { cpuif: 'ICC', ich: 'ICH', icv: 'ICV' } as const;

/** Parser of the capture format: one event a line. */
export class CaptureParser {
  readonly #cursor = new ByteCursor();
  #line = 0;

  // What the line at hand gives, `MISSING` or `NONE` where it does not.
  #t = MISSING;
  #cpu = MISSING;
  #size = MISSING;
  #irq = MISSING;
  #level = MISSING;
  #grp = MISSING;
  #prio = MISSING;
  #fiq = MISSING;
  #lr = NO_INTEGER;
  #vlpi = MISSING;
  #irm = MISSING;
  #off: Value = MISSING;
  #val: Value = MISSING;
  #devid: Value = MISSING;
  #aff: Value = MISSING;
  #list: Value = MISSING;
  #pa: Value = MISSING;
  #dev = NONE;
  #op = NONE;
  #reg = NONE;
  #tbl = NONE;
  /** The line as an object, where it had to be read as one. */
  #object: Readonly<Record<string, unknown>> | undefined;

  /** @param file name of the recording, for errors */
  constructor(
    /** Name of the recording, for errors. */
    readonly file: string,
  ) {}

  /**
   * Hands on the events of a block of whole lines, in order; none is kept, so that each can be collected at once.
   * Throws a `GicError` INVALID_INPUT with file and line.
   */
  parse(block: Uint8Array, onEvent: (event: CaptureEvent) => void): void {
    this.#cursor.bytes = block;
    for (let start = 0; start < block.length; ) {
      this.#line++;
      const end = block.indexOf(NEWLINE, start);
      if (end > start) onEvent(this.#event(start, end));
      start = end + 1;
    }
  }

  #event(start: number, end: number): CaptureEvent {
    this.#clear();
    if (!this.#scan(start)) this.#parseObject(start, end);
    const event = this.#build();
    if (event === undefined) {
      const expected = 'an event of the capture format with all its fields';
      throw malformedLine(this.file, this.#line, latin1(this.#cursor.bytes, start, end), expected);
    }
    return event;
  }

  #clear(): void {
    this.#cpu =
      this.#size =
      this.#irq =
      this.#level =
      this.#grp =
      this.#prio =
      this.#fiq =
      this.#irm =
        MISSING;
    this.#off = this.#val = this.#devid = this.#aff = this.#list = this.#pa = MISSING;
    this.#dev = this.#op = this.#reg = this.#tbl = NONE;
    this.#t = MISSING;
    this.#object = undefined;
  }

  /** Reads a flat object of plain words, hexadecimal strings and integers; false for anything else. */
  #scan(start: number): boolean {
    const cursor = this.#cursor;
    const bytes = cursor.bytes;
    let at = start;
    if (bytes[at++] !== OPEN) return false;
    for (;;) {
      if (bytes[at++] !== QUOTE) return false;
      let key = 0;
      for (let byte = bytes[at++] as number; byte !== QUOTE; byte = bytes[at++] as number) {
        if (byte === NEWLINE) return false;
        key = (key << 8) | byte;
      }
      if (bytes[at++] !== COLON) return false;
      const byte = bytes[at] as number;
      cursor.at = at;
      if (byte === QUOTE) {
        if (!this.#scanString(key)) return false;
      } else if ((byte >= ZERO && byte <= NINE) || byte === MINUS) {
        if (!this.#setNumber(key, cursor.decimal())) return false;
      } else return false;
      at = cursor.at;
      const separator = bytes[at++];
      if (separator === CLOSE) return bytes[at] === NEWLINE;
      if (separator !== COMMA) return false;
    }
  }

  #scanString(key: number): boolean {
    const cursor = this.#cursor;
    const bytes = cursor.bytes;
    const start = ++cursor.at;
    if (bytes[start] === ZERO && bytes[start + 1] === LOWER_X) {
      const value = cursor.hexadecimal();
      return bytes[cursor.at++] === QUOTE && this.#setHex(key, value);
    }
    let hash = 0;
    let at = start;
    for (let byte = bytes[at] as number; byte !== QUOTE; byte = bytes[++at] as number) {
      // Escapes and the end of the line: not a plain word.
      if (byte < 0x20 || byte === 0x5c) return false;
      hash = stirred(hash, byte);
    }
    cursor.at = at + 1;
    return this.#setWord(key, words.get(hash, bytes, start, at));
  }

  #setNumber(key: number, value: number): boolean {
    if (key === KEY_T) this.#t = value;
    else if (key === KEY_CPU) this.#cpu = cpuOfTrace(value);
    else if (key === KEY_IRQ) this.#irq = value;
    else if (key === KEY_GRP) this.#grp = value;
    else if (key === KEY_PRIO) this.#prio = value;
    else if (key === KEY_FIQ) this.#fiq = value;
    else if (key === KEY_LEVEL) this.#level = value;
    else if (key === KEY_SIZE) this.#size = value;
    else if (key === KEY_LR) this.#lr = value;
    else if (key === KEY_VLPI) this.#vlpi = value;
    else if (key === KEY_IRM) this.#irm = value;
    return value >= -1;
  }

  #setHex(key: number, value: Value): boolean {
    if (key === KEY_VAL) this.#val = value;
    else if (key === KEY_OFF) this.#off = value;
    else if (key === KEY_DEVID) this.#devid = value;
    else if (key === KEY_AFF) this.#aff = value;
    else if (key === KEY_LIST) this.#list = value;
    else if (key === KEY_PA) this.#pa = value;
    // A string that a kind of line gives beyond these is read in its object.
    else return false;
    return value >= 0;
  }

  #setWord(key: number, word: string): boolean {
    if (key === KEY_DEV) this.#dev = word;
    else if (key === KEY_OP) this.#op = word;
    else if (key === KEY_REG) this.#reg = word;
    else if (key === KEY_TBL) this.#tbl = word;
    else return false;
    return true;
  }

  #parseObject(start: number, end: number): void {
    const text = latin1(this.#cursor.bytes, start, end);
    let object: unknown;
    try {
      object = JSON.parse(text);
    } catch {
      throw malformedLine(this.file, this.#line, text, 'a JSON object');
    }
    if (typeof object !== 'object' || object === null || Array.isArray(object)) {
      throw malformedLine(this.file, this.#line, text, 'a JSON object');
    }
    const given: Readonly<Record<string, unknown>> = { ...object };
    this.#clear();
    this.#object = given;
    for (const key of numberKeys) {
      const value = given[key];
      if (typeof value === 'number' && Number.isSafeInteger(value)) this.#setNumber(keyCode(key), value);
    }
    for (const key of hexKeys) {
      const value = hexadecimal(given[key]);
      if (value !== undefined) this.#setHex(keyCode(key), value);
    }
    for (const key of wordKeys) {
      const value = given[key];
      if (typeof value === 'string') this.#setWord(keyCode(key), value);
    }
  }

  /** The event that the line tells of; undefined where a field is missing or out of range. */
  #build(): CaptureEvent | undefined {
    const line = this.#line;
    const time = this.#t;
    if (time < 0) return undefined;
    const cpu = this.#cpu;
    switch (this.#dev) {
      case 'hppi': {
        const [intid, priority, group] = [this.#irq, this.#prio, this.#grp];
        if (cpu < 0 || intid < 0 || priority < 0 || priority > 255 || group < 0) return undefined;
        return { kind: 'pending', line, time, cpu, intid, group: group === 0 ? 0 : 1, priority };
      }
      case 'wire':
        if (cpu < 0 || this.#fiq < 0 || this.#irq < 0) return undefined;
        return { kind: 'wires', line, time, cpu, fiq: this.#fiq !== 0, irq: this.#irq !== 0 };
      case 'redist':
        return this.#redistributor(line, time, cpu);
      case 'cpuif':
      case 'ich':
      case 'icv':
        return this.#systemRegister(line, time, cpu, systemInterfaces[this.#dev]);
      case 'its':
        return this.#register(line, time, -1, 'GITS');
      case 'dist':
        if (this.#op !== 'line') return this.#register(line, time, -1, 'GICD');
        if (this.#irq < 0 || this.#level < 0) return undefined;
        return { kind: 'spi-line', line, time, intid: this.#irq, level: this.#level !== 0 };
      case 'translate': {
        const [deviceId, eventId] = [this.#devid, this.#val];
        if (!isNumber(deviceId) || !isNumber(eventId)) return undefined;
        return { kind: 'msi', line, time, deviceId, eventId };
      }
      case 'vhppi': {
        const [winner, vlpi, priority] = [this.#lr, this.#vlpi, this.#prio];
        if (cpu < 0 || winner < -1 || vlpi < 0 || priority < 0 || this.#grp < 0) return undefined;
        const group = this.#grp === 0 ? 0 : 1;
        return { kind: 'virtual-pending', line, time, cpu, winner, vlpi, group, priority };
      }
      case 'vwire':
        if (cpu < 0 || this.#fiq < 0 || this.#irq < 0) return undefined;
        return { kind: 'virtual-wires', line, time, cpu, fiq: this.#fiq !== 0, irq: this.#irq !== 0 };
      case 'maint':
        if (cpu < 0 || this.#irq < 0) return undefined;
        return { kind: 'maintenance', line, time, cpu, level: this.#irq !== 0 };
      case 'mem': {
        const [address, size] = [this.#pa, accessSize(this.#size)];
        if (!isNumber(address) || size === undefined || this.#val < 0 || this.#tbl === NONE) return undefined;
        return { kind: 'memory-store', line, time, cpu, table: this.#tbl, address, size, value: this.#val };
      }
      case 'cmd':
        return this.#command(line, time);
      case 'tbl':
        return this.#tableWrite(line, time);
      case 'range':
        return this.#memoryRange(line, time);
      case 'qemulog':
        return { kind: 'message', line, time, text: String(this.#object?.msg ?? '') };
      default:
        return undefined;
    }
  }

  #redistributor(line: number, time: number, cpu: number): CaptureEvent | undefined {
    if (cpu < 0) return undefined;
    const intid = this.#irq;
    switch (this.#op) {
      case 'line':
        if (intid < 0 || this.#level < 0) return undefined;
        return { kind: 'ppi-line', line, time, cpu, intid, level: this.#level !== 0 };
      case 'sgipend':
        return intid < 0 ? undefined : { kind: 'sgi-arrival', line, time, cpu, intid };
      default:
        return this.#register(line, time, cpu, 'GICR');
    }
  }

  #register(line: number, time: number, cpu: number, block: RegisterBlock): CaptureEvent | undefined {
    const offset = this.#off;
    const size = accessSize(this.#size);
    const value = this.#val;
    if (!isNumber(offset) || size === undefined) return undefined;
    if (this.#op === 'badr') return { kind: 'refused-read', line, time, block, cpu, offset, size };
    if (value < 0) return undefined;
    switch (this.#op) {
      case 'r':
        return { kind: 'register-read', line, time, block, cpu, offset, size, value };
      case 'w':
        return { kind: 'register-write', line, time, block, cpu, offset, size, value };
      case 'badw':
        return { kind: 'refused-write', line, time, block, cpu, offset, size, value };
      default:
        return undefined;
    }
  }

  #systemRegister(line: number, time: number, cpu: number, face: SystemInterface): CaptureEvent | undefined {
    if (cpu < 0) return undefined;
    if (this.#op === 'sgi') {
      const [intid, cluster, targetList] = [this.#irq, this.#aff, this.#list];
      if (intid < 0 || this.#irm < 0 || !isNumber(cluster) || !isNumber(targetList)) return undefined;
      return { kind: 'sgi-request', line, time, cpu, intid, allOthers: this.#irm !== 0, cluster, targetList };
    }
    const value = this.#val;
    if (this.#reg === NONE || value < 0) return undefined;
    const register = architecturalName(this.#reg);
    switch (this.#op) {
      case 'iar':
        return { kind: 'acknowledge', line, time, interface: face, cpu, register, value };
      case 'r':
        return { kind: 'system-read', line, time, interface: face, cpu, register, value };
      case 'w':
      case 'eoi':
      case 'dir':
        return { kind: 'system-write', line, time, interface: face, cpu, register, value };
      default:
        return undefined;
    }
  }

  #command(line: number, time: number): CaptureEvent | undefined {
    const offset = hexadecimal(this.#object?.qoff);
    const name = this.#object?.name;
    const raw = doublewords(this.#object?.raw);
    const fields = fieldsOf(this.#object?.f);
    if (!isNumber(offset) || typeof name !== 'string' || raw === undefined || fields === undefined)
      return undefined;
    return { kind: 'command', line, time, name, offset, raw, fields };
  }

  #tableWrite(line: number, time: number): CaptureEvent | undefined {
    const table = tables.get(this.#tbl);
    const fields = fieldsOf(this.#object?.f);
    return table && fields && { kind: 'table-write', line, time, table, fields };
  }

  #memoryRange(line: number, time: number): CaptureEvent | undefined {
    const length = hexadecimal(this.#object?.len);
    const contents = this.#object?.snap;
    const address = this.#pa;
    if (!isNumber(address) || !isNumber(length) || typeof contents !== 'string') return undefined;
    return { kind: 'memory-range', line, time, table: this.#tbl, address, length, contents };
  }
}

const tables = new Map([
  ['dte', 'device'],
  ['cte', 'collection'],
  ['ite', 'interrupt'],
  ['vte', 'vpe'],
] as const) as ReadonlyMap<string, 'device' | 'collection' | 'interrupt' | 'vpe'>;

/** Addresses, offsets and identifiers: below 2^53 and given. */
function isNumber(value: Value | undefined): value is number {
  return typeof value === 'number' && value >= 0;
}

function accessSize(size: number): AccessSize | undefined {
  return size === 4 || size === 8 || size === 1 || size === 2 ? size : undefined;
}

function hexadecimal(text: unknown): Value | undefined {
  if (typeof text !== 'string' || !/^0x[0-9a-f]{1,16}$/i.test(text)) return undefined;
  const value = BigInt(text);
  return value < 2n ** 53n ? Number(value) : value;
}

function doublewords(words: unknown): Doublewords | undefined {
  if (!Array.isArray(words) || words.length !== 4) return undefined;
  const values = words.map((word) => hexadecimal(word));
  if (values.includes(undefined)) return undefined;
  const [first, second, third, fourth] = values.map((value) => BigInt(value ?? 0)) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  return [first, second, third, fourth];
}

/** QEMU's fields: hexadecimal or decimal strings of at most 53 bits. */
function fieldsOf(given: unknown): QemuFields | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const fields: Record<string, number> = {};
  for (const [name, text] of Object.entries(given)) {
    const value = typeof text === 'string' && text !== '' ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value)) return undefined;
    fields[name] = value;
  }
  return fields;
}
