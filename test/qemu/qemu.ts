import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GuestCpus } from './guest_cpus.ts';
import { LineConnection } from './line_connection.ts';
import { MsiDevices, msiDeviceArguments } from './msi_devices.ts';
import { QtestClient } from './qtest.ts';

const PROGRAM = 'qemu-system-aarch64';
const CPUS = 4;

/** QEMU's version; undefined where it is not installed. */
export function qemuVersion(): string | undefined {
  const { stdout } = spawnSync(PROGRAM, ['--version'], { encoding: 'utf8' });
  return /version (\S+)/.exec(stdout ?? '')?.[1];
}

/**
 * QEMU's `virt` machine with four PEs, one ITS and 1 GiB of RAM, driven through qtest. Its PEs run only to access
 * their system registers.
 */
export class Qemu {
  readonly qtest: QtestClient;
  readonly cpus: GuestCpus;
  readonly #msiDevices: MsiDevices;
  readonly #process: ChildProcess;
  readonly #monitor: Monitor;
  readonly #directory: string;
  readonly #gicPath: string;

  private constructor(
    process: ChildProcess,
    directory: string,
    qtest: QtestClient,
    monitor: Monitor,
    gicPath: string,
  ) {
    this.#process = process;
    this.#directory = directory;
    this.qtest = qtest;
    this.#monitor = monitor;
    this.#gicPath = gicPath;
    this.#msiDevices = new MsiDevices(qtest);
    this.cpus = new GuestCpus(qtest, CPUS, () => monitor.execute('cont'));
  }

  static async start(gicVersion: 3 | 4): Promise<Qemu> {
    const directory = mkdtempSync(join(tmpdir(), 'gicv4-qemu-'));
    const [qtestPath, monitorPath] = [join(directory, 'qtest'), join(directory, 'qmp')];
    const connections = Promise.all([QtestClient.accept(qtestPath), Monitor.accept(monitorPath)]);
    const child = spawn(
      PROGRAM,
      [
        ['-M', `virt,gic-version=${gicVersion},virtualization=on,its=on`],
        ['-accel', 'tcg,thread=single', '-cpu', 'max', '-smp', String(CPUS), '-m', '1024'],
        ['-display', 'none', '-nodefaults', '-S'],
        ['-qtest', `unix:${qtestPath}`, '-qtest-log', '/dev/null', '-qmp', `unix:${monitorPath}`],
        GuestCpus.bootArguments,
        msiDeviceArguments,
      ].flat(),
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const ended = new Promise<never>((_, reject) => {
      child.on('exit', (code) => reject(new Error(`${PROGRAM} ended with exit code ${code}`)));
      child.on('error', reject);
    });
    ended.catch(() => undefined);
    const [qtest, monitor] = await Promise.race([connections, ended]);
    await monitor.execute('qmp_capabilities');
    const gicPath = await monitor.findDevice(/arm-gicv3$/);
    const qemu = new Qemu(child, directory, qtest, monitor, gicPath);
    await qemu.#msiDevices.start();
    return qemu;
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

  /** Reset of the whole machine; RAM keeps its contents. The PEs stand still afterwards. */
  async reset(): Promise<void> {
    await this.#monitor.execute('stop');
    await this.#monitor.reset();
    this.cpus.stopped();
    await this.#msiDevices.start();
  }

  stop(): void {
    this.#process.removeAllListeners('exit');
    this.#process.kill('SIGKILL');
    this.qtest.close();
    this.#monitor.close();
    rmSync(this.#directory, { recursive: true });
  }
}

interface Reply {
  readonly return?: unknown;
  readonly error?: unknown;
  readonly event?: string;
}

/** QEMU's machine protocol: JSON objects, one a line. */
class Monitor {
  readonly #connection: LineConnection;
  readonly #replies: ((reply: Reply) => void)[];
  readonly #events: Map<string, () => void>;

  private constructor(
    connection: LineConnection,
    replies: ((reply: Reply) => void)[],
    events: Map<string, () => void>,
  ) {
    this.#connection = connection;
    this.#replies = replies;
    this.#events = events;
  }

  static async accept(path: string): Promise<Monitor> {
    const replies: ((reply: Reply) => void)[] = [];
    const events = new Map<string, () => void>();
    const connection = await LineConnection.accept(
      path,
      (line) => {
        const reply = JSON.parse(line) as Reply;
        if (reply.event !== undefined) events.get(reply.event)?.();
        else if ('return' in reply || 'error' in reply) replies.shift()?.(reply);
      },
      () => {
        for (const reply of replies.splice(0)) reply({ error: 'QEMU ended' });
      },
    );
    return new Monitor(connection, replies, events);
  }

  async execute(command: string, values: Record<string, unknown> = {}): Promise<unknown> {
    const reply = await new Promise<Reply>((resolve) => {
      this.#replies.push(resolve);
      this.#connection.send(JSON.stringify({ execute: command, arguments: values }));
    });
    if (reply.error !== undefined) throw new Error(`${command}: ${JSON.stringify(reply.error)}`);
    return reply.return;
  }

  async reset(): Promise<void> {
    const done = new Promise<void>((resolve) => this.#events.set('RESET', resolve));
    await this.execute('system_reset');
    await done;
  }

  /** The path of the first device whose type matches. */
  async findDevice(type: RegExp): Promise<string> {
    const parent = '/machine/unattached';
    const children = (await this.execute('qom-list', { path: parent })) as { name: string; type: string }[];
    const found = children.find((child) => type.test(child.type.replace(/^child<(.*)>$/, '$1')));
    if (!found) throw new Error(`no device of type ${type} in ${parent}`);
    return `${parent}/${found.name}`;
  }

  close(): void {
    this.#connection.close();
  }
}
