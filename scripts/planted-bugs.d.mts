interface PlantedBug {
  readonly text: string;
  readonly found: readonly string[];
  readonly patches: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
}
export const plantedBugs: Readonly<Record<string, PlantedBug>>;
export function plant(name: string): Promise<string>;
