/** One line for each rule of the engine that a WebAssembly module breaks. */
export function moduleProblems(bytes: Uint8Array<ArrayBuffer>): string[];
