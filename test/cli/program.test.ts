import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { run } from './run.ts';

describe('help', () => {
  it('lists the commands', async () => {
    const { code, out, err } = await run('--help');
    expect(code).toBe(0);
    expect(err).toBe('');
    for (const command of ['replay', 'vectors', 'decode'])
      expect(out).toMatch(new RegExp(`^ +${command} `, 'm'));
  });

  it.each(['vectors', 'decode'])('of %s names its --json', async (command) => {
    const { code, out, err } = await run(command, '--help');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('--json');
  });

  it('tells the version of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await run('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });
});

describe('bad usage is one line on stderr and exit code 2', () => {
  it.each<[string, string[], RegExp]>([
    ['no command', [], /no command given/],
    ['an unknown command', ['decod'], /unknown command 'decod'.*Did you mean decode/],
    ['help as a command', ['help'], /unknown command 'help'/],
    ['an unknown option', ['decode', '--jsn', 'x'], /unknown option '--jsn'.*Did you mean --json/],
    ['a missing file', ['decode'], /missing required argument 'file'/],
    ['too many files', ['decode', 'a', 'b'], /too many arguments/],
    ['a layout that does not exist', ['decode', '--vmapp-layout', '4.2', 'x'], /4\.2.*4\.0, 4\.1/],
    ['a limit that is no count', ['decode', '--limit', '-3', 'x'], /limit.*integer from 1/],
    ['a file that does not exist', ['decode', 'no/such/file'], /ENOENT.*no\/such\/file/],
    ['a recording that does not exist', ['decode', '--json', 'none.jsonl.gz'], /ENOENT.*none\.jsonl\.gz/],
    ['a directory', ['decode', 'test'], /test: .*expected a file/],
    ['a directory as a recording', ['replay', 'test'], /test: .*expected a file/],
    ['vectors that do not exist', ['vectors', 'no/such/directory'], /ENOENT.*no\/such\/directory/],
  ])('%s', async (_, args, message) => {
    const { code, out, err } = await run(...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^gicv4: [^\n]+\n$/);
    expect(err).toMatch(message);
  });
});
