import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { copyOf, type Home, openHome } from '../support.js';
import { type Browser, openBrowser, type Page } from './browser.js';

interface Row {
  readonly test: string;
  readonly text: string;
}

/** Rows of the page that are about a function, as a person sees them. */
const ROWS = `[...document.querySelectorAll('tr[data-test]')].map((row) => ({ test: row.dataset.test, text: row.innerText }))`;

describe('the page of the local engine, in a browser', function () {
  this.timeout(180_000);
  let home: Home;
  let dir = '';
  let browser: Browser;
  let page: Page;
  const troubles: string[] = [];

  before(async () => {
    home = await openHome('page');
    dir = await copyOf('hello', join(home.dir, 'hello'));
    await sfx('deploy');
    browser = await openBrowser();
    page = await browser.page();
    page.on('pageerror', (error) => troubles.push(error.message ?? 'an error'));
    page.on('console', (message) => troubles.push(message.text?.() ?? 'a message'));
    const { port } = JSON.parse(await readFile(join(home.engine, 'engine.json'), 'utf8')) as { port: number };
    await page.goto(`http://127.0.0.1:${port}/`);
  });
  after(async () => {
    await browser?.[Symbol.asyncDispose]();
    await home?.close();
  });

  async function sfx(...words: string[]): Promise<string> {
    const { exit, out, err } = await home.sfx(dir, ...words);
    assert.equal(exit, 0, `sfx ${words.join(' ')}: ${out}${err}`);
    return out;
  }

  async function until(row: string, pattern: RegExp): Promise<void> {
    const script = `(() => { const row = document.querySelector('tr[data-test="${row}"]'); return row !== null && ${pattern}.test(row.innerText); })()`;
    await page.waitForFunction(script, { timeout: 20_000 });
  }

  const rows = () => page.evaluate<Row[]>(ROWS);

  it('shows the service and its release', async () => {
    await until('hello stable', /100 %/);
    assert.equal((await rows()).filter((row) => row.test === 'hello canary').length, 0);
    assert.match(await page.evaluate<string>('document.body.innerText'), /release 1 stable/);
  });

  it('shows a canary being promoted while it happens, with the calls that each version gets', async () => {
    const code = await readFile(join(dir, 'src/hello.js'), 'utf8');
    await writeFile(join(dir, 'src/hello.js'), code.replace('Hello', 'Good day'));
    await sfx('deploy', '--canary', '20');
    await until('hello canary', /20 %/);
    await until('hello stable', /80 %/);
    assert.match(await page.evaluate<string>('document.body.innerText'), /release 2 canary/);
    const { urls } = JSON.parse(await sfx('status', '--json')) as { urls: { http: string } };
    for (let n = 0; n < 100; n++) await (await fetch(urls.http)).text();
    // 100 calls, one in five of them to the canary.
    await until('hello canary', /\s([5-9]|[1-4]\d)\s/);
    await sfx('promote');
    await page.waitForFunction(`document.querySelector('tr[data-test="hello canary"]') === null`, {
      timeout: 20_000,
    });
    await until('hello stable', /\b2\b[\s\S]*100 %/);
    assert.match(await page.evaluate<string>('document.body.innerText'), /release 2 stable/);
  });

  it('shows activations as they come', async () => {
    await sfx('invoke', 'hello');
    await page.waitForFunction(
      `[...document.querySelectorAll('tr[data-test="activation"]')].some((row) => /hello[\\s\\S]*invoke[\\s\\S]*ok/.test(row.innerText))`,
      { timeout: 20_000 },
    );
  });

  it('says so when the engine is gone, and is live again when it is back', async () => {
    await sfx('local', 'stop');
    await page.waitForFunction(`/does not answer/.test(document.getElementById('state').innerText)`, {
      timeout: 20_000,
    });
    await sfx('local', 'start');
    await page.waitForFunction(`document.getElementById('state').innerText === 'live'`, { timeout: 20_000 });
  });

  it('runs without an error, and without breaking its own policy', () => {
    assert.deepEqual(
      troubles.filter(
        (text) => !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE/.test(text),
      ),
      [],
    );
  });
});
