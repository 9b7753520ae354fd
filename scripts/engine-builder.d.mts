interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}
export function buildEngine(
  target: string,
  options?: { readonly patches?: readonly Patch[]; readonly outFile?: string },
): Promise<void>;
