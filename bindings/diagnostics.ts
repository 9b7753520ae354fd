import { Diagnostic as Code } from '../assembly/abi.ts';
import { type Ring, RingReader } from './ring.ts';

/** The name of something that a machine diagnoses. */
export type DiagnosticCode = Exclude<keyof typeof Code, 'NONE' | 'COUNT'>;

/** One thing that software or a device did and that an engineer would want to know about. */
export interface Diagnostic {
  /** Counts from 0 for the first diagnostic of the machine. */
  readonly sequence: number;
  readonly code: DiagnosticCode;
  /** The PE or ITS that it happened at. */
  readonly unit: number;
  /** Operands by name; see the table of codes. */
  readonly operands: Readonly<Record<string, number>>;
  /** What happened, in a sentence. */
  readonly text: string;
  /** The rule, as a section of the outline in `test/README.md`. */
  readonly spec: string;
}

interface Description {
  readonly text: string;
  readonly spec: string;
  /** Names of the operands a, b, c, d. */
  readonly operands: readonly string[];
}

/** What each diagnostic code means. */
export const diagnosticTable: Readonly<Record<DiagnosticCode, Description>> = {
  UNMAPPED_ADDRESS: {
    text: 'access to an address that is neither RAM nor a register frame; reads as zero',
    spec: '0',
    operands: ['write', 'addressLow', 'addressHigh', 'size'],
  },
  RESERVED_REGISTER: {
    text: 'access to a reserved location of a frame; RAZ/WI',
    spec: '0',
    operands: ['frame', 'offset', 'size'],
  },
  READ_OF_WRITE_ONLY: {
    text: 'read of a write-only register',
    spec: '0',
    operands: ['frame', 'offset', 'size'],
  },
  WRITE_OF_READ_ONLY: {
    text: 'write of a read-only register',
    spec: '0',
    operands: ['frame', 'offset', 'size'],
  },
  BAD_ACCESS_SIZE: {
    text: 'size or alignment that the register does not support; RAZ/WI',
    spec: '0',
    operands: ['frame', 'offset', 'size'],
  },
  COMMAND_ERROR: {
    text: 'ITS command with a bad parameter',
    spec: '6.1',
    operands: ['offset', 'error', 'deviceId', 'eventId'],
  },
  UNKNOWN_COMMAND: {
    text: 'ITS command number that is not implemented',
    spec: '5.13',
    operands: ['offset', 'number'],
  },
  TABLE_FAULT: {
    text: 'ITS command whose table access falls outside RAM',
    spec: '5.13',
    operands: ['offset', 'deviceId', 'eventId', 'command'],
  },
  QUEUE_FAULT: { text: 'command queue outside RAM', spec: '5.13', operands: ['offset'] },
  QUEUE_STALLED: {
    text: 'command queue stalled; GITS_CWRITER.Retry restarts it',
    spec: '5.13',
    operands: ['offset'],
  },
  CWRITER_OUT_OF_RANGE: {
    text: 'GITS_CWRITER beyond the queue: nothing is processed until it is valid',
    spec: '5.8',
    operands: ['offset', 'queueBytes'],
  },
  MSI_DROPPED: { text: 'MSI dropped', spec: '5.11', operands: ['deviceId', 'eventId', 'outcome'] },
  TABLE_WRITE_WHILE_ENABLED: {
    text: 'GITS_CBASER or GITS_BASER written while the ITS is enabled: UNPREDICTABLE',
    spec: '5.9',
    operands: ['register', 'element'],
  },
  ENABLED_WITH_INVALID_TABLES: {
    text: 'ITS enabled while its queue or a table is not valid: UNPREDICTABLE',
    spec: '5.2',
    operands: [],
  },
  LPI_TABLE_WRITE_WHILE_ENABLED: {
    text: 'GICR_PROPBASER or GICR_PENDBASER written while EnableLPIs=1: UNPREDICTABLE',
    spec: '3.2',
    operands: ['register'],
  },
  ENABLE_LPIS_NOT_CLEARABLE: {
    text: 'GICR_CTLR.EnableLPIs cannot be cleared on this implementation',
    spec: '3.2',
    operands: [],
  },
  PENDING_TABLE_NOT_ZERO: {
    text: 'GICR_PENDBASER.PTZ promised an all-zero pending table; what was pending in it is lost',
    spec: '3.7',
    operands: [],
  },
  LPI_TABLE_OUTSIDE_RAM: {
    text: 'LPI configuration or pending table not wholly inside RAM',
    spec: '4.1',
    operands: [],
  },
  EOI_WITHOUT_ACTIVE_PRIORITY: {
    text: 'EOIR written while no interrupt is active; ignored',
    spec: '8.3',
    operands: ['intid'],
  },
  EOI_OF_OTHER_GROUP: {
    text: 'EOIR written for a group that does not have the highest active priority; ignored',
    spec: '8.3',
    operands: ['intid', 'group'],
  },
  EOI_OF_UNKNOWN_INTID: {
    text: 'EOIR written with an INTID that is not implemented; ignored',
    spec: '8.3',
    operands: ['intid'],
  },
  DIR_WITHOUT_EOIMODE: {
    text: 'ICC_DIR_EL1 written while ICC_CTLR_EL1.EOImode is 0; ignored',
    spec: '8.3',
    operands: ['intid'],
  },
  NO_PE_WITH_AFFINITY: {
    text: 'GICD_IROUTER names an affinity that no PE has: the SPI is never forwarded',
    spec: '2.6',
    operands: ['intid', 'routerLow', 'routerHigh'],
  },
  REMAPPED_EVENT: {
    text: 'MAPTI or MAPI of an event that is mapped already: UNPREDICTABLE, DISCARD it first',
    spec: '6.4',
    operands: ['deviceId', 'eventId'],
  },
  DISCARD_OF_UNMAPPED_COLLECTION: {
    text: 'DISCARD of an event whose collection is not mapped: only the mapping was removed',
    spec: '6.10',
    operands: ['deviceId', 'eventId'],
  },
  MOVE_TO_DISABLED_REDISTRIBUTOR: {
    text: 'pending LPIs moved to a redistributor that cannot take them: CONSTRAINED UNPREDICTABLE',
    spec: '6.6, 6.7',
    operands: ['intid', 'fromCpu'],
  },
  ACTION_ON_DISABLED_LPIS: {
    text: 'INT for a redistributor that has the LPI disabled or out of range; ignored',
    spec: '6.8',
    operands: ['deviceId', 'eventId', 'outcome'],
  },
  SLEEP_WITH_GROUP_ENABLED: {
    text: 'GICR_WAKER.ProcessorSleep set while a group is enabled at the CPU interface: UNPREDICTABLE',
    spec: '3.4',
    operands: [],
  },
  SGI_RANGE_NOT_SUPPORTED: {
    text: 'SGI with a range selector where GICD_TYPER.RSS=0: the field is RES0 and taken as 0',
    spec: '8.2',
    operands: ['rangeSelector', 'intid'],
  },
  UNIMPLEMENTED_SYSTEM_REGISTER: {
    text: 'access to an ICC_AP register that this number of preemption bits does not have; RAZ/WI',
    spec: '8.3',
    operands: ['register'],
  },
  VPE_CHANGED_WHILE_RESIDENT: {
    text: 'GICR_VPENDBASER changed in more than Valid while a vPE is resident: UNPREDICTABLE; ignored',
    spec: '3.12',
    operands: [],
  },
  VPROPBASER_WRITE_WHILE_RESIDENT: {
    text: 'GICR_VPROPBASER written while a vPE is resident: UNPREDICTABLE',
    spec: '3.11',
    operands: [],
  },
  VIRTUAL_TABLE_OUTSIDE_RAM: {
    text: 'virtual configuration or pending table of the vPE scheduled in not wholly inside RAM',
    spec: '4.4',
    operands: [],
  },
  VPE_REMAPPED: {
    text: 'VMAPP of a vPE that is mapped already, in GICv4.1 with Alloc=1: UNPREDICTABLE, use VMOVP',
    spec: '6.14, 6.15',
    operands: ['vpeId'],
  },
  VPE_MOVED_WHILE_RESIDENT: {
    text: 'VMOVP of a resident vPE: UNPREDICTABLE',
    spec: '6.19',
    operands: ['vpeId', 'cpu'],
  },
  VPE_UNMAPPED_WHILE_RESIDENT: {
    text: 'VMAPP with V=0 of a resident vPE: UNPREDICTABLE',
    spec: '6.14',
    operands: ['vpeId', 'cpu'],
  },
  VMOVP_MISMATCH: {
    text: 'ITSs wait for each other with different VMOVPs: neither can complete',
    spec: '6.19',
    operands: ['partner', 'key', 'partnerKey', 'vpeId'],
  },
  VIRTUAL_EOI_WITHOUT_ACTIVE_PRIORITY: {
    text: 'ICV_EOIR written while no virtual interrupt is active',
    spec: '8.9',
    operands: ['intid'],
  },
  VPE_RESIDENT_TWICE: {
    text: 'the same vPE is resident on two redistributors: UNPREDICTABLE',
    spec: '7.1',
    operands: ['otherCpu'],
  },
  VPE_NOT_MAPPED: {
    text: 'GICR_VPENDBASER, GICR_INVLPIR, GICR_INVALLR or GICR_VSGIR names a vPEID that is not mapped in the group of the redistributor: taken as Valid=0, or without effect',
    spec: '3.8, 3.12, 3.13',
    operands: ['vpeId'],
  },
  VPE_NOT_ALLOCATED: {
    text: 'VMAPP with Alloc=0 of a vPE that no VMAPP has allocated: UNPREDICTABLE; allocated',
    spec: '6.15',
    operands: ['vpeId'],
  },
  VSGI_DROPPED: {
    text: 'GITS_SGIR names a vPE that the ITS has not mapped, or the ITS is disabled; dropped',
    spec: '5.12',
    operands: ['vpeId', 'intid'],
  },
  VPE_TABLE_NOT_ZERO: {
    text: 'GICR_VPROPBASER.Z promised an all-zero table: UNPREDICTABLE; what the table holds counts',
    spec: '3.11',
    operands: [],
  },
  VPE_TABLE_MISMATCH: {
    text: 'GICR_VPROPBASER names another table than that of another redistributor of the same CommonLPIAff group',
    spec: '3.3',
    operands: ['otherCpu'],
  },
  VPE_TABLE_NOT_SHARED: {
    text: 'GITS_BASER2 and GICR_VPROPBASER name different tables where GITS_TYPER.SVPET says that they share one',
    spec: '5.5',
    operands: ['vpeId', 'cpu'],
  },
  VPE_PENDING_TABLE_NOT_ZERO: {
    text: 'VMAPP with PTZ=1 promised an all-zero pending table; what was pending in it is lost',
    spec: '6.15',
    operands: ['vpeId'],
  },
  VPE_MAPPING_MISMATCH: {
    text: 'VMAPP with Alloc=0 differs from the VMAPP that allocated the vPE; the first one counts',
    spec: '6.15',
    operands: ['vpeId'],
  },
  VPE_RELEASED_WHILE_MAPPED: {
    text: 'VMAPP with V=0 and Alloc=1 while another ITS has the vPE mapped: UNPREDICTABLE; unmapped there too',
    spec: '6.15',
    operands: ['vpeId'],
  },
  VPE_NOT_RELEASED: {
    text: 'VMAPP with V=0 and Alloc=0 of the last mapping of a vPE: UNPREDICTABLE; it stays allocated',
    spec: '6.15',
    operands: ['vpeId'],
  },
  VPENDBASER_WRITE_WHILE_DIRTY: {
    text: 'GICR_VPENDBASER.Valid changed while Dirty=1: UNPREDICTABLE; done all the same',
    spec: '3.12',
    operands: [],
  },
  NASSGIREQ_WRITE_WHILE_ENABLED: {
    text: 'GICD_CTLR.nASSGIreq changed while a group is enabled; ignored',
    spec: '2.2',
    operands: [],
  },
  INJECTOR_LOST: {
    text: 'a thread that injects MSIs ended or stood still for seconds in the middle of one; it is not waited for any more',
    spec: '0',
    operands: [],
  },
  SYSTEM_ERROR: { text: 'SEI raised for a command error', spec: '5.13', operands: ['offset', 'error'] },
};

/** Reads the machine's ring of diagnostics. */
export class DiagnosticReader {
  readonly #ring: RingReader;

  constructor(words: Uint32Array, ring: Ring) {
    this.#ring = new RingReader(words, ring);
  }

  /** Forgets what was there before: the machine has another past now. */
  skip(): void {
    this.#ring.skip();
  }

  /** The records since the last call. Of more than the ring holds only the newest are left; `sequence` shows the gap. */
  take(): Diagnostic[] {
    return this.#ring.take().map(({ sequence, words }) => {
      const [number = 0, unit = 0, ...values] = words;
      const code = Code[number] as DiagnosticCode;
      const { text, spec, operands } = diagnosticTable[code];
      return {
        sequence,
        code,
        unit,
        operands: Object.fromEntries(operands.map((name, i) => [name, values[i] as number])),
        text,
        spec,
      };
    });
  }
}
