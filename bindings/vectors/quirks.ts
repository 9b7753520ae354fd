/**
 * Why the preset `qemu-virt` answers the reads of a quirk otherwise than QEMU, by tag. Those reads are done and not
 * compared.
 */
export const quirkReasons: Readonly<Record<string, string>> = {
  'Q-MOVI-IDBITS':
    'QEMU moves a pending LPI to a redistributor whose GICR_PROPBASER.IDbits exclude it, and sets a bit beyond its pending table',
};
