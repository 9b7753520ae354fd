// Identification registers that are the same in all frames.

/** Arm as implementer, product 'K', revision 3: what KVM calls itself. */
export const IIDR: u32 = (0x4b << 24) | (3 << 12) | 0x43b;
export const PIDR2_OFFSET: u32 = 0xffe8;
/** Architecture revision 3. */
export const PIDR2: u32 = 0x3b;
