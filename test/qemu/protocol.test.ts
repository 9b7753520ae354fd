// The clients of QEMU's protocols, talking to a peer that is no QEMU.
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QemuError } from './errors.ts';
import { judgeVersion } from './installed.ts';
import { Monitor } from './monitor.ts';
import { QtestClient } from './qtest.ts';

let directory: string;
let path: string;
let peer: Socket;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gicv4-'));
  path = join(directory, 'socket');
});
afterEach(() => {
  peer?.destroy();
  rmSync(directory, { recursive: true });
});

/** Connects a peer that answers each line with what `reply` returns, in parts. */
function answerWith(reply: (line: string) => string[]): void {
  peer = connect(path);
  let unfinished = '';
  peer.on('data', (data) => {
    const lines = (unfinished + data.toString()).split('\n');
    unfinished = lines.pop() ?? '';
    for (const line of lines) for (const part of reply(line)) peer.write(part);
  });
}

async function qtestWith(reply: (line: string) => string[], patience = 5000): Promise<QtestClient> {
  const client = QtestClient.accept(path, patience);
  answerWith(reply);
  return client;
}

async function errorOf(promise: Promise<unknown>): Promise<QemuError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(QemuError);
  return error as QemuError;
}

describe('the qtest client', () => {
  it('sends what qtest understands, and gives each command its own answer', async () => {
    const lines: string[] = [];
    const qtest = await qtestWith((line) => {
      lines.push(line);
      return line.startsWith('readq') ? ['OK 0x80000000', '00000001\nOK', '\n'] : ['OK\n'];
    });
    const first = qtest.write(0x800_0000, 4, 0x52);
    const second = qtest.read(0x808_0008, 8);
    await Promise.all([first, qtest.writeBytes(0x5000_0000, Uint8Array.of(1, 0xab))]);
    expect(await second).toBe(0x8000_0000_0000_0001n);
    expect(lines).toEqual(['writel 0x8000000 0x52', 'readq 0x8080008', 'write 0x50000000 0x2 0x01ab']);
    qtest.close();
  });

  it('reads memory, and stores much of it in several commands', async () => {
    const lengths: number[] = [];
    const qtest = await qtestWith((line) => {
      lengths.push(line.length);
      return line.startsWith('read ') ? ['OK 0x00ff10\n'] : ['OK\n'];
    });
    expect(await qtest.readBytes(0x5000_0000, 3)).toEqual(Uint8Array.of(0, 0xff, 0x10));
    await qtest.writeBytes(0x5000_0000, new Uint8Array(0x1_0000));
    expect(lengths.length).toBe(1 + 4);
    qtest.close();
  });

  it('names a command that QEMU refuses', async () => {
    const qtest = await qtestWith(() => ['FAIL Unknown device\n']);
    const error = await errorOf(qtest.setWire('/machine/none', 3, true));
    expect(error.code).toBe('REFUSED');
    expect(error.message).toContain('set_irq_in /machine/none unnamed-gpio-in 3 1: FAIL Unknown device');
    qtest.close();
  });

  it('does not wait for ever: neither for an answer nor for QEMU', async () => {
    const qtest = await qtestWith(() => [], 50);
    const [first, second] = [errorOf(qtest.read(0, 4)), errorOf(qtest.read(4, 4))];
    expect((await first).code).toBe('TIMEOUT');
    expect((await first).message).toContain('readl 0x0');
    expect((await second).code).toBe('TIMEOUT');
    expect((await errorOf(qtest.read(8, 4))).code).toBe('TIMEOUT');
    qtest.close();
    expect((await errorOf(QtestClient.accept(join(directory, 'nobody'), 50))).code).toBe('TIMEOUT');
  });

  it('fails all commands once QEMU is gone', async () => {
    const qtest = await qtestWith(() => {
      peer.destroy();
      return [];
    });
    expect((await errorOf(qtest.read(0, 4))).code).toBe('ENDED');
    expect((await errorOf(qtest.settle())).code).toBe('ENDED');
  });
});

describe('the QMP client', () => {
  const reply = (line: string): string[] => {
    const { execute } = JSON.parse(line) as { execute: string };
    if (execute === 'system_reset') return ['{"return": {}}\n', '{"event": "RE', 'SET"}\n'];
    if (execute === 'qom-list')
      return ['{"return": [{"name": "device[4]", "type": "child<kvm-arm-gicv3>"}]}\n'];
    return execute === 'bad' ? ['{"error": {"class": "CommandNotFound"}}\n'] : ['{"return": {}}\n'];
  };

  it('waits for a reset to be done, finds devices, and names a command that fails', async () => {
    const accepted = Monitor.accept(path);
    answerWith(reply);
    peer.write('{"QMP": {}}\n');
    const monitor = await accepted;
    await monitor.reset();
    expect(await monitor.findDevice(/arm-gicv3$/)).toBe('/machine/unattached/device[4]');
    expect((await errorOf(monitor.findDevice(/none/))).code).toBe('REFUSED');
    expect((await errorOf(monitor.execute('bad'))).message).toContain('bad: {"class":"CommandNotFound"}');
    monitor.close();
  });
});

describe('which QEMU will do', () => {
  it.each(['7.2.22', '7.10', '8.0.0', '10.1.0-rc2'])('%s', (version) => {
    expect(judgeVersion(version)).toEqual({ version });
  });

  it.each([
    ['7.1.0', 'QEMU 7.1.0 is too old'],
    ['6.2', 'QEMU 6.2 is too old'],
    [undefined, 'QEMU is not installed'],
  ])('not %s', (version, problem) => {
    expect(judgeVersion(version)).toEqual({ problem: expect.stringContaining(problem) });
    expect(judgeVersion(version)).toEqual({
      problem: expect.stringContaining('apt-get install qemu-system-arm'),
    });
  });
});
