/** The frames of the preset `architecture`. */
export const GICD = 0x0800_0000;
export const GICR = 0x1000_0000;
export const GITS = 0x0900_0000;
/** From one redistributor of GICv4 to the next (section 0). */
export const STRIDE_V4 = 0x4_0000;
