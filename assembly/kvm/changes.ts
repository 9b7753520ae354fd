// Whoever polls for a vCPU to become runnable looks again only after something that could have made it so.
import { kvm } from './state';

/** A list, an enable or a request changed, of whichever vCPU. */
export function noteChange(): void {
  kvm().changes += 1;
}
