/** How the bits of a field become the value of a property. */
export type FieldKind =
  /** An unsigned integer. */
  | 'number'
  /** One bit, as a boolean. */
  | 'flag'
  /** A physical address whose bits stand in place; the bits below `low` are zero. */
  | 'address'
  /** A redistributor: a processor number, or where GITS_TYPER.PTA=1 the physical address of its RD_base frame. */
  | 'rdBase';

/** What a value must be by itself, whatever the state of the ITS. */
export type OperandRule =
  /** An LPI: 8192 or above. */
  | 'lpi'
  /** An LPI, or 1023 for none. */
  | 'doorbell'
  /** VPT_size of a table that can hold a vLPI: 13 or above. */
  | 'vptSize';

/** One field of a command: bits [high:low] of a doubleword. */
export interface Field<Kind extends FieldKind = FieldKind> {
  readonly kind: Kind;
  /** The Arm manual's name. */
  readonly label: string;
  readonly doubleword: 0 | 1 | 2 | 3;
  readonly high: number;
  readonly low: number;
  readonly meaning: string;
  readonly radix: 'hex' | 'decimal';
  /** The property holds the field's bits times 2^shift. */
  readonly shift: number;
  readonly rule?: OperandRule;
  /** The property, a flag, without which the ITS does not look at this field. */
  readonly onlyIf?: string;
}

/** What one command number means. */
export interface CommandDefinition {
  /** DW0[7:0]. */
  readonly number: number;
  readonly since: 'GICv3' | 'GICv4.0' | 'GICv4.1';
  readonly meaning: string;
  readonly fields: Readonly<Record<string, Field>>;
}

type Bits = readonly [doubleword: Field['doubleword'], high: number, low: number];
type Extra = Partial<Pick<Field, 'radix' | 'shift' | 'rule' | 'onlyIf'>>;

function field<Kind extends FieldKind>(
  kind: Kind,
  label: string,
  bits: Bits,
  meaning: string,
  extra: Extra,
): Field<Kind> {
  const [doubleword, high, low] = bits;
  return { kind, label, doubleword, high, low, meaning, radix: 'decimal', shift: 0, ...extra };
}

const number = (label: string, bits: Bits, meaning: string, extra: Extra = {}) =>
  field('number', label, bits, meaning, extra);

const flag = (label: string, doubleword: Field['doubleword'], bit: number, meaning: string) =>
  field('flag', label, [doubleword, bit, bit], meaning, {});

const address = (label: string, bits: Bits, meaning: string) =>
  field('address', label, bits, meaning, { radix: 'hex', shift: bits[2] });

const redistributor = (label: string, doubleword: Field['doubleword'], meaning: string, extra: Extra = {}) =>
  field('rdBase', label, [doubleword, 51, 16], meaning, extra);

const deviceId = number('DeviceID', [0, 63, 32], 'the device', { radix: 'hex' });
const eventId = number('EventID', [1, 31, 0], 'the event of the device', { radix: 'hex' });
const vpeId = number('vPEID', [1, 47, 32], 'the virtual PE');
const icid = number('ICID', [2, 15, 0], 'the collection');
const rdBase = redistributor('RDbase', 2, 'the target redistributor');
const valid = flag('V', 2, 63, '1 maps, 0 unmaps');
const mappedRdBase = redistributor('RDbase', 2, 'the target redistributor', { onlyIf: 'valid' });
const doorbell = number(
  'Dbell_pINTID',
  [2, 63, 32],
  'LPI that tells of a vLPI for a vPE not resident; 1023 for none',
  {
    rule: 'doorbell',
  },
);
const vptSize = number('VPT_size', [3, 4, 0], 'vINTID bits of the virtual pending table, minus one', {
  rule: 'vptSize',
  onlyIf: 'valid',
});
const vptAddress = address('VPT_addr', [3, 51, 16], 'the virtual pending table');

const event = { deviceId, eventId };

/** VMAPP as an ITS with GITS_TYPER.VMAPP=1 reads it (GICv4.1). */
export const vmapp41Fields = {
  vpeId,
  rdBase: mappedRdBase,
  vptSize,
  vptAddress,
  valid,
  alloc: flag('Alloc', 0, 8, 'first mapping, or last unmapping, of the vPE in any ITS'),
  ptz: flag('PTZ', 0, 9, 'the virtual pending table is zero'),
  vconfAddress: address('VCONF_ADDR', [0, 51, 16], 'the virtual configuration table'),
  defaultDoorbell: number('Default_Doorbell', [1, 31, 0], 'doorbell LPI of the vPE; 1023 for none', {
    rule: 'doorbell',
    onlyIf: 'valid',
  }),
};

/** Every ITS command with its fields in the order of its text. Bits that no field names are reserved. */
export const commandDefinitions = {
  MOVI: {
    number: 0x01,
    since: 'GICv3',
    meaning: 'moves an event to another collection',
    fields: { ...event, icid },
  },
  INT: { number: 0x03, since: 'GICv3', meaning: 'makes the interrupt of an event pending', fields: event },
  CLEAR: { number: 0x04, since: 'GICv3', meaning: 'clears the pending state of an event', fields: event },
  SYNC: {
    number: 0x05,
    since: 'GICv3',
    meaning: 'waits for the effects at a redistributor',
    fields: { rdBase },
  },
  MAPD: {
    number: 0x08,
    since: 'GICv3',
    meaning: 'maps a device to its interrupt translation table, or unmaps it',
    fields: {
      deviceId,
      size: number('Size', [1, 4, 0], 'EventID bits of the device, minus one'),
      ittAddress: address('ITT_addr', [2, 51, 8], 'the interrupt translation table'),
      valid,
    },
  },
  MAPC: {
    number: 0x09,
    since: 'GICv3',
    meaning: 'maps a collection to a redistributor, or unmaps it',
    fields: { icid, rdBase: mappedRdBase, valid },
  },
  MAPTI: {
    number: 0x0a,
    since: 'GICv3',
    meaning: 'maps an event to an LPI and a collection',
    fields: { ...event, pIntid: number('pINTID', [1, 63, 32], 'the physical LPI', { rule: 'lpi' }), icid },
  },
  MAPI: {
    number: 0x0b,
    since: 'GICv3',
    meaning: 'maps an event to the LPI of the same number and a collection',
    fields: { deviceId, eventId: { ...eventId, rule: 'lpi' }, icid },
  },
  INV: { number: 0x0c, since: 'GICv3', meaning: 're-reads the configuration of an event', fields: event },
  INVALL: {
    number: 0x0d,
    since: 'GICv3',
    meaning: 're-reads the configuration of a collection',
    fields: { icid },
  },
  MOVALL: {
    number: 0x0e,
    since: 'GICv3',
    meaning: 'moves all pending LPIs from one redistributor to another',
    fields: {
      rdBase1: redistributor('RDbase1', 2, 'the redistributor that has them'),
      rdBase2: redistributor('RDbase2', 3, 'the redistributor that gets them'),
    },
  },
  DISCARD: { number: 0x0f, since: 'GICv3', meaning: 'unmaps an event and clears it', fields: event },
  VMOVI: {
    number: 0x21,
    since: 'GICv4.0',
    meaning: 'moves an event to another vPE, or changes its doorbell',
    fields: {
      ...event,
      vpeId,
      doorbellValid: flag('D', 2, 0, '1 replaces the doorbell, 0 keeps it'),
      doorbell: { ...doorbell, onlyIf: 'doorbellValid' },
    },
  },
  VMOVP: {
    number: 0x22,
    since: 'GICv4.0',
    meaning: 'moves a vPE to another redistributor',
    fields: {
      vpeId,
      rdBase,
      sequenceNumber: number('SequenceNumber', [0, 47, 32], 'the same in every ITS that takes part', {
        radix: 'hex',
      }),
      itsList: number('ITSList', [1, 15, 0], 'bit n: the ITS of number n takes part', { radix: 'hex' }),
      defaultDoorbellValid: flag('DB', 2, 63, 'GICv4.1: 1 replaces the default doorbell'),
      defaultDoorbell: number(
        'Default_Doorbell',
        [3, 31, 0],
        'GICv4.1: doorbell LPI of the vPE; 1023 for none',
        {
          rule: 'doorbell',
          onlyIf: 'defaultDoorbellValid',
        },
      ),
    },
  },
  VSGI: {
    number: 0x23,
    since: 'GICv4.1',
    meaning: 'configures or clears a virtual SGI',
    fields: {
      vpeId,
      vIntid: number('vINTID', [0, 35, 32], 'the SGI, 0 to 15'),
      enable: flag('Enable', 0, 8, 'the SGI is enabled'),
      group: number('Group', [0, 10, 10], 'its group, 0 or 1'),
      priority: number('Priority', [0, 23, 20], 'its priority', { radix: 'hex', shift: 4 }),
      clear: flag('Clear', 0, 9, '1 clears the pending state and leaves the configuration as it is'),
    },
  },
  VSYNC: { number: 0x25, since: 'GICv4.0', meaning: 'waits for the effects at a vPE', fields: { vpeId } },
  VMAPP: {
    number: 0x29,
    since: 'GICv4.0',
    meaning: 'maps a vPE to a redistributor and its virtual pending table, or unmaps it',
    fields: { vpeId, rdBase: mappedRdBase, vptSize, vptAddress, valid },
  },
  VMAPTI: {
    number: 0x2a,
    since: 'GICv4.0',
    meaning: 'maps an event to a vLPI of a vPE',
    fields: {
      ...event,
      vpeId,
      vIntid: number('vINTID', [2, 31, 0], 'the virtual LPI', { rule: 'lpi' }),
      doorbell,
    },
  },
  VMAPI: {
    number: 0x2b,
    since: 'GICv4.0',
    meaning: 'maps an event to the vLPI of the same number of a vPE',
    fields: { deviceId, eventId: { ...eventId, rule: 'lpi' }, vpeId, doorbell },
  },
  VINVALL: {
    number: 0x2d,
    since: 'GICv4.0',
    meaning: 're-reads the vLPI configuration of a vPE',
    fields: { vpeId },
  },
  INVDB: {
    number: 0x2e,
    since: 'GICv4.1',
    meaning: 're-reads the configuration of the default doorbell of a vPE',
    fields: { vpeId },
  },
} satisfies Record<string, CommandDefinition>;

/** The mnemonics of the commands. */
export type CommandName = keyof typeof commandDefinitions;

/** The command of each number. */
export const commandOfNumber: ReadonlyMap<number, CommandName> = new Map(
  (Object.keys(commandDefinitions) as CommandName[]).map((name) => [commandDefinitions[name].number, name]),
);
