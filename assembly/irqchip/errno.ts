// Results of the irqchip layer, as the kernel returns them: 0 or a handle for success, a negative errno otherwise.

export const ENXIO: i32 = -6;
export const ENOMEM: i32 = -12;
export const EACCES: i32 = -13;
export const EFAULT: i32 = -14;
export const EBUSY: i32 = -16;
export const EEXIST: i32 = -17;
export const ENODEV: i32 = -19;
export const EINVAL: i32 = -22;
export const ENOSYS: i32 = -38;
export const ETIMEDOUT: i32 = -110;
