import { spawnSync } from 'node:child_process';

export const QEMU = 'qemu-system-aarch64';

/** The oldest QEMU whose `virt` machine has GICv4. */
const OLDEST = [7, 2] as const;

/** QEMU's version, such as `7.2.22`; undefined where it is not installed. */
function qemuVersion(): string | undefined {
  const { stdout } = spawnSync(QEMU, ['--version'], { encoding: 'utf8' });
  return /version (\d+\.\d+\S*)/.exec(stdout ?? '')?.[1];
}

/** A QEMU that can be used, or what is missing and how to get it. */
export type Found = { readonly version: string } | { readonly problem: string };

/** What to say of a version of QEMU; undefined for none. */
export function judgeVersion(version: string | undefined): Found {
  const wanted =
    `${QEMU} ${OLDEST.join('.')} or later ` +
    '(Debian: apt-get install qemu-system-arm; others: https://www.qemu.org/download)';
  if (version === undefined) return { problem: `QEMU is not installed. This needs ${wanted}.` };
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  return isOld ? { problem: `QEMU ${version} is too old. This needs ${wanted}.` } : { version };
}

/** Looks for QEMU. */
export function findQemu(): Found {
  return judgeVersion(qemuVersion());
}
