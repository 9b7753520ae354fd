/**
 * What the pages of a snapshot mean: a hash of the engine's records, which the build leaves in a custom section of each
 * module. Modules with equal ones can go on with each other's state.
 */
export function stateFormat(module: WebAssembly.Module): string {
  const [section] = WebAssembly.Module.customSections(module, 'gicv4.state');
  return section ? new TextDecoder().decode(section) : 'unknown';
}
