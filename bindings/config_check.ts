import { type IdentificationRegisters, itsBytes, type MachineConfig, redistributorStride } from './config.ts';
import { GicError, requireInteger } from './errors.ts';
import { type Limits, layerNames, mostLimits } from './layers.ts';

const switches = [
  'oneOfN',
  'messageBasedSpis',
  'rangeSelector',
  'directLpi',
  'physicalTargetAddresses',
  'indirectTables',
  'statusRegisters',
  'unmappedMsiReporting',
  'vmovpOnAnyIts',
  'virtualSgis',
  'individualDoorbells',
] as const satisfies readonly (keyof MachineConfig)[];

/** Throws a `GicError` for the first name in `given` that is not among the known ones, or if it is no object. */
export function checkNames(prefix: string, given: object | undefined, known: readonly string[]): void {
  if (given !== undefined && (typeof given !== 'object' || given === null)) {
    throw new GicError('INVALID_CONFIG', prefix.replace(/\.$/, ''), given, 'an object');
  }
  for (const [name, value] of Object.entries(given ?? {})) {
    if (known.includes(name)) continue;
    throw new GicError('INVALID_CONFIG', `${prefix}${name}`, value, `one of ${known.join(', ')}`);
  }
}

/** Checks a completed configuration. Throws a `GicError` that names the first field at fault. */
export function checkConfig(config: MachineConfig): void {
  const integer = (field: string, value: number, low: number, high: number): void => {
    requireInteger('INVALID_CONFIG', field, value, low, high);
  };
  const must = (ok: boolean, field: string, value: unknown, expected: string): void => {
    if (!ok) throw new GicError('INVALID_CONFIG', field, value, expected);
  };

  must(
    ['GICv3', 'GICv4.0', 'GICv4.1'].includes(config.architecture),
    'architecture',
    config.architecture,
    'GICv3, GICv4.0 or GICv4.1',
  );
  integer('cpus', config.cpus, 1, 512);
  integer('itsCount', config.itsCount, 0, 16);
  integer('deviceIdBits', config.deviceIdBits, 1, 32);
  integer('eventIdBits', config.eventIdBits, 1, 32);
  integer('collectionIdBits', config.collectionIdBits, 1, 16);
  integer('intidBits', config.intidBits, 10, 22);
  must(
    config.intidBits === 10 || config.intidBits >= 14,
    'intidBits',
    config.intidBits,
    '10 (no LPIs) or an integer from 14 to 22',
  );
  must(
    config.intidBits >= 14 || config.itsCount === 0,
    'itsCount',
    config.itsCount,
    '0 where intidBits is 10: an ITS needs LPIs',
  );
  integer('spis', config.spis, 0, 988);
  must(
    config.spis % 32 === 0 || config.spis === 988,
    'spis',
    config.spis,
    'a multiple of 32 up to 960, or 988',
  );
  integer('extendedSpis', config.extendedSpis, 0, 1024);
  must(
    config.extendedSpis % 32 === 0,
    'extendedSpis',
    config.extendedSpis,
    'a multiple of 32 from 0 to 1024',
  );
  must(
    config.extendedSpis === 0 || config.intidBits >= 14,
    'extendedSpis',
    config.extendedSpis,
    '0 where intidBits is 10: Extended SPIs begin at INTID 4096',
  );
  must([0, 32, 64].includes(config.extendedPpis), 'extendedPpis', config.extendedPpis, '0, 32 or 64');
  integer('priorityBits', config.priorityBits, 4, 8);
  integer('preemptionBits', config.preemptionBits, 4, Math.min(config.priorityBits, 7));
  integer('storedPriorityBits', config.storedPriorityBits, config.priorityBits, 8);
  integer('vpeIdBits', config.vpeIdBits, 1, 16);
  integer('sharedVpeTable', config.sharedVpeTable, 0, 3);
  integer('itsAffinity', config.itsAffinity, 0, 0xffff_ff00);
  must(
    config.itsAffinity % 256 === 0,
    'itsAffinity',
    config.itsAffinity,
    'Aff3.Aff2.Aff1 in [31:8], [7:0] zero',
  );
  integer('listRegisters', config.listRegisters, 1, 16);
  integer('virtualPriorityBits', config.virtualPriorityBits, 5, 8);
  integer('virtualPreemptionBits', config.virtualPreemptionBits, 5, Math.min(config.virtualPriorityBits, 7));
  checkPpis(config, must);
  integer('timerFrequency', config.timerFrequency, 1, 0xffff_ffff);
  integer('eventCapacity', config.eventCapacity, 1, 2 ** 24);
  integer('dirtyReads.scheduleIn', config.dirtyReads.scheduleIn, 0, 1000);
  integer('dirtyReads.scheduleOut', config.dirtyReads.scheduleOut, 0, 1000);
  integer('commonLpiAffinity', config.commonLpiAffinity, 0, 3);
  integer('hardwareCollections', config.hardwareCollections, 0, 255);
  integer('tableEntryBytes', config.tableEntryBytes, 8, 32);
  must(
    config.tableEntryBytes % 8 === 0,
    'tableEntryBytes',
    config.tableEntryBytes,
    'a multiple of 8 from 8 to 32',
  );
  integer('ittEntryBytes', config.ittEntryBytes, 8, 16);
  must(layerNames.includes(config.layers), 'layers', config.layers, `one of ${layerNames.join(', ')}`);
  for (const [name, most] of Object.entries(mostLimits)) {
    integer(`limits.${name}`, config.limits[name as keyof Limits], name === 'guestLpis' ? 0 : 1, most);
  }
  for (const name of switches) must(typeof config[name] === 'boolean', name, config[name], 'true or false');
  checkMixed(config, must);
  must(
    config.vlpiTargetOffset === 0 || (config.vlpiTargetOffset === 0x2_0000 && config.physicalTargetAddresses),
    'vlpiTargetOffset',
    config.vlpiTargetOffset,
    '0, or 131072 with physicalTargetAddresses',
  );
  checkAffinities(config, must);
  checkItsNumbers(config, must);
  checkAddresses(config, must);
  checkIdentification(config, must);
}

type Must = (ok: boolean, field: string, value: unknown, expected: string) => void;

/** A PPI has one wire, so only one output can drive it. */
function checkPpis({ maintenancePpi, timerPpis }: MachineConfig, must: Must): void {
  const drivers = new Map<number, string>();
  const outputs: [string, number][] = [
    ['maintenancePpi', maintenancePpi],
    ['timerPpis.virtual', timerPpis.virtual],
    ['timerPpis.physical', timerPpis.physical],
    ['timerPpis.hypPhysical', timerPpis.hypPhysical],
    ['timerPpis.hypVirtual', timerPpis.hypVirtual],
  ];
  for (const [field, ppi] of outputs) {
    const isPpi = Number.isInteger(ppi) && ppi >= 16 && ppi <= 31;
    must(ppi === 0 || isPpi, field, ppi, '0 for none, or an integer from 16 to 31');
    const other = drivers.get(ppi);
    must(ppi === 0 || other === undefined, field, ppi, `a PPI other than that of ${other}`);
    drivers.set(ppi, field);
  }
}

/** Lists of ITSs and PEs that lack what the others have. */
function checkMixed(config: MachineConfig, must: Must): void {
  const { cpus, itsCount, directLpi } = config;
  const v4 = config.architecture !== 'GICv3';
  const lists = [
    ['itsWithoutVlpis', itsCount, v4, 'empty in a GICv3, which has no VLPIs'],
    ['redistributorsWithoutVlpis', cpus, v4, 'empty in a GICv3, which has no VLPIs'],
    ['redistributorsWithoutDirectLpi', cpus, directLpi, 'empty without directLpi'],
  ] as const;
  for (const [field, count, sensible, otherwise] of lists) {
    const list = config[field];
    must(Array.isArray(list), field, list, 'a list of numbers');
    must(sensible || list.length === 0, field, list, otherwise);
    for (const [i, n] of list.entries()) requireInteger('INVALID_CONFIG', `${field}[${i}]`, n, 0, count - 1);
  }
}

function checkItsNumbers(
  { itsNumbers, itsCount, vmovpOnAnyIts, architecture }: MachineConfig,
  must: Must,
): void {
  must(Array.isArray(itsNumbers), 'itsNumbers', itsNumbers, 'a list of numbers');
  if (itsNumbers.length === 0) return;
  const needed = architecture !== 'GICv3' && !vmovpOnAnyIts;
  must(needed, 'itsNumbers', itsNumbers, 'empty where one VMOVP moves a vPE for all ITSs, or in a GICv3');
  must(
    itsNumbers.length === itsCount,
    'itsNumbers',
    itsNumbers.length,
    `${itsCount} values, one for each ITS`,
  );
  itsNumbers.forEach((n, its) => {
    requireInteger('INVALID_CONFIG', `itsNumbers[${its}]`, n, 0, 15);
  });
}

function checkAffinities({ affinities, cpus, rangeSelector }: MachineConfig, must: Must): void {
  must(affinities.length === cpus, 'affinities', affinities.length, `${cpus} values, one for each PE`);
  const seen = new Set<number>();
  const highestAff0 = rangeSelector ? 255 : 15;
  affinities.forEach((affinity, cpu) => {
    const field = `affinities[${cpu}]`;
    requireInteger('INVALID_CONFIG', field, affinity, 0, 0xffff_ffff);
    must((affinity & 0xff) <= highestAff0, field, affinity, `Aff0 from 0 to ${highestAff0}`);
    must(!seen.has(affinity), field, affinity, 'an affinity that no other PE has');
    seen.add(affinity);
  });
}

function checkAddresses(config: MachineConfig, must: Must): void {
  const { ram, addressMap, cpus, itsCount } = config;
  const limit = 2 ** 52;
  const frames: { field: string; base: number; size: number }[] = [
    { field: 'ram.base', base: ram.base, size: ram.size },
    { field: 'addressMap.gicd', base: addressMap.gicd, size: 0x1_0000 },
    { field: 'addressMap.gicr', base: addressMap.gicr, size: cpus * redistributorStride(config) },
  ];
  must(
    Number.isInteger(ram.size) && ram.size > 0 && ram.size % 0x1_0000 === 0,
    'ram.size',
    ram.size,
    'a positive multiple of 64 KiB',
  );
  must(
    Number.isInteger(addressMap.gitsStride) &&
      (itsCount < 2 || addressMap.gitsStride >= itsBytes(config)) &&
      addressMap.gitsStride % 0x1_0000 === 0,
    'addressMap.gitsStride',
    addressMap.gitsStride,
    `a multiple of 64 KiB, at least ${itsBytes(config) / 1024} KiB`,
  );
  for (let its = 0; its < itsCount; its++) {
    frames.push({
      field: 'addressMap.gits',
      base: addressMap.gits + its * addressMap.gitsStride,
      size: itsBytes(config),
    });
  }
  for (const { field, base, size } of frames) {
    must(
      Number.isInteger(base) && base >= 0 && base % 0x1_0000 === 0 && base + size <= limit,
      field,
      base,
      'a 64 KiB aligned address whose frame ends below 2^52',
    );
  }
  frames.sort((a, b) => a.base - b.base);
  frames.forEach((frame, i) => {
    const next = frames[i + 1];
    must(
      next === undefined || frame.base + frame.size <= next.base,
      next?.field ?? '',
      next?.base,
      `an address that does not overlap ${frame.field} (0x${frame.base.toString(16)}, ${frame.size} bytes)`,
    );
  });
}

const wideRegisters: readonly (keyof IdentificationRegisters)[] = ['GITS_TYPER', 'GICR_TYPER'];

function checkIdentification({ identification, cpus }: MachineConfig, must: Must): void {
  const { GICR_TYPER } = identification;
  must(
    GICR_TYPER === undefined || GICR_TYPER.length === cpus,
    'identification.GICR_TYPER',
    GICR_TYPER?.length,
    `${cpus} values, one for each PE`,
  );
  for (const [name, given] of Object.entries(identification)) {
    const field = `identification.${name}`;
    for (const value of [given ?? 0].flat()) {
      if (wideRegisters.includes(name as keyof IdentificationRegisters)) {
        const fits = typeof value === 'bigint' && value >= 0n && value >> 64n === 0n;
        must(fits || given === undefined, field, value, 'a bigint of 64 bits');
      } else
        requireInteger('INVALID_CONFIG', field, value as number, 0, name === 'PIDR2' ? 0xff : 0xffff_ffff);
    }
  }
}
