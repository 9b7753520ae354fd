import { NONE } from './limits';
export const ROUTES_BYTES: usize = 64;
export function handleDeviceLpi(route: u32): void {
  if (route == NONE) return;
}
