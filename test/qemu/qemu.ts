import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QemuError } from './errors.ts';
import { GuestCpus } from './guest_cpus.ts';
import { QEMU } from './installed.ts';
import { Monitor } from './monitor.ts';
import { MsiDevices, msiDeviceArguments } from './msi_devices.ts';
import { QtestClient } from './qtest.ts';

/**
 * Runs a program and, once standard input ends, which it does however this process dies, kills it and removes the
 * directory $0. The exit code is the program's.
 */
const TIED_TO_STDIN =
  'exec 3<&0; "$@" & child=$!; { cat <&3; kill -9 $child; rm -r "$0"; } >/dev/null 2>&1 & wait $child';

export interface QemuOptions {
  readonly gicVersion: 3 | 4;
  /** 1 to 8; default 4. */
  readonly cpus?: number;
  /** RAM from 0x4000_0000 on; default 1024. */
  readonly memoryMiB?: number;
}

interface Connections {
  readonly qtest: QtestClient;
  readonly monitor: Monitor;
}

/**
 * QEMU's `virt` machine with one ITS, driven through qtest. Its PEs run only to
 * access their system registers. Dispose of it: it is a process.
 */
export class Qemu {
  readonly qtest: QtestClient;
  readonly guests: GuestCpus;
  readonly cpus: number;
  readonly #msiDevices: MsiDevices;
  readonly #process: ChildProcess;
  readonly #monitor: Monitor;
  readonly #gicPath: string;
  readonly #pid: number;

  private constructor(
    process: ChildProcess,
    { qtest, monitor }: Connections,
    gicPath: string,
    cpus: number,
    pid: number,
  ) {
    this.#process = process;
    this.#pid = pid;
    this.qtest = qtest;
    this.cpus = cpus;
    this.#monitor = monitor;
    this.#gicPath = gicPath;
    this.#msiDevices = new MsiDevices(qtest);
    this.guests = new GuestCpus(qtest, cpus, () => monitor.execute('cont'));
  }

  /** Throws a `QemuError` if QEMU can't be started. */
  static async start({ gicVersion, cpus = 4, memoryMiB = 1024 }: QemuOptions): Promise<Qemu> {
    const directory = mkdtempSync(join(tmpdir(), 'gicv4-qemu-'));
    const child = launch(directory, { gicVersion, cpus, memoryMiB });
    try {
      const connections = await connect(child, directory);
      const gicPath = await connections.monitor.findDevice(/arm-gicv3$/);
      const qemu = new Qemu(child, connections, gicPath, cpus, readPid(directory));
      await qemu.#msiDevices.start();
      return qemu;
    } catch (error) {
      end(child);
      throw error;
    }
  }

  /** Drives the input wire of an SPI. */
  setSpi(intid: number, level: boolean): Promise<void> {
    return this.qtest.setWire(this.#gicPath, intid - 32, level);
  }

  /** Drives the input wire of a PPI. The wires of the PPIs follow those of the 256 SPIs, 32 for each PE. */
  setPpi(cpu: number, intid: number, level: boolean): Promise<void> {
    return this.qtest.setWire(this.#gicPath, 256 + 32 * cpu + intid, level);
  }

  /** Makes the device with a DeviceID, one of `msiDeviceIds`, send an MSI of up to 16 bits. */
  sendMsi(deviceId: number, eventId: number): Promise<void> {
    return this.#msiDevices.send(deviceId, eventId);
  }

  /** Stops the PEs, until one has to access a system register: they would compete with what is measured. */
  async pause(): Promise<void> {
    await this.qtest.settle();
    await this.#monitor.execute('stop');
  }

  async resume(): Promise<void> {
    await this.#monitor.execute('cont');
  }

  /**
   * Nanoseconds of CPU time that the thread which serves qtest, and does the GIC's work for it, has used. Undefined where
   * the host does not tell, which Linux does.
   */
  cpuTime(): number | undefined {
    try {
      return Number(readFileSync(`/proc/${this.#pid}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      return undefined;
    }
  }

  /** Reset of the whole machine; RAM keeps its contents. The PEs stand still afterwards. */
  async reset(): Promise<void> {
    await this.pause();
    await this.#monitor.reset();
    this.guests.stopped();
    await this.#msiDevices.start();
  }

  [Symbol.dispose](): void {
    this.qtest.close();
    this.#monitor.close();
    end(this.#process);
  }
}

function launch(directory: string, { gicVersion, cpus, memoryMiB }: Required<QemuOptions>): ChildProcess {
  const options = [
    ['-M', `virt,gic-version=${gicVersion},virtualization=on,its=on`],
    ['-accel', 'tcg,thread=single', '-cpu', 'max', '-smp', `${cpus}`, '-m', `${memoryMiB}`],
    ['-display', 'none', '-nodefaults', '-S'],
    ['-qtest', `unix:${join(directory, 'qtest')}`, '-qtest-log', '/dev/null'],
    ['-qmp', `unix:${join(directory, 'qmp')}`, '-pidfile', join(directory, 'pid')],
    GuestCpus.bootArguments,
    msiDeviceArguments,
  ].flat();
  return spawn('sh', ['-c', TIED_TO_STDIN, directory, QEMU, ...options], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
}

/** Waits for QEMU to connect, or to end. */
async function connect(child: ChildProcess, directory: string): Promise<Connections> {
  let messages = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    messages += text;
  });
  const ended = new Promise<never>((_, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => {
      reject(new QemuError('ENDED', `${QEMU} ended with exit code ${code} ${messages}`.trim()));
    });
  });
  ended.catch(() => undefined);
  const connections = Promise.all([
    QtestClient.accept(join(directory, 'qtest')),
    Monitor.accept(join(directory, 'qmp')),
  ]);
  connections.catch(() => undefined);
  const [qtest, monitor] = await Promise.race([connections, ended]);
  return { qtest, monitor };
}

function readPid(directory: string): number {
  return Number(readFileSync(join(directory, 'pid'), 'utf8'));
}

function end(child: ChildProcess): void {
  child.stdin?.destroy();
  child.stderr?.destroy();
}
